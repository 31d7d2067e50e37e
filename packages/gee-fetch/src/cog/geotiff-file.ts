import { type Box, METRES_PER_DEGREE_LATITUDE, type Position, ServiceError, SkyscriptError } from '@skyscript/core'
import GeoTIFF, { type GeoTIFFImage } from 'geotiff'
import { MOST_TILE_BYTES, registerDecoders } from './decoders.ts'
import type { FileBytes } from './file-bytes.ts'
import { type Projection, projectionOf } from './projections.ts'

/** Images of a file at most: itself, its overviews, and a mask of each. */
const MOST_IMAGES = 64
/** Pixels that are read at once at most: where a file has no overviews, its own are many for each that is wanted. */
const MOST_WINDOW = 40_000_000
/** An overview may be so much coarser than what is asked for. */
const TOLERANCE = 1.05

/** TIFF's tags, https://www.loc.gov/preservation/digital/formats/content/tiff_tags.shtml */
const NEW_SUBFILE_TYPE = 254
const REDUCED = 1
const MASK = 4
const DATE_TIME = 306
const EXTRA_SAMPLES = 338
/** What a value of a pixel's corner or middle: https://docs.ogc.org/is/19-008r4/19-008r4.html */
const PIXEL_IS_POINT = 2

interface Level {
  readonly image: GeoTIFFImage
  readonly mask: GeoTIFFImage | null
  readonly width: number
  readonly height: number
  /** Units of the coordinate system a pixel. */
  readonly stepX: number
  readonly stepY: number
}

/** A GeoTIFF with its place on the Earth. */
export interface GeotiffFile {
  readonly projection: Projection
  /** Bounds in degrees. */
  readonly footprint: Box
  /** Milliseconds since 1970 UTC; null where the file doesn't say. */
  readonly time: number | null
  /** Reads the pixel in the middle, to know that these bands can be read. */
  check(bands: readonly number[]): Promise<void>
  /**
   * Values at places of the file's coordinate system: the nearest pixel of the coarsest overview that is no coarser
   * than a GSD (m/pixel).
   *
   * @param bands from 1
   * @returns the values band after band, and whether there is data; values are 0 where there is none
   */
  valuesAt(
    places: { readonly x: Float64Array; readonly y: Float64Array },
    bands: readonly number[],
    gsd: number,
    signal?: AbortSignal,
  ): Promise<{ values: Float32Array[]; valid: Uint8Array }>
}

/** @throws ServiceError of status 400 where the file is none, damaged, or of a kind that isn't read here */
export async function openGeotiff(bytes: FileBytes, name: string, signal?: AbortSignal): Promise<GeotiffFile> {
  registerDecoders()
  return faultsOfFile(name, signal, async () => {
    const tiff = await GeoTIFF.fromSource(bytes as Parameters<typeof GeoTIFF.fromSource>[0], undefined, signal)
    const images = await imagesOf(tiff)
    const [first] = images
    if (!first) throw new Error('it holds no image')
    const keys = (first.getGeoKeys() ?? {}) as Record<string, unknown>
    const epsg = Number(keys.ProjectedCSTypeGeoKey ?? keys.GeographicTypeGeoKey ?? 0)
    const projection = projectionOf(epsg, name)
    const [originX, originY] = first.getOrigin() as [number, number]
    const [resolutionX, resolutionY] = first.getResolution() as [number, number]
    if (!(resolutionX > 0 && resolutionY < 0)) throw new Error('its lines do not run from west to east, north to south')
    const half = keys.GTRasterTypeGeoKey === PIXEL_IS_POINT ? 0.5 : 0
    const west = originX - half * resolutionX
    const north = originY - half * resolutionY
    const levels = levelsOf(images, resolutionX, -resolutionY)
    const full = levels[0]!
    const noData = first.getGDALNoData()
    const alpha = alphaBand(first)
    const footprint = footprintOf(projection, [
      west,
      north + full.height * resolutionY,
      west + full.width * resolutionX,
      north,
    ])
    const metresPerPixel = metresOf(
      projection,
      [west + (full.width / 2) * resolutionX, north + (full.height / 2) * resolutionY],
      resolutionY,
    )

    return {
      projection,
      footprint,
      time: timeOf(first.getFileDirectory().getValue(DATE_TIME as never)),
      check: (bands) =>
        faultsOfFile(name, undefined, async () => {
          const [x, y] = [full.width >> 1, full.height >> 1]
          await first.readRasters({ window: [x, y, x + 1, y + 1], samples: bands.map((band) => band - 1) })
        }),
      valuesAt: (places, bands, gsd, reading) =>
        faultsOfFile(name, reading, async () => {
          const level = levels.findLast(({ stepY }) => (metresPerPixel * stepY) / full.stepY <= gsd * TOLERANCE) ?? full
          return sample(level, places, { west, north, bands, alpha, noData }, reading)
        }),
    }
  })
}

/** What goes wrong while a file is taken apart is the file's fault; another image may do. */
async function faultsOfFile<T>(name: string, signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    // geotiff gathers what went wrong with several tiles.
    const own = error instanceof AggregateError ? error.errors[0] : error
    if (own instanceof SkyscriptError) throw own
    const why = own instanceof Error ? own.message : String(own)
    throw new ServiceError('image-damaged', `${name} can't be read as a GeoTIFF (${why.slice(0, 120)}).`, {
      retry: false,
      status: 400,
      cause: error,
    })
  }
}

