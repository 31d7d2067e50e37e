import { type Config, InputError, isAllowedLicence } from '@skyscript/core'
import { licenceOf, narrowed } from '@skyscript/gee-fetch'

/**
 * The settings with only those named sources whose licence `imagery.licences` allows.
 *
 * @throws InputError `no-licensed-source` that names the licences of the sources
 */
export function withLicensedSources(config: Config): Config {
  const { sources, licences } = config.imagery
  if (licences === null) return config
  const allowed = sources.flatMap((source): typeof sources => {
    if (source === 'auto') return [source]
    // Each image has its own.
    if (typeof source !== 'string' && source.kind === 'oam') {
      const own = narrowed(source.licences, licences)
      return own.length > 0 ? [{ ...source, licences: own }] : []
    }
    return isAllowedLicence(licenceOf(source), licences) ? [source] : []
  })
  if (allowed.length === 0) {
    const named = [...new Set(sources.flatMap((source) => (source === 'auto' ? [] : [`"${licenceOf(source)}"`])))]
    throw new InputError(
      'no-licensed-source',
      `imagery.licences allows no source; those of imagery.sources are under ${named.join(', ')}: name one, or how it begins.`,
    )
  }
  return { ...config, imagery: { ...config.imagery, sources: allowed } }
}
