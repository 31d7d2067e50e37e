import type { GeoTIFFImage } from 'geotiff'

/** Pixels that are read for one grid at most: where a file has no overviews, its own are many for each that is wanted. */
const MOST_WINDOW = 40_000_000
/** Bytes of tiles that are unpacked at once at most, and their number; a grid that needs more is read part by part. */
const MOST_AT_ONCE = 64 * 2 ** 20
const MOST_TILES = 4096

/** A file's image or one of its overviews, in its coordinate system's units. */
export interface Level {
  readonly image: GeoTIFFImage
  readonly mask: GeoTIFFImage | null
  readonly width: number
  readonly height: number
  /** Units of the coordinate system a pixel. */
  readonly stepX: number
  readonly stepY: number
}

/** Eastings and northings. */
export interface Places {
  readonly x: Float64Array
  readonly y: Float64Array
}

export interface Reading {
  /** The level's north-west corner. */
  readonly west: number
  readonly north: number
  /** From 1. */
  readonly bands: readonly number[]
  /** The band of opacity, from 1. */
  readonly alpha: number | null
  readonly noData: number | null
}

export interface Samples {
  /** Band after band; 0 where there is no data. */
  readonly values: Float32Array[]
  /** 1 where there is data. */
  readonly valid: Uint8Array
}

/** Columns and lines of a level: the first ones, and those after the last. */
type Window = [left: number, top: number, right: number, bottom: number]

/** The pixel at each place. */
export async function sampleLevel(
  level: Level,
  { x, y }: Places,
  reading: Reading,
  signal?: AbortSignal,
): Promise<Samples> {
  const { width, height, stepX, stepY } = level
  const count = x.length
  // -1 for places outside of the file.
  const columns = new Int32Array(count)
  const lines = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const column = Math.floor((x[i]! - reading.west) / stepX)
    const line = Math.floor((reading.north - y[i]!) / stepY)
    const isIn = column >= 0 && column < width && line >= 0 && line < height
    columns[i] = isIn ? column : -1
    lines[i] = isIn ? line : -1
  }
  const samples: Samples = { values: reading.bands.map(() => new Float32Array(count)), valid: new Uint8Array(count) }
  const all = windowOf(columns, lines, 0, count)
  if (all === null) return samples
  const pixels = (all[2] - all[0]) * (all[3] - all[1])
  if (pixels > MOST_WINDOW) throw new Error(`${pixels} of its pixels are needed for one picture; it needs overviews`)

  /** Places one after another, whole or by halves. */
  const take = async (from: number, to: number): Promise<void> => {
    const window = windowOf(columns, lines, from, to)
    if (window === null) return
    signal?.throwIfAborted()
    if (to - from > 1 && isTooMuch(level.image, window, reading.bands.length)) {
      const middle = (from + to) >> 1
      await take(from, middle)
      return take(middle, to)
    }
    await readWindow(level, window, reading, signal, (read, isMasked) => {
      for (let i = from; i < to; i++) {
        if (columns[i] === -1) continue
        const at = (lines[i]! - window[1]) * (window[2] - window[0]) + columns[i]! - window[0]
        if (isMasked(at)) continue
        samples.valid[i] = 1
        for (const [band, values] of samples.values.entries()) values[i] = read[band]![at]!
      }
    })
  }
  await take(0, count)
  return samples
}

/** null where none of the places is in the file. */
function windowOf(columns: Int32Array, lines: Int32Array, from: number, to: number): Window | null {
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0]
  for (let i = from; i < to; i++) {
    if (columns[i] === -1) continue
    left = Math.min(left, columns[i]!)
    right = Math.max(right, columns[i]! + 1)
    top = Math.min(top, lines[i]!)
    bottom = Math.max(bottom, lines[i]! + 1)
  }
  return left < right ? [left, top, right, bottom] : null
}

function isTooMuch(image: GeoTIFFImage, [left, top, right, bottom]: Window, bands: number): boolean {
  const [width, height] = [image.getTileWidth(), image.getTileHeight()]
  const across = Math.ceil(right / width) - Math.floor(left / width)
  const down = Math.ceil(bottom / height) - Math.floor(top / height)
  // Planes lie apart, or they are unpacked together: at most all of them either way.
  const bytes = across * width * down * height * image.getBytesPerPixel()
  return across * down > 1 && (bytes > MOST_AT_ONCE || across * down * bands > MOST_TILES)
}

async function readWindow(
  { image, mask }: Level,
  window: Window,
  { bands, alpha, noData }: Reading,
  signal: AbortSignal | undefined,
  use: (read: readonly ArrayLike<number>[], isMasked: (at: number) => boolean) => void,
): Promise<void> {
  const wanted = alpha === null ? bands : [...bands, alpha]
  const samples = wanted.map((band) => band - 1)
  const options = { window, interleave: false as const, ...(signal && { signal }) }
  const [read, opaque] = await Promise.all([
    image.readRasters({ ...options, samples }),
    mask?.readRasters({ ...options, samples: [0] }),
  ])
  use(read, (at) => {
    if (opaque && opaque[0]![at] === 0) return true
    if (alpha !== null && read[bands.length]![at] === 0) return true
    let nothing = 0
    for (let band = 0; band < bands.length; band++) if (isNothing(read[band]![at]!, noData)) nothing++
    return nothing === bands.length
  })
}

/** Floats that are no number stand for nothing, whether the file says so or not. */
const isNothing = (value: number, noData: number | null): boolean =>
  Number.isNaN(value) || (noData !== null && (value === noData || value === Math.fround(noData)))
