/**
 * Cloud-Optimised GeoTIFFs to pictures: which images of a source touch a place, and their pixels on any grid, read by
 * ranges of bytes.
 *
 * @example
 * import { createCogImagery, SOURCES } from '@skyscript/gee-fetch'
 * const cog = createCogImagery({ maxConcurrent: 8, maxCloud: 20 })
 * const images = await cog.find(SOURCES.SI, [7.44, 46.94, 7.45, 46.95])
 */
import { type Box, boxesIntersect, InputError, mapTileBox, mapTilesOf, ServiceError } from '@skyscript/core'
import type { SourceImage } from '../candidates.ts'
import type { PixelGrid } from '../client.ts'
import { createLimiter, type Limiter } from '../limiter.ts'
import { PIXEL_STATE } from '../pixel-state.ts'
import type { CogSource } from './cog-source.ts'
import { localBytes, remoteBytes } from './file-bytes.ts'
import { gridPositions } from './grid-positions.ts'
import { createHttp, hostOf } from './http.ts'
import { remembering } from './shared-work.ts'
import { assetOf, collectionUrl, readItem, type StacItem, searchItems } from './stac.ts'

/** Polite to servers that nobody pays. */
const REQUESTS_PER_SECOND = 50
/** Files that stay open, 8 MB each at most; searches and items that are remembered. */
const OPEN_FILES = 16
const SEARCHES = 64
const ITEMS = 1000

export interface CogImageryOptions {
  /** Requests at a time, to all servers together. */
  readonly maxConcurrent: number
  /** Percent of cloud, of sources whose images record it. */
  readonly maxCloud: number
  /** Shared with other processes; unless given, one of this process. */
  readonly limiter?: Limiter | undefined
  /** Milliseconds that one try may take, default 55,000. */
  readonly deadlineMs?: number
}

export interface CogImagery {
  /** Images of a source that touch a box, by id. */
  find(source: CogSource, box: Box): Promise<SourceImage[]>
  /** @throws InputError or ServiceError where the source's catalogue or its files can't be read */
  check(source: CogSource): Promise<void>
  /** Height x width x 4 bytes: red, green, blue stretched by the source's range, and PIXEL_STATE; nearest neighbour. */
  pixels(source: CogSource, imageId: string, grid: PixelGrid, signal?: AbortSignal): Promise<Buffer>
  stats(): {
    readonly searches: number
    readonly rangeRequests: number
    readonly bytes: number
    readonly retries: number
  }
  close(): Promise<void>
}

/** Where the colours of an image are: one file, or one for each; and one that marks clouds. */
interface ImageFiles {
  readonly colours: readonly string[]
  readonly clouds: string | null
}

