/**
 * Cloud-Optimised GeoTIFFs: finds the images of a source that touch a box, and reads their pixels on any grid with
 * range requests.
 *
 * @example
 * import { createCogImagery, SOURCES } from '@skyscript/gee-fetch'
 * const cog = createCogImagery({ maxConcurrent: 8, maxCloud: 20 })
 * const images = await cog.find(SOURCES.SI, [7.44, 46.94, 7.45, 46.95])
 */
import {
  type Box,
  FILE_REQUESTS,
  fingerprint,
  type Geometry,
  isUrl,
  mapTileBox,
  mapTilesOf,
  ServiceError,
} from '@skyscript/core'
import type { SourceImage } from '../candidates.ts'
import type { PixelGrid } from '../client.ts'
import { mayCover } from '../coverage.ts'
import { createHttp, type Http, hostOf } from '../http.ts'
import { createLimiter, type Limiter } from '../limiter.ts'
import type { Outages } from '../outages.ts'
import { refusalOf } from '../refusals.ts'
import { remembering } from '../shared-work.ts'
import type { SourceClient } from '../source-client.ts'
import type { UnpackedTiles } from './blocks.ts'
import type { CogSource } from './cog-source.ts'
import { localBytes, remoteBytes, versionAt } from './file-bytes.ts'
import { fileIds } from './file-ids.ts'
import { boxOfGrid, gridPositions } from './grid-positions.ts'
import { isFull, paint } from './paint.ts'
import { collectionUrl, readItem, searchItems } from './stac.ts'
import { assetOf, partsAt180, placedAt, type StacItem } from './stac-item.ts'

/** Number of files kept open (up to 8 MB each); number of searches and items cached. */
const OPEN_FILES = 16
const SEARCHES = 64
const ITEMS = 1000
/** How often a server is asked for a file's version, as its mirrors may answer with different ones in turn. */
const VERSION_TRIES = 4
/** The mosaic of all sheets without a time. */
const UNDATED = 'undated'

export interface CogImageryOptions {
  /** Maximum concurrent requests, to all servers together. */
  readonly maxConcurrent: number
  /** Maximum cloud percentage, for sources whose images record it. */
  readonly maxCloud: number
  /** Shared with other processes; default: one for this process. */
  readonly limiter?: Limiter | undefined
  /** Sends all requests instead of a client of its own, whose limits and patience then count. */
  readonly http?: Http
  /** Attempts per request, default 5. */
  readonly attempts?: number | undefined
  /** Maximum milliseconds per attempt, default 55,000. */
  readonly deadlineMs?: number
  /** Waits up to `patienceMs` for servers that are down. */
  readonly outages?: Outages
  readonly patienceMs?: number
  /** E-mail address or URL that servers are told. */
  readonly contact?: string | null
}

/** Pixels are stretched by the source's range, and those of the nearest neighbour. */
export interface CogImagery extends Required<Omit<SourceClient<CogSource>, 'dateOf'>> {
  /** @throws InputError or ServiceError if the source's catalogue or its files can't be read */
  check(source: CogSource): Promise<void>
  /** The GSD of a file (m/pixel). @throws ServiceError of status 400 if it can't be read as a GeoTIFF */
  gsdOf(address: string, signal?: AbortSignal): Promise<number>
  /**
   * The current version of the files that a source lists; null if a catalogue lists them. Missing files are left out.
   *
   * @throws ServiceError if a file can't be checked now, or if all are missing (for example an unmounted disk)
   */
  versionOfFiles(source: CogSource): Promise<string | null>
  stats(): {
    readonly searches: number
    readonly rangeRequests: number
    readonly bytes: number
    readonly retries: number
  }
  close(): Promise<void>
}

/** Files with the colours of an image: one, or one per colour; and one that marks clouds. */
interface ImageFiles {
  readonly colours: readonly string[]
  readonly clouds: string | null
  /** By URL, if the catalogue gives them. */
  readonly versions: ReadonlyMap<string, string>
}

const NO_VERSIONS: ReadonlyMap<string, string> = new Map()

/** An item of a catalogue, or a file of a list. */
interface Sheet extends Omit<SourceImage, 'outline'> {
  readonly outline: Geometry | null
  /** @throws ServiceError of status 400 if an asset can't be read */
  files(): ImageFiles
}

