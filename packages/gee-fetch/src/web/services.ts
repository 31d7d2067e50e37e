/** Completes the settings of web services by what these say of themselves. */
import { isTileJson, type SourceChoice, type SourceSettings } from '@skyscript/core'
import type { HostOptions } from './hosts.ts'
import { type Completed, openService, type Service } from './service.ts'

type Complete<S> = (settings: S, service: Service) => Promise<Completed<S>>

/** Kinds with something to be read from a service; loaded when there is such a source. */
const COMPLETERS: {
  readonly [K in SourceSettings['kind']]?: () => Promise<Complete<Extract<SourceSettings, { kind: K }>>>
} = {
  wms: async () => (await import('./wms-capabilities.ts')).completeWms,
  wmts: async () => (await import('./wmts-capabilities.ts')).completeWmts,
  xyz: async () => (await import('./tile-json.ts')).completeXyz,
  arcgis: async () => (await import('./arcgis.ts')).completeArcgis,
}

/** Whether a source has something to be read from its service. */
export const needsService = (source: SourceChoice): source is SourceSettings =>
  typeof source !== 'string' &&
  source.kind !== 'index' &&
  COMPLETERS[source.kind] !== undefined &&
  (source.kind !== 'xyz' || isTileJson(source.url))

/** Whether only its service knows how fine the pictures of a source are. */
export const hasUnknownGsd = (source: SourceChoice): boolean =>
  typeof source !== 'string' &&
  ((source.kind === 'xyz' && source.zoom === undefined) ||
    (source.kind === 'wmts' && source.grid === undefined) ||
    (source.kind === 'arcgis' && source.gsd === undefined))

/**
 * Settings with everything that jobs need to know, so that no job asks a service what it is.
 *
 * @param onTerms is told the conditions that a service states for its use
 * @throws InputError for what a service doesn't have; ServiceError for one that can't be read
 */
export async function completeSources<S extends SourceChoice>(
  sources: readonly S[],
  options: HostOptions,
  onTerms: (alias: string, terms: readonly string[]) => void = () => {},
): Promise<S[]> {
  if (!sources.some(needsService)) return [...sources]
  const service = openService(options)
  try {
    const complete = async (source: S): Promise<S> => {
      if (!needsService(source)) return source
      const completer = (await COMPLETERS[source.kind]!()) as Complete<SourceSettings>
      const { settings, terms } = await completer(source, service)
      if (terms.length > 0) onTerms(source.alias, terms)
      return settings as S
    }
    return await Promise.all(sources.map(complete))
  } finally {
    await service.close()
  }
}
