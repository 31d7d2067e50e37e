import {
  type Box,
  boxOf,
  type Geometry,
  METRES_PER_DEGREE_LATITUDE,
  METRES_PER_DEGREE_LONGITUDE,
  type Position,
  radians,
  ServiceError,
  SkyscriptError,
} from '@skyscript/core'
import GeoTIFF, { type GeoTIFFImage } from 'geotiff'
import { type Projection, projectionOfKeys } from '../crs/projections.ts'
import { blocksOf, createUnpackedTiles, tagOf, type UnpackedTiles } from './blocks.ts'
import type { FileBytes } from './file-bytes.ts'
import { type Level, sampleLevel } from './sample-level.ts'

/** Maximum number of images per file: the image, its overviews, and a mask for each. */
const MOST_IMAGES = 64
/** An overview may be coarser than the requested GSD by this factor. */
const TOLERANCE = 1.05
/** Segments per side of a file; within each, its edge is taken to be straight in degrees. */
const EDGE_STEPS = 8

/** TIFF's tags, https://www.loc.gov/preservation/digital/formats/content/tiff_tags.shtml */
const NEW_SUBFILE_TYPE = 254
const REDUCED = 1
const MASK = 4
const COMPRESSION = 259
const JPEG = 7
const PHOTOMETRIC = 262
/** Unsupported colour spaces; the YCbCr of JPEGs is converted when they are unpacked. */
const OTHER_COLOURS: Readonly<Record<number, string>> = {
  3: 'a palette',
  6: 'YCbCr',
  8: 'CIELab',
  9: 'ICCLab',
  10: 'ITULab',
}
const INKS = 5
const INK_SET = 332
const CMYK = [1, 2, 3, 4]
const DATE_TIME = 306
const EXTRA_SAMPLES = 338
const NO_DATA = 42113
const PIXEL_SCALE = 33550
const TIE_POINTS = 33922
const TRANSFORMATION = 34264
/** Raster type whose values apply to points, not to areas: https://docs.ogc.org/is/19-008r4/19-008r4.html */
const PIXEL_IS_POINT = 2

/** An open GeoTIFF and its location. */
export interface GeotiffFile {
  readonly projection: Projection
  /** Bounds in degrees; if the file crosses 180 degrees, one bound is beyond it, so that west < east still holds. */
  readonly footprint: Box
  readonly outline: Geometry
  /** Milliseconds since 1970 UTC; null if the file doesn't say. */
  readonly time: number | null
  /** On the ground in its middle, m/pixel: of the longer side of a pixel. */
  readonly gsd: number
  /** Reads the centre pixel, to check that these bands are readable. */
  check(bands: readonly number[]): Promise<void>
  /**
   * Values at places in the file's coordinate system: the nearest pixel of the coarsest overview that is no coarser
   * than a GSD (m/pixel).
   *
   * @param bands counted from 1
   * @returns the values band by band, and whether there is data; values are 0 where there is none
   */
  valuesAt(
    places: { readonly x: Float64Array; readonly y: Float64Array },
    bands: readonly number[],
    gsd: number,
    signal?: AbortSignal,
  ): Promise<{ values: Float32Array[]; valid: Uint8Array }>
}

