/**
 * OpenAerialMap: finds the scenes of its catalogue that touch a box, and reads their pixels as GeoTIFFs. A scene's box is
 * on a lattice of the scene's own GSD.
 *
 * @example
 * import { createOamImagery, sourcesOf } from '@skyscript/gee-fetch'
 * const oam = createOamImagery({ fillIn: (address) => address })
 * const images = await oam.find(source, [39.2, -6.2, 39.3, -6.1])
 */
import { type Box, byKey, METRES_PER_DEGREE_LATITUDE, mapTileBox, mapTilesOf, ServiceError } from '@skyscript/core'
import pMap from 'p-map'
import type { SourceImage } from '../candidates.ts'
import { type CogImagery, createCogImagery } from '../cog/cog-imagery.ts'
import type { CogSource } from '../cog/cog-source.ts'
import { fileIds } from '../cog/file-ids.ts'
import { boxOfGrid } from '../cog/grid-positions.ts'
import { placedAt } from '../cog/stac-item.ts'
import { mayCover } from '../coverage.ts'
import type { Http } from '../http.ts'
import { isDenied, reasonOf, refusalOf } from '../refusals.ts'
import { remembering } from '../shared-work.ts'
import type { SourceClient } from '../source-client.ts'
import { createHosts, type HostOptions } from '../web/hosts.ts'
import type { OamSource } from './oam-source.ts'
import { type Scene, sceneOf } from './scene.ts'
import { countEntries, searchEntries } from './search.ts'

/** Number of searches that are kept. */
const SEARCHES = 64
/** A file's GSD that differs from the catalogue's by less is the same, written with fewer digits. */
const SAME_GSD = 0.05
/** Of an entry that doesn't say where its scene is. */
const NOWHERE: Box = [Number.NaN, Number.NaN, Number.NaN, Number.NaN]

export interface OamImagery extends Required<Omit<SourceClient<OamSource>, 'dateOf'>> {
  /**
   * The number of scenes in the catalogue; null if it doesn't say.
   *
   * @throws ServiceError or InputError where it can't be asked
   */
  check(source: OamSource): Promise<number | null>
  close(): Promise<void>
}

type Found = Scene | { readonly broken: string }