export function createCogImagery(options: CogImageryOptions): CogImagery {
  const { maxConcurrent, maxCloud, deadlineMs } = options
  const limiter = options.limiter ?? createLimiter({ maxConcurrent, perSecond: REQUESTS_PER_SECOND })
  const http = createHttp({ limiter, maxConcurrent, deadlineMs })
  const open = remembering(OPEN_FILES, async (address, signal) => {
    // What takes TIFFs apart loads in a fifth of a second, which builds without files should not wait for.
    const { openGeotiff } = await import('./geotiff-file.ts')
    const bytes = /^[a-z][a-z\d+.-]*:\/\//i.test(address) ? remoteBytes(address, http) : localBytes(address)
    return openGeotiff(bytes, hostOf(address), signal)
  })
  const searches = remembering(SEARCHES, (_key, signal, source: CogSource, box: Box) =>
    searchItems(source, box, maxCloud, http, signal),
  )
  const search = (source: CogSource, box: Box, signal?: AbortSignal) =>
    searches.get(`${source.alias} ${box.join()}`, signal, source, box)
  const items = remembering(ITEMS, (_key, signal, source: CogSource, id: string) => readItem(source, id, http, signal))
  /** What a list of files is made of, asked of each once. */
  const described = new Map<string, { footprint: Box; time: number | null }>()

  const describe = async (address: string) => {
    const { footprint, time } = await open.get(address, undefined)
    described.set(address, { footprint, time })
  }
  const findFiles = async (source: CogSource, box: Box): Promise<SourceImage[]> => {
    const ids = [...fileIds(source)]
    const unknown = ids.map(([, address]) => address).filter((address) => !described.has(address))
    for (let from = 0; from < unknown.length; from += OPEN_FILES)
      await Promise.all(unknown.slice(from, from + OPEN_FILES).map(describe))
    return ids
      .map(([imageId, address]) => ({ imageId, cloud: null, ...described.get(address)! }))
      .filter(({ footprint }) => boxesIntersect(footprint, box))
      .sort(byId)
  }

  const filesOf = async (
    source: CogSource,
    imageId: string,
    grid: PixelGrid,
    signal?: AbortSignal,
  ): Promise<ImageFiles[]> => {
    if (source.stac === null) {
      const address = fileIds(source).get(imageId)
      if (address === undefined)
        throw new ServiceError('image-gone', `${imageId} is no longer among the files of ${source.alias}.`, {
          retry: false,
          status: 404,
        })
      return [{ colours: [address], clouds: null }]
    }
    const name = imageId.slice(source.collection.length + 1)
    if (source.mosaic === 'item')
      return [assetsOf(source, await items.get(`${source.alias} ${name}`, signal, source, name))]
    const box = boxOfGrid(grid)
    const sheets = new Map<string, StacItem>()
    for (const tile of mapTilesOf(box)) {
      for (const each of await search(source, mapTileBox(tile), signal))
        if (periodOf(source, each) === name && boxesIntersect(each.footprint, box)) sheets.set(each.id, each)
    }
    return [...sheets.values()].sort((a, b) => (a.id > b.id ? -1 : 1)).map((each) => assetsOf(source, each))
  }

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
      if (!boxesIntersect(source.extent, box)) return []
      if (source.stac === null) return findFiles(source, box)
      const found = await search(source, box)
      if (source.mosaic === 'item') {
        return found.map(({ id, time, cloud, footprint }) => ({
          imageId: `${source.collection}/${id}`,
          time,
          cloud,
          footprint,
        }))
      }
      const periods = Map.groupBy(
        found.filter(({ time }) => time !== null),
        (each) => periodOf(source, each),
      )
      return [...periods].map(([period, sheets]) => mosaicOf(source, period, sheets)).sort(byId)
    },
    async pixels(source, imageId, grid, signal) {
      signal?.throwIfAborted()
      for (let attempt = 1; ; attempt++) {
        const files = await filesOf(source, imageId, grid, signal)
        const pixels = Buffer.alloc(grid.width * grid.height * 4)
        try {
          for (const each of files) {
            await draw(source, each, grid, pixels, signal)
            if (isFull(pixels)) break
          }
          return pixels
        } catch (error) {
          if (signal?.aborted) throw error
          // What a file that failed has in memory may be half of it, or of one that was replaced under way.
          for (const { colours, clouds } of files) {
            for (const address of [...colours, ...(clouds === null ? [] : [clouds])]) open.forget(address)
          }
          const isReplaced = error instanceof ServiceError && error.code === 'image-changed'
          if (!isReplaced || attempt === 2) throw error
        }
      }
    },
    stats: () => ({ ...http.stats }),
    close: () => http.close(),
  }
}

const byId = (a: SourceImage, b: SourceImage) => (a.imageId < b.imageId ? -1 : 1)

/**
 * Addresses of a list of files by image id: the file's name, or where two have one name, its path from where the paths
 * part. Neither tells where on a machine a file lies, nor what signed its URL.
 *
 * @throws InputError `ambiguous-files` where two addresses differ in their queries alone
 */