/** @throws ServiceError of status 400 if the file is not a GeoTIFF, damaged, or of an unsupported kind */
export async function openGeotiff(
  bytes: FileBytes,
  name: string,
  signal?: AbortSignal,
  tiles = createUnpackedTiles(),
): Promise<GeotiffFile> {
  return faultsOfFile(name, signal, async () => {
    // geotiff passes no signal on while it reads a header; later reads bring their own.
    let opening = signal
    const source = { ...bytes, fetch: ((slices, own) => bytes.fetch(slices, own ?? opening)) as FileBytes['fetch'] }
    const tiff = await GeoTIFF.fromSource(source as unknown as Parameters<typeof GeoTIFF.fromSource>[0])
    const images = await imagesOf(tiff)
    const [first] = images
    if (!first) throw new Error('it holds no image')
    const keys = (first.getGeoKeys() ?? {}) as Record<string, unknown>
    const projection = projectionOfKeys(keys, name)
    const { west, north, stepX, stepY } = placeOf(first, keys.GTRasterTypeGeoKey === PIXEL_IS_POINT)
    const levels = levelsOf(images, bytes, tiles, stepX, stepY)
    const full = levels[0]!
    const noData = noDataOf(first)
    // A text stored far from its directory is only read on demand.
    const time = timeOf(await first.getFileDirectory().loadValue(DATE_TIME))
    opening = undefined
    const colours = coloursOf(first)
    const alpha = alphaBand(first)
    const outline = outlineOf(projection, [west, north - full.height * stepY, west + full.width * stepX, north])
    const middle: Position = [west + (full.width / 2) * stepX, north - (full.height / 2) * stepY]
    const metresPerPixel = metresOf(projection, middle, stepY)

    return {
      projection,
      footprint: boxOf(outline),
      outline,
      time,
      gsd: Number(Math.max(metresPerPixel, widthOf(projection, middle, stepX)).toPrecision(4)),
      check: (bands) =>
        faultsOfFile(name, undefined, async () => {
          const { width, height, blockWidth, blockHeight, across } = full.image
          const column = Math.floor(width / 2 / blockWidth)
          await full.image.read(Math.floor(height / 2 / blockHeight) * across + column, colours.stored(bands))
        }),
      valuesAt: (places, bands, gsd, reading) =>
        faultsOfFile(name, reading, async () => {
          const level = levels.findLast(({ stepY }) => (metresPerPixel * stepY) / full.stepY <= gsd * TOLERANCE) ?? full
          const stored = colours.stored(bands)
          const { convert } = colours
          const opacity = alpha !== null && stored.includes(alpha) ? null : alpha
          const found = await sampleLevel(
            level,
            places,
            { west, north, turn: projection.turn, bands: stored, alpha: opacity, noData, convert },
            reading,
          )
          return { values: bands.map((band) => found.values[stored.indexOf(band)]!), valid: found.valid }
        }),
    }
  })
}

/** How to compute the requested bands from the stored ones. */
interface Colours {
  /** @throws Error that names an unsupported colour space */
  stored(bands: readonly number[]): readonly number[]
  readonly convert: ((values: Float64Array) => void) | null
}

function coloursOf(image: GeoTIFFImage): Colours {
  const kind = tagOf(image, PHOTOMETRIC, 1)
  const isJpeg = tagOf(image, COMPRESSION, 1) === JPEG
  if (kind === INKS && image.getSamplesPerPixel() >= CMYK.length) {
    return {
      stored(bands) {
        if (
          tagOf(image, INK_SET, 1) !== 1 ||
          image.getBitsPerSample() !== 8 ||
          bands.some((band) => band > CMYK.length)
        )
          throw new Error('its colours are inks other than CMYK of 8 bits')
        return CMYK
      },
      convert: toRgb,
    }
  }
  return {
    stored(bands) {
      const other = kind === INKS ? 'inks' : OTHER_COLOURS[kind]
      // A single band may be anything: a cloud mask often has a palette.
      if (bands.length > 1 && other !== undefined && !isJpeg) throw new Error(`its colours are ${other}`)
      return [...new Set(bands)]
    },
    convert: null,
  }
}

/** CMYK to RGBA (opaque), converted like libtiff. */
function toRgb(values: Float64Array): void {
  const light = 255 - values[3]!
  for (let i = 0; i < 3; i++) values[i] = Math.floor((light * (255 - values[i]!)) / 255)
  values[3] = 255
}

/** Parses `GDAL_NODATA`, a text; null if there is none. */
function noDataOf(image: GeoTIFFImage): number | null {
  const text = String(image.getFileDirectory().getValue(NO_DATA as never) ?? '')
    .replace(/\0.*$/s, '')
    .trim()
  return text === '' ? null : Number(text)
}

/** Turns parsing errors into an `image-damaged` error of the file, so that another image may be used. */
async function faultsOfFile<T>(name: string, signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    // geotiff collects the errors of several tiles.
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
  return images
}

/** North-west corner and pixel size, in the coordinate system's units; requires columns from west to east and rows from north to south. */
function placeOf(image: GeoTIFFImage, isPoint: boolean): Record<'west' | 'north' | 'stepX' | 'stepY', number> {
  const numbersOf = (tag: number) =>
    Array.from((image.getFileDirectory().getValue(tag as never) ?? []) as ArrayLike<number>)
  const scale = numbersOf(PIXEL_SCALE)
  const tie = numbersOf(TIE_POINTS)
  const matrix = numbersOf(TRANSFORMATION)
  let [stepX, stepY, west, north] = [Number.NaN, Number.NaN, Number.NaN, Number.NaN]
  if (scale.length >= 2 && tie.length >= 6) {
    const [column, line, , x, y] = tie as [number, number, number, number, number]
    ;[stepX, stepY] = scale as [number, number]
    west = x - column * stepX
    north = y + line * stepY
  } else if (matrix.length === 16) {
    if (matrix[1] !== 0 || matrix[4] !== 0) throw new Error('it is rotated; set it upright, for example with gdalwarp')
    ;[stepX, stepY, west, north] = [matrix[0]!, -matrix[5]!, matrix[3]!, matrix[7]!]
  }
  if (!(stepX > 0 && stepY > 0 && [west, north, stepX, stepY].every(Number.isFinite)))
    throw new Error("it doesn't say where it is, or its pixels don't run from west to east and north to south")
  const half = isPoint ? 0.5 : 0
  return { west: west - half * stepX, north: north + half * stepY, stepX, stepY }
}