export function createCogImagery(options: CogImageryOptions): CogImagery {
  const { maxConcurrent, maxCloud, deadlineMs, outages, patienceMs, contact, attempts } = options
  const limiter = options.limiter ?? createLimiter({ maxConcurrent, perSecond: FILE_REQUESTS.perSecond })
  const http =
    options.http ?? createHttp({ limiter, maxConcurrent, deadlineMs, outages, patienceMs, contact, attempts })
  let unpacked: UnpackedTiles | undefined
  const open = remembering(OPEN_FILES, async (address, signal) => {
    // The TIFF modules take a fifth of a second to load; builds without files should not wait for them.
    const [{ openGeotiff }, { createUnpackedTiles }] = await Promise.all([
      import('./geotiff-file.ts'),
      import('./blocks.ts'),
    ])
    unpacked ??= createUnpackedTiles()
    const bytes = isUrl(address) ? remoteBytes(address, http) : localBytes(address)
    return { ...(await openGeotiff(bytes, hostOf(address), signal, unpacked)), version: () => bytes.version }
  })
  const searches = remembering(SEARCHES, (_key, signal, source: CogSource, box: Box) =>
    searchItems(source, box, maxCloud, http, signal),
  )
  const searchKey = ({ alias }: CogSource, box: Box) => `${alias} ${box.join()}`
  const search = (source: CogSource, box: Box, signal?: AbortSignal) =>
    searches.get(searchKey(source, box), signal, source, box)
  const items = remembering(ITEMS, (_key, signal, source: CogSource, id: string) => readItem(source, id, http, signal))
  /** Footprint, outline and time of listed files, or why a file can't be used; each file is read once. */
  const described = new Map<string, Pick<Sheet, 'footprint' | 'outline' | 'time'> | ServiceError>()

  const describe = async (address: string) => {
    try {
      const { footprint, outline, time } = await open.get(address, undefined)
      described.set(address, { footprint, outline, time })
    } catch (error) {
      if (!(error instanceof ServiceError) || refusalOf(error) !== 'image') throw error
      described.set(address, error)
    }
  }
  /** Skips files that are missing or damaged: the others are still images. Throws if none can be used. */
  const listedSheets = async (source: CogSource, box: Box): Promise<Sheet[]> => {
    const ids = [...fileIds(source)]
    const unknown = ids.map(([, address]) => address).filter((address) => !described.has(address))
    for (let from = 0; from < unknown.length; from += OPEN_FILES)
      await Promise.all(unknown.slice(from, from + OPEN_FILES).map(describe))
    const places = ids.map(([, address]) => described.get(address)!)
    if (places[0] instanceof ServiceError && places.every((place) => place instanceof ServiceError)) throw places[0]
    return ids.flatMap(([imageId, address], i) => {
      const place = places[i]!
      if (place instanceof ServiceError) return []
      const files = () => ({ colours: [address], clouds: null, versions: NO_VERSIONS })
      const sheet = placedAt({ imageId, cloud: null, files, ...place }, box)
      return sheet === null ? [] : [sheet]
    })
  }
  const sheetsAt = async (source: CogSource, box: Box, signal?: AbortSignal): Promise<Sheet[]> => {
    if (source.stac === null) return listedSheets(source, box)
    const found = await search(source, box, signal)
    return found.map((item) => ({
      ...item,
      imageId: `${source.collection}/${item.id}`,
      files: () => assetsOf(source, item),
    }))
  }
  /** The map tiles under a box; sheets are searched for by tile. */
  const tilesOf = (box: Box): Box[] => partsAt180(box).flatMap(mapTilesOf).map(mapTileBox)

  const filesOf = async (source: CogSource, imageId: string, box: Box, signal?: AbortSignal): Promise<ImageFiles[]> => {
    const name = imageId.slice(source.collection.length + 1)
    if (source.mosaic === 'item') {
      if (source.stac !== null)
        return [assetsOf(source, await items.get(`${source.alias} ${name}`, signal, source, name))]
      const address = fileIds(source).get(imageId)
      if (address === undefined)
        throw new ServiceError('image-gone', `${imageId} is no longer among the files of ${source.alias}.`, {
          retry: false,
          status: 404,
        })
      return [{ colours: [address], clouds: null, versions: NO_VERSIONS }]
    }
    const sheets = new Map<string, Sheet>()
    for (const tile of tilesOf(box)) {
      for (const each of await sheetsAt(source, tile, signal))
        if (periodOf(source, each) === name && placedAt(each, box)) sheets.set(each.imageId, each)
    }
    return [...sheets.values()].sort((a, b) => -byId(a, b)).map(({ files }) => files())
  }
  /** Makes the next read fetch an image's URLs from the catalogue again: signed links expire. */
  const forgetItems = (source: CogSource, imageId: string, box: Box): void => {
    items.forget(`${source.alias} ${imageId.slice(source.collection.length + 1)}`)
    for (const tile of tilesOf(box)) searches.forget(searchKey(source, tile))
    for (const address of source.files) if (described.get(address) instanceof ServiceError) described.delete(address)
  }
  const originOf = async (images: readonly ImageFiles[], versionOf: (address: string) => Promise<string | null>) => {
    const parts = images.flatMap(({ versions, ...files }) =>
      addressesIn(files).map(async (address) => [
        isUrl(address) ? hostOf(address) : null,
        versions.get(address) ?? (await versionOf(address)),
      ]),
    )
    return fingerprint(await Promise.all(parts))
  }
  /** Includes the origin if that takes no request, so that an item the search already returned is not read again. */
  const imageOf = async ({ files, imageId, time, cloud, footprint, outline }: Sheet): Promise<SourceImage> => {
    const image = { imageId, time, cloud, footprint, outline }
    const own = filesIn({ files })
    const isKnown = own !== null && addressesIn(own).every((address) => own.versions.has(address))
    return isKnown ? { ...image, origin: await originOf([own], versionRead) } : image
  }
  /** null for a missing file, which planning skips. */
  const versionUnlessGone = async (address: string): Promise<string | null> => {
    try {
      return await versionAt(address, http)
    } catch (error) {
      if (refusalOf(error) === 'image') return null
      throw error
    }
  }
  /** Servers behind one address may each have a different ETag for the same file, so each gets its turn. */
  const isStill = async (files: readonly ImageFiles[], origin: string): Promise<boolean> => {
    for (let attempt = 0; attempt < VERSION_TRIES; attempt++)
      if ((await originOf(files, (address) => versionAt(address, http))) === origin) return true
    return false
  }
  const versionRead = async (address: string) => (await open.get(address, undefined)).version()

  const draw = async (
    source: CogSource,
    { colours, clouds }: ImageFiles,
    grid: PixelGrid,
    pixels: Buffer,
    signal?: AbortSignal,
  ): Promise<void> => {
    const files = await Promise.all(colours.map((address) => open.get(address, signal)))
    const read = await Promise.all(
      files.map((file) => {
        const bands = files.length === 1 ? source.bands : [1]
        return file.valuesAt(gridPositions(grid, file.projection), bands, source.gsd, signal)
      }),
    )
    const values = read.flatMap((each) => each.values)
    const cloudFile = clouds === null ? null : await open.get(clouds, signal)
    const marks = await cloudFile?.valuesAt(gridPositions(grid, cloudFile.projection), [1], source.gsd, signal)
    paint(
      source,
      values,
      read.map(({ valid }) => valid),
      marks?.values[0] ?? null,
      pixels,
    )
  }

  return {
    async check(source) {
      if (source.stac === null) {
        for (const address of source.files) await (await open.get(address, undefined)).check(source.bands)
      } else await http.json(collectionUrl(source), undefined)
    },
    async find(source, box) {
      if (!mayCover(source, box)) return []
      searches.forget(searchKey(source, box))
      const sheets = await sheetsAt(source, box)
      if (source.mosaic === 'item') return (await Promise.all(sheets.map(imageOf))).sort(byId)
      const periods = Map.groupBy(sheets, (each) => periodOf(source, each))
      return [...periods].map(([period, each]) => mosaicOf(source, period, each)).sort(byId)
    },
    async pixels(source, imageId, grid, signal) {
      signal?.throwIfAborted()
      let [isReread, isRenewed] = [false, false]
      const box = boxOfGrid(grid)
      let files = await filesOf(source, imageId, box, signal)
      for (;;) {
        const pixels = Buffer.alloc(grid.width * grid.height * 4)
        try {
          for (const each of files) {
            await draw(source, each, grid, pixels, signal)
            if (isFull(pixels)) break
          }
          return pixels
        } catch (error) {
          if (signal?.aborted) throw error
          // The cached data of a file that failed may be incomplete, or mixed with a file that replaced it.
          const addresses = files.flatMap(addressesIn)
          for (const address of addresses) open.forget(address)
          if (error instanceof ServiceError && error.code === 'image-changed' && !isReread) isReread = true
          else if (source.stac !== null && isRefused(error) && !isRenewed) {
            isRenewed = true
            forgetItems(source, imageId, box)
            files = await filesOf(source, imageId, box, signal)
            if (files.flatMap(addressesIn).join() === addresses.join()) throw error
          } else throw error
        }
      }
    },
    async origin(source, imageId, box) {
      return originOf(await filesOf(source, imageId, box), versionRead)
    },
    async isOf(source, imageId, box, origin, isLast) {
      const files = await filesOf(source, imageId, box)
      if ((await originOf(files, versionRead)) === origin) return true
      return isLast && (await isStill(files, origin))
    },
    async isReplaced(source, imageId, box, origin) {
      forgetItems(source, imageId, box)
      try {
        return !(await isStill(await filesOf(source, imageId, box), origin))
      } catch (error) {
        if (!(error instanceof ServiceError) || refusalOf(error) !== 'image') throw error
        // A file that is being written is empty at first, so the server refuses the range.
        return error.code === 'image-damaged'
      }
    },
    async forget(source, imageId, box) {
      for (const address of (await filesOf(source, imageId, box)).flatMap(addressesIn)) open.forget(address)
      forgetItems(source, imageId, box)
    },
    gsdOf: async (address, signal) => (await open.get(address, signal)).gsd,
    async versionOfFiles(source) {
      if (source.stac !== null) return null
      const versions: (string | null)[] = []
      for (let from = 0; from < source.files.length; from += OPEN_FILES)
        versions.push(...(await Promise.all(source.files.slice(from, from + OPEN_FILES).map(versionUnlessGone))))
      if (versions[0] === null && versions.every((version) => version === null))
        throw new ServiceError(
          'imagery-missing',
          `None of the files of ${source.alias} was found (the first is ${hostOf(source.files[0]!)}); mount their disk, or correct imagery.sources.`,
          { retry: true },
        )
      return fingerprint(versions)
    },
    stats: () => ({ ...http.stats }),
    close: () => http.close(),
  }
}