export function fileIds({ collection, files }: Pick<CogSource, 'collection' | 'files'>): Map<string, string> {
  const addresses = [...new Set(files)]
  const paths = addresses.map((file) => file.split('?')[0]!.split('/'))
  const names = new Set(paths.map((path) => path.at(-1)))
  let shared = 0
  if (names.size < paths.length) {
    const whole = new Set(paths.map((path) => path.join('/')))
    if (whole.size < paths.length)
      throw new InputError(
        'ambiguous-files',
        `The files of ${collection} have the same address up to its query; give each a name of its own.`,
      )
    while (paths.every((path) => path[shared] === paths[0]![shared])) shared++
  }
  return new Map(
    paths.map((path, i) => [
      `${collection}/${names.size < paths.length ? path.slice(shared).join('/') : path.at(-1)}`,
      addresses[i]!,
    ]),
  )
}

function assetsOf(source: CogSource, item: StacItem): ImageFiles {
  const { assets, cloudMask } = source
  return {
    colours: assets.map((asset) => assetOf(item, asset)),
    clouds: cloudMask === null ? null : assetOf(item, cloudMask.asset),
  }
}

/** The day or the year of an item, as its mosaic is called. */
function periodOf({ mosaic }: CogSource, { time }: StacItem): string {
  return time === null ? '' : new Date(time).toISOString().slice(0, mosaic === 'year' ? 4 : 10)
}

/** Its time is the begin of the day or year, the same for each part of the map. */
function mosaicOf({ collection }: CogSource, period: string, sheets: readonly StacItem[]): SourceImage {
  const side = (pick: (...values: number[]) => number, i: 0 | 1 | 2 | 3) =>
    pick(...sheets.map((each) => each.footprint[i]))
  const clouds = sheets.flatMap(({ cloud }) => (cloud === null ? [] : [cloud]))
  return {
    imageId: `${collection}/${period}`,
    time: Date.parse(`${period.length === 4 ? `${period}-01-01` : period}T00:00:00Z`),
    cloud: clouds.length === 0 ? null : Math.max(...clouds),
    footprint: [side(Math.min, 0), side(Math.min, 1), side(Math.max, 2), side(Math.max, 3)],
  }
}

function boxOfGrid({ west, north, width, height, degreesPerPixelX, degreesPerPixelY }: PixelGrid): Box {
  return [west, north - height * degreesPerPixelY, west + width * degreesPerPixelX, north]
}

/** Whether no pixel is left for another sheet to fill. */
function isFull(pixels: Buffer): boolean {
  for (let i = 3; i < pixels.length; i += 4) if (pixels[i] === PIXEL_STATE.masked) return false
  return true
}

/** Fills the pixels that no earlier sheet has filled. Stretched as Earth Engine's visualize does: 256 steps, cut to bytes. */
function paint(
  { range: [black, white], cloudMask }: CogSource,
  values: readonly Float32Array[],
  valid: readonly Uint8Array[],
  marks: Float32Array | null,
  pixels: Buffer,
): void {
  const cloudy = new Set(cloudMask?.values)
  const shown = (value: number) =>
    Math.max(0, Math.min(255, Math.floor(256 * Math.max(0, (value - black) / (white - black)))))
  const [red, green, blue] = values as [Float32Array, Float32Array, Float32Array]
  for (let i = 0; i < red.length; i++) {
    if (pixels[4 * i + 3] !== PIXEL_STATE.masked || !valid.every((each) => each[i] === 1)) continue
    pixels[4 * i] = shown(red[i]!)
    pixels[4 * i + 1] = shown(green[i]!)
    pixels[4 * i + 2] = shown(blue[i]!)
    const isBlack = red[i] === 0 && green[i] === 0 && blue[i] === 0
    pixels[4 * i + 3] =
      marks !== null && cloudy.has(marks[i]!) ? PIXEL_STATE.cloudy : isBlack ? PIXEL_STATE.black : PIXEL_STATE.clear
  }
}
