/** Where pixels come from, as fingerprints and the lock name it. */
import {
  type Box,
  type Config,
  fingerprint,
  mapTileBox,
  mapTileRange,
  mapTilesOf,
  messageOf,
  type PlannedImage,
  ServiceError,
} from '@skyscript/core'
import { type CogImagery, type CogSource, type Imagery, refusalOf, type Source } from '@skyscript/gee-fetch'
import { DRAWING_VERSION, groundAround } from '@skyscript/local-earth-engine/ground'
import { drawnHash, type ExtractIndex } from './run.ts'

/** Google's own hosts, which serve the same pixels. */
export const isGoogle = (host: string): boolean => /^earthengine(-highvolume)?\.googleapis\.com$/.test(host)

type EarthEngineSettings = Pick<Config['imagery']['earthEngine'], 'endpoint' | 'mirrorOf'>

/** One name for all addresses of one Earth Engine; `local` for the one that draws from the extract. */
export function endpointOrigin({ endpoint, mirrorOf }: EarthEngineSettings): string {
  if (endpoint === 'local') return 'local'
  const host = mirrorOf ?? new URL(endpoint).host
  return isGoogle(host) ? 'earthengine' : host
}

/** The same as a dataset's lock has it: without a port, so that servers of one machine leave the same bytes. */
export const lockedEndpoint = (settings: EarthEngineSettings): string => endpointOrigin(settings).replace(/:\d+$/, '')

/** Origins that are kept at hand: neighbours have the same map tiles around them. */
const ORIGINS = 1000

/** The origin of Earth Engine's pixels in a box; for drawn ones, the parts of the extract that may be visible there. */
export function earthEngineOrigins(settings: EarthEngineSettings, tiles: ExtractIndex['tiles']): (box: Box) => string {
  const origin = endpointOrigin(settings)
  if (origin !== 'local') return () => origin
  const known = new Map<string, string>()
  // Candidates of one source share their box.
  let last: { readonly box: Box; readonly name: string } | null = null
  return (box) => {
    if (last?.box === box) return last.name
    const ground = groundAround(box)
    const place = Object.values(mapTileRange(ground)).join()
    let name = known.get(place)
    if (name === undefined) {
      if (known.size === ORIGINS) known.clear()
      known.set(place, (name = fingerprint(origin, DRAWING_VERSION, hashesOf(ground, tiles))))
    }
    last = { box, name }
    return name
  }
}

/** The same for all images of the objects of a map tile, however large they may be. */
export function originOfTile(
  { imagery, tiles }: Pick<Config, 'imagery' | 'tiles'>,
  sources: readonly Source[],
  tile: string,
  index: ExtractIndex['tiles'],
): unknown {
  const origin = endpointOrigin(imagery.earthEngine)
  if (origin !== 'local') return origin
  const coarsest = Math.max(0, ...sources.flatMap((source) => (source.kind === 'earth-engine' ? [source.gsd] : [])))
  const metres = Math.max(tiles.maxPixels, tiles.pointPixels) * coarsest
  return [origin, DRAWING_VERSION, hashesOf(groundAround(mapTileBox(tile), metres), index)]
}

/** Contents of the map tiles that a box touches. */
const hashesOf = (box: Box, tiles: ExtractIndex['tiles']) =>
  mapTilesOf(box).map((tile) => [tile, drawnHash(tiles[tile])])

/**
 * Versions of the files that sources list, by alias. Nothing is asked where no source lists any.
 *
 * @throws ServiceError where they can't be had now: a build that took the files for gone would lose their images
 */
export async function listedFiles(
  sources: readonly Source[],
  open: () => Promise<CogImagery>,
): Promise<Record<string, string>> {
  const versions: Record<string, string> = {}
  const lists = sources.flatMap((source) => (source.kind === 'cog' && source.stac === null ? [source] : []))
  if (lists.length === 0) return versions
  const cog = await open()
  try {
    for (const source of lists) versions[source.alias] = await versionOf(source, cog)
  } finally {
    await cog.close()
  }
  return versions
}

async function versionOf(source: CogSource, cog: CogImagery): Promise<string> {
  try {
    return (await cog.versionOfFiles(source))!
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code === 'imagery-missing') throw error
    throw new ServiceError(
      error.code,
      `The files of ${source.alias} can't be asked for now (${messageOf(error).replace(/\.$/, '')}); run the build again when they can be read.`,
      { retry: true, cause: error },
    )
  }
}

/** A sample of what a plan's images of a catalogue come from, by which a later build sees that they changed. */
export interface PlannedOrigin {
  readonly source: string
  readonly imageId: string
  readonly box: Box
  readonly origin: string
}

/** Takes a sample of planned images' candidates of catalogues: one of each source image and group of map tiles. */
export function originSample(sources: readonly Source[]) {
  const isCatalogue = (each: Source) => each.kind === 'oam' || (each.kind === 'cog' && each.stac !== null)
  const catalogues = new Set(sources.filter(isCatalogue).map(({ alias }) => alias))
  const origins = new Map<string, { readonly id: string; readonly at: number; readonly planned: PlannedOrigin }>()
  return {
    add({ id, candidates }: PlannedImage): void {
      if (catalogues.size === 0) return
      for (const [at, { source, imageId, box, origin }] of candidates.entries()) {
        if (!catalogues.has(source)) continue
        const key = JSON.stringify([source, imageId, origin, mapTilesOf(box)])
        const known = origins.get(key)
        // Images come in any order, and the sample depends on none.
        if (!known || id < known.id) origins.set(key, { id, at, planned: { source, imageId, box, origin } })
      }
    },
    all: (): PlannedOrigin[] =>
      [...origins.values()]
        .sort((a, b) => (a.id === b.id ? a.at - b.at : a.id < b.id ? -1 : 1))
        .map(({ planned }) => planned),
  }
}

/**
 * For the lock: of each source of files or tiles, a hash of what its images come from. Of Earth Engine the lock has the host, and of
 * what was drawn the extracts.
 */
export function originsOfFiles(
  origins: ReadonlyMap<string, ReadonlyMap<string, unknown>>,
  sources: readonly Source[],
): Record<string, string> {
  const files = new Set(sources.flatMap(({ alias, kind }) => (kind === 'earth-engine' ? [] : [alias])))
  return Object.fromEntries(
    [...origins]
      .filter(([alias]) => files.has(alias))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([alias, each]) => [alias, fingerprint([...each.keys()].sort())]),
  )
}

/**
 * Finds a source of which an image of its catalogue is no longer as it was when planned; null for none. An image that can't
 * be checked now counts as unchanged; `warn` is called once for each such source.
 */
export function originChecker(imagery: Imagery, sources: readonly Source[], warn: (text: string) => void) {
  const warned = new Set<string>()
  return async (planned: readonly PlannedOrigin[]): Promise<string | null> => {
    for (const { source: alias, imageId, box, origin } of planned) {
      const source = sources.find((each) => each.alias === alias)
      try {
        if (source === undefined || (await imagery.origin(source, imageId, box)) !== origin) return alias
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error
        if (refusalOf(error) === 'image') return alias
        if (!warned.has(alias))
          warn(
            `Whether images of ${alias} changed since the last build could not be asked (${messageOf(error)}); they are taken to be the same.`,
          )
        warned.add(alias)
      }
    }
    return null
  }
}