async function imagesOf(tiff: GeoTIFF): Promise<GeoTIFFImage[]> {
  const images: GeoTIFFImage[] = []
  while (images.length < MOST_IMAGES) {
    try {
      images.push(await tiff.getImage(images.length))
    } catch (error) {
      if (error instanceof SkyscriptError || images.length === 0) throw error
      break
    }
  }
  for (const image of images) {
    const [width, height] = [image.getTileWidth(), image.getTileHeight()]
    const size = width * height * Math.max(1, image.getBytesPerPixel())
    if (!(width > 0 && height > 0 && size <= MOST_TILE_BYTES)) throw new Error(`its tiles are ${width} x ${height}`)
    if (!(image.getWidth() > 0 && image.getHeight() > 0)) throw new Error('it has no size')
  }
  return images
}

/** The image and its overviews, finest first, each with its mask. */
function levelsOf(images: readonly GeoTIFFImage[], stepX: number, stepY: number): Level[] {
  const kindOf = (image: GeoTIFFImage) => Number(image.getFileDirectory().getValue(NEW_SUBFILE_TYPE as never) ?? 0)
  const first = images[0]!
  const masks = images.filter((image) => (kindOf(image) & MASK) !== 0)
  const pictures = images.filter(
    (image, i) => i === 0 || ((kindOf(image) & REDUCED) !== 0 && (kindOf(image) & MASK) === 0),
  )
  return pictures
    .map((image): Level => {
      const [width, height] = [image.getWidth(), image.getHeight()]
      const mask = masks.find((each) => each.getWidth() === width && each.getHeight() === height) ?? null
      return {
        image,
        mask,
        width,
        height,
        stepX: (stepX * first.getWidth()) / width,
        stepY: (stepY * first.getHeight()) / height,
      }
    })
    .sort((a, b) => b.width - a.width)
}

/** Number of the band of opacity, from 1; null without one. */
function alphaBand(image: GeoTIFFImage): number | null {
  const extra = image.getFileDirectory().getValue(EXTRA_SAMPLES as never) as ArrayLike<number> | undefined
  if (!extra) return null
  const at = Array.from(extra).findIndex((kind) => kind === 1 || kind === 2)
  return at < 0 ? null : image.getSamplesPerPixel() - extra.length + at + 1
}

function footprintOf({ inverse }: Projection, [west, south, east, north]: Box): Box {
  const corners: Position[] = []
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const [x, y] = [west + part * (east - west), south + part * (north - south)]
    corners.push(inverse([x, south]), inverse([x, north]), inverse([west, y]), inverse([east, y]))
  }
  const [longitudes, latitudes] = [corners.map(([x]) => x), corners.map(([, y]) => y)]
  const box: Box = [Math.min(...longitudes), Math.min(...latitudes), Math.max(...longitudes), Math.max(...latitudes)]
  if (!box.every(Number.isFinite)) throw new Error('it lies nowhere on the Earth')
  return box
}

/** Metres from south to north of a pixel at a place of the coordinate system. */
function metresOf({ inverse }: Projection, [x, y]: Position, step: number): number {
  return Math.abs(inverse([x, y + step])[1] - inverse([x, y])[1]) * METRES_PER_DEGREE_LATITUDE
}

/** `2021:08:21 10:20:31`, taken for UTC. */
function timeOf(text: unknown): number | null {
  const match = /^(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)/.exec(String(text ?? ''))
  if (!match) return null
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

interface Reading {
  readonly west: number
  readonly north: number
  readonly bands: readonly number[]
  readonly alpha: number | null
  readonly noData: number | null
}

async function sample(
  { image, mask, width, height, stepX, stepY }: Level,
  { x, y }: { readonly x: Float64Array; readonly y: Float64Array },
  { west, north, bands, alpha, noData }: Reading,
  signal?: AbortSignal,
): Promise<{ values: Float32Array[]; valid: Uint8Array }> {
  const count = x.length
  // -1 for places outside of the file.
  const columns = new Int32Array(count)
  const lines = new Int32Array(count)
  let [left, top, right, bottom] = [width, height, 0, 0]
  for (let i = 0; i < count; i++) {
    const column = Math.floor((x[i]! - west) / stepX)
    const line = Math.floor((north - y[i]!) / stepY)
    const isIn = column >= 0 && column < width && line >= 0 && line < height
    columns[i] = isIn ? column : -1
    lines[i] = line
    if (!isIn) continue
    left = Math.min(left, column)
    right = Math.max(right, column + 1)
    top = Math.min(top, line)
    bottom = Math.max(bottom, line + 1)
  }
  const values = bands.map(() => new Float32Array(count))
  const valid = new Uint8Array(count)
  if (left >= right) return { values, valid }
  const pixels = (right - left) * (bottom - top)
  if (pixels > MOST_WINDOW) throw new Error(`${pixels} of its pixels are needed at once; it needs overviews`)
  const window = [left, top, right, bottom]
  const wanted = alpha === null ? bands : [...bands, alpha]
  const samples = wanted.map((band) => band - 1)
  const read = await image.readRasters({ window, samples, interleave: false, ...(signal && { signal }) })
  const opaque = mask === null ? null : await mask.readRasters({ window, samples: [0], ...(signal && { signal }) })
  const isMasked = (at: number): boolean =>
    (opaque !== null && opaque[0]![at] === 0) ||
    (alpha !== null && read[bands.length]![at] === 0) ||
    (noData !== null && bands.every((_, band) => isNoData(read[band]![at]!, noData)))
  for (let i = 0; i < count; i++) {
    if (columns[i] === -1) continue
    const at = (lines[i]! - top) * (right - left) + columns[i]! - left
    if (isMasked(at)) continue
    valid[i] = 1
    for (let band = 0; band < bands.length; band++) values[band]![i] = read[band]![at]!
  }
  return { values, valid }
}

const isNoData = (value: number, noData: number): boolean =>
  value === noData || Number.isNaN(value) || value === Math.fround(noData)