export function createOamImagery({ fillIn, ...options }: HostOptions): OamImagery {
  // Only the settings' own address may name secrets: what a catalogue writes must not get any.
  const hosts = createHosts({ ...options, fillIn: (address) => address })
  const files = new Map<string, CogImagery>()
  const filesOf = ({ alias, requests }: OamSource): CogImagery => {
    const known = files.get(alias)
    if (known) return known
    const client = createCogImagery({
      maxConcurrent: requests.concurrent,
      maxCloud: 100,
      http: routed(hosts, requests),
    })
    files.set(alias, client)
    return client
  }
  const catalogueOf = async ({ url, requests }: OamSource) => hosts.open(fillIn(url), requests)

  const searches = remembering(SEARCHES, async (_key, signal, source: OamSource, box: Box) => {
    const { http, url } = await catalogueOf(source)
    const scenes = new Map<string, Found>()
    for (const entry of await searchEntries(url, box, http, signal)) {
      const found = sceneOf(entry, source)
      if (found === null) continue
      const key = 'broken' in found ? found.broken : found.id
      if (!scenes.has(key)) scenes.set(key, found)
    }
    return [...scenes].sort(byKey).map(([, scene]) => scene)
  })
  const keyOf = ({ alias }: OamSource, box: Box) => `${alias} ${box.join()}`

  /** The scene of an image, as the catalogue has it now. */
  const sceneAt = async (source: OamSource, imageId: string, box: Box, signal?: AbortSignal): Promise<Scene> => {
    for (const tile of mapTilesOf(box).map(mapTileBox)) {
      const scenes = await searches.get(keyOf(source, tile), signal, source, tile)
      const scene = scenes.find((each) => 'id' in each && imageIdOf(source, each) === imageId)
      if (scene && 'id' in scene) return scene
    }
    throw new ServiceError('image-gone', `${imageId} is no longer in the catalogue of ${source.alias}.`, {
      retry: false,
      status: 404,
    })
  }

  const imageOf = async (source: OamSource, scene: Scene, box: Box): Promise<SourceImage | null> => {
    const { footprint, outline, time, facts } = scene
    const image = { imageId: imageIdOf(source, scene), time, cloud: null, footprint, outline, facts }
    if (scene.unusable !== null) return { ...image, unusable: scene.unusable }
    const { file, fileId } = fileOf(source, scene)
    try {
      const own = await filesOf(source).gsdOf(scene.address)
      const [finest, coarsest] = source.gsds
      const gsd = scene.gsd !== null && Math.abs(scene.gsd / own - 1) < SAME_GSD ? scene.gsd : own
      if (gsd < finest || gsd > coarsest) return null
      return { ...image, gsd, origin: await filesOf(source).origin(file, fileId, box) }
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      const refusal = refusalOf(error)
      if (refusal === 'image') return { ...image, unusable: reasonOf(error) }
      return { ...image, failed: error }
    }
  }
  const forgetSearches = (source: OamSource, box: Box) => {
    for (const tile of mapTilesOf(box).map(mapTileBox)) searches.forget(keyOf(source, tile))
  }

  return {
    check: async (source) => {
      const { http, url } = await catalogueOf(source)
      return countEntries(url, http)
    },
    async find(source, box, signal) {
      if (!mayCover(source, box)) return []
      searches.forget(keyOf(source, box))
      const scenes = await searches.get(keyOf(source, box), signal, source, box)
      const images = await pMap(
        scenes,
        async (scene): Promise<SourceImage | null> => {
          signal?.throwIfAborted()
          if ('broken' in scene) {
            const unusable = 'image-entry-broken'
            return { imageId: `${source.alias}/${scene.broken}`, time: null, cloud: null, footprint: NOWHERE, unusable }
          }
          const placed = placedAt(scene, box)
          return placed && imageOf(source, placed, box)
        },
        { concurrency: source.requests.concurrent },
      )
      return images.filter((image) => image !== null)
    },
    async origin(source, imageId, box) {
      const { file, fileId } = fileOf(source, await sceneAt(source, imageId, box))
      return filesOf(source).origin(file, fileId, box)
    },
    async pixels(source, imageId, grid, signal) {
      const { file, fileId } = fileOf(source, await sceneAt(source, imageId, boxOfGrid(grid), signal))
      const gsd = grid.stepY * METRES_PER_DEGREE_LATITUDE
      return filesOf(source).pixels({ ...file, gsd }, fileId, grid, signal)
    },
    async isOf(source, imageId, box, origin, isLast) {
      const { file, fileId } = fileOf(source, await sceneAt(source, imageId, box))
      return filesOf(source).isOf(file, fileId, box, origin, isLast)
    },
    async isReplaced(source, imageId, box, origin) {
      forgetSearches(source, box)
      try {
        const { file, fileId } = fileOf(source, await sceneAt(source, imageId, box))
        return await filesOf(source).isReplaced(file, fileId, box, origin)
      } catch (error) {
        if (refusalOf(error) !== 'image') throw error
        return false
      }
    },
    async forget(source, imageId, box) {
      const { file, fileId } = fileOf(source, await sceneAt(source, imageId, box))
      await filesOf(source).forget(file, fileId, box)
      forgetSearches(source, box)
    },
    async close() {
      for (const each of files.values()) await each.close()
      await hosts.close()
    },
  }
}

const imageIdOf = ({ alias }: OamSource, { id }: Scene): string => `${alias}/${id}`

/** A scene as a source of one GeoTIFF. */
function fileOf({ kind: _kind, ...source }: OamSource, { address }: Scene) {
  const file: CogSource = {
    ...source,
    kind: 'cog',
    stac: null,
    files: [address],
    assets: [],
    bands: [1, 2, 3],
    mosaic: 'item',
    cloudMask: null,
  }
  return { file, fileId: [...fileIds(file).keys()][0]! }
}

/**
 * Sends each request through the client of its host, whose limit it shares with all others to it. Stores of public files
 * deny what they don't have.
 */
function routed(hosts: ReturnType<typeof createHosts>, requests: OamSource['requests']): Http {
  const at = async (address: string) => (await hosts.open(address, requests)).http
  return {
    async range(url, ...rest) {
      try {
        return await (await at(url)).range(url, ...rest)
      } catch (error) {
        if (!(error instanceof ServiceError) || !isDenied(error.status)) throw error
        throw new ServiceError('image-denied', error.message, { retry: false, status: 404, cause: error })
      }
    },
    file: async (url, ...rest) => (await at(url)).file(url, ...rest),
    document: async (url, ...rest) => (await at(url)).document(url, ...rest),
    json: async (url, ...rest) => (await at(url)).json(url, ...rest),
    stats: { searches: 0, rangeRequests: 0, bytes: 0, retries: 0 },
    close: async () => {},
  }
}