/** The image and its overviews, finest first, each with its mask. */
function levelsOf(
  images: readonly GeoTIFFImage[],
  bytes: FileBytes,
  tiles: UnpackedTiles,
  stepX: number,
  stepY: number,
): Level[] {
  const kindOf = (image: GeoTIFFImage) => tagOf(image, NEW_SUBFILE_TYPE, 0)
  const first = images[0]!
  const masks = images.filter((image) => (kindOf(image) & MASK) !== 0)
  const pictures = images.filter(
    (image, i) => i === 0 || ((kindOf(image) & REDUCED) !== 0 && (kindOf(image) & MASK) === 0),
  )
  return pictures
    .map((image): Level => {
      const [width, height] = [image.getWidth(), image.getHeight()]
      const mask = masks.find((each) => each.getWidth() === width && each.getHeight() === height)
      return {
        image: blocksOf(image, bytes, tiles),
        mask: mask ? blocksOf(mask, bytes, tiles) : null,
        width,
        height,
        stepX: (stepX * first.getWidth()) / width,
        stepY: (stepY * first.getHeight()) / height,
      }
    })
    .sort((a, b) => b.width - a.width)
}

/**
 * Number of the alpha band, counted from 1; null if there is none. Only what the file declares as alpha: the fourth band
 * of many aerial images is infrared.
 */
function alphaBand(image: GeoTIFFImage): number | null {
  const extra = image.getFileDirectory().getValue(EXTRA_SAMPLES as never) as ArrayLike<number> | undefined
  if (!extra) return null
  const at = Array.from(extra).findIndex((kind) => kind === 1 || kind === 2)
  return at < 0 ? null : image.getSamplesPerPixel() - extra.length + at + 1
}

/**
 * The file's edge in degrees. Each longitude is unwrapped to be nearest to the previous one, so that a file that crosses
 * 180 degrees doesn't wrap around the Earth.
 */
function outlineOf({ inverse }: Projection, [west, south, east, north]: Box): Geometry {
  const steps = Array.from({ length: EDGE_STEPS }, (_, i) => i / EDGE_STEPS)
  const edge: Position[] = [
    ...steps.map((part): Position => [west + part * (east - west), south]),
    ...steps.map((part): Position => [east, south + part * (north - south)]),
    ...steps.map((part): Position => [east - part * (east - west), north]),
    ...steps.map((part): Position => [west, north - part * (north - south)]),
    [west, south],
  ]
  const ring: Position[] = []
  for (const place of edge) {
    const [x, y] = inverse(place)
    const turns = ring.length === 0 ? 0 : Math.round((ring.at(-1)![0] - x) / 360)
    ring.push([x + 360 * turns, y])
  }
  if (!ring.flat().every(Number.isFinite)) throw new Error('it is nowhere on the Earth')
  return { type: 'MultiPolygon', coordinates: [[ring]] }
}

/** North-south size of a pixel in metres, at a place in the coordinate system. */
function metresOf({ inverse }: Projection, [x, y]: Position, step: number): number {
  return Math.abs(inverse([x, y + step])[1] - inverse([x, y])[1]) * METRES_PER_DEGREE_LATITUDE
}

/** Length in metres of a pixel's upper side, at a place in the coordinate system. */
function widthOf({ inverse }: Projection, [x, y]: Position, step: number): number {
  const [[west, latitude], [east, to]] = [inverse([x, y]), inverse([x + step, y])]
  return Math.hypot(
    (east - west) * METRES_PER_DEGREE_LONGITUDE * Math.cos(radians(latitude)),
    (to - latitude) * METRES_PER_DEGREE_LATITUDE,
  )
}

/** `2021:08:21 10:20:31`, or with other separators, as some programs write it; taken as UTC. */
function timeOf(text: unknown): number | null {
  const match = /^(\d{4})[:/-](\d\d)[:/-](\d\d)[ T](\d\d):(\d\d):(\d\d)/.exec(String(text ?? ''))
  if (!match) return null
  const [, year, month, day, hour, minute, second] = match
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isFinite(time) ? time : null
}