const byId = (a: { readonly imageId: string }, b: { readonly imageId: string }) => (a.imageId < b.imageId ? -1 : 1)

const addressesIn = ({ colours, clouds }: Pick<ImageFiles, 'colours' | 'clouds'>): string[] => [
  ...colours,
  ...(clouds === null ? [] : [clouds]),
]

/** null if the item lacks the source's assets. */
function filesIn({ files }: Pick<Sheet, 'files'>): ImageFiles | null {
  try {
    return files()
  } catch (error) {
    if (error instanceof ServiceError) return null
    throw error
  }
}

/** Whether access to a URL was denied; an expired signed URL gets one of these statuses. */
const isRefused = (error: unknown): boolean =>
  error instanceof ServiceError &&
  error.code.startsWith('imagery-') &&
  [400, 401, 403, 404, 410].includes(error.status ?? 0)

function assetsOf(source: CogSource, item: StacItem): ImageFiles {
  const { assets, cloudMask } = source
  return {
    colours: assets.map((asset) => assetOf(item, asset)),
    clouds: cloudMask === null ? null : assetOf(item, cloudMask.asset),
    versions: item.versions,
  }
}

/** The day or year of a sheet, which names its mosaic. */
function periodOf({ mosaic }: CogSource, { time }: Sheet): string {
  return time === null ? UNDATED : new Date(time).toISOString().slice(0, mosaic === 'year' ? 4 : 10)
}

/** Its time is the start of the day or year, the same for each part of the map. */
function mosaicOf({ collection }: CogSource, period: string, sheets: readonly Sheet[]): SourceImage {
  const side = (pick: (...values: number[]) => number, i: 0 | 1 | 2 | 3) =>
    pick(...sheets.map((each) => each.footprint[i]))
  const clouds = sheets.flatMap(({ cloud }) => (cloud === null ? [] : [cloud]))
  return {
    imageId: `${collection}/${period}`,
    time: period === UNDATED ? null : Date.parse(`${period.length === 4 ? `${period}-01-01` : period}T00:00:00Z`),
    cloud: clouds.length === 0 ? null : Math.max(...clouds),
    footprint: [side(Math.min, 0), side(Math.min, 1), side(Math.max, 2), side(Math.max, 3)],
  }
}
