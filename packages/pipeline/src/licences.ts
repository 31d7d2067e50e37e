import { type Config, InputError } from '@skyscript/core'
import { sourcesOf } from '@skyscript/gee-fetch'

/**
 * The settings with only those sources whose licence `imagery.licences` allows.
 *
 * @throws InputError `no-licensed-source` that names the licences of the sources
 */
export function withLicensedSources(config: Config): Config {
  const { sources, licences } = config.imagery
  if (licences === null) return config
  const terms = sourcesOf(sources).map(({ licence }) => licence)
  const allowed = sources.filter((_, i) => licences.some((licence) => terms[i]!.startsWith(licence)))
  if (allowed.length === 0) {
    const named = [...new Set(terms)].map((licence) => `"${licence}"`)
    throw new InputError(
      'no-licensed-source',
      `imagery.licences allows no source; those of imagery.sources are under ${named.join(', ')}: name one, or how it begins.`,
    )
  }
  return { ...config, imagery: { ...config.imagery, sources: allowed } }
}
