import { byKey } from '@skyscript/core'
import pMap from 'p-map'
import type { Blocks, BlockValues } from './blocks.ts'

/** Maximum pixels of tiles read for one grid: without overviews, a coarse grid needs many pixels of the file per output pixel. */
const MOST_WINDOW = 40_000_000
/** Limits on tiles unpacked at the same time: total bytes, and number. */
const MOST_AT_ONCE = 64 * 2 ** 20
const MOST_TILES_AT_ONCE = 64

/** A file's image or one of its overviews, in its coordinate system's units. */
export interface Level {
  readonly image: Blocks
  readonly mask: Blocks | null
  readonly width: number
  readonly height: number
  /** Pixel size in units of the coordinate system. */
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
  /** Difference in eastings of a full turn around the Earth; null if they don't repeat. */
  readonly turn: number | null
  /** Counted from 1. */
  readonly bands: readonly number[]
  /** The alpha band, counted from 1. */
  readonly alpha: number | null
  readonly noData: number | null
  /** Converts a pixel's values in place, indexed like `bands`, if the file stores another colour space. */
  readonly convert: ((values: Float64Array) => void) | null
}

export interface Samples {
  /** Band by band; 0 where there is no data. */
  readonly values: Float32Array[]
  /** 1 where there is data. */
  readonly valid: Uint8Array
}

/** Places grouped by the tile that contains them. */
interface Placed {
  readonly tiles: readonly { readonly number: number; readonly from: number; readonly to: number }[]
  /** Indices of places, grouped by tile. */
  readonly order: Int32Array
  /** The pixel of each place in its tile, counted row by row. */
  readonly pixels: Int32Array
}

/** Samples the nearest pixel at each place. */
export async function sampleLevel(
  level: Level,
  places: Places,
  reading: Reading,
  signal?: AbortSignal,
): Promise<Samples> {
  const { bands, alpha, noData, convert } = reading
  const count = places.x.length
  const samples: Samples = { values: bands.map(() => new Float32Array(count)), valid: new Uint8Array(count) }
  const wanted = alpha === null ? bands : [...bands, alpha]
  const pixel = new Float64Array(bands.length)
  await eachTile(level.image, level, places, reading, wanted, signal, (placed, { from, to }, block) => {
    for (let k = from; k < to; k++) {
      const place = placed.order[k]!
      const at = placed.pixels[place]!
      if (block !== null && alpha !== null && valueAt(block, bands.length, at) === 0) continue
      let nothing = 0
      for (let band = 0; band < bands.length; band++) {
        // A sparse (left-out) tile holds the nodata value, or 0.
        pixel[band] = block === null ? (noData ?? 0) : valueAt(block, band, at)
        if (isNothing(pixel[band]!, noData)) nothing++
      }
      if (nothing === bands.length || (block === null && alpha !== null)) continue
      convert?.(pixel)
      samples.valid[place] = 1
      for (let band = 0; band < bands.length; band++) samples.values[band]![place] = pixel[band]!
    }
  })
  if (level.mask === null) return samples
  await eachTile(level.mask, level, places, reading, [1], signal, (placed, { from, to }, block) => {
    for (let k = from; k < to; k++) {
      const place = placed.order[k]!
      if (block !== null && valueAt(block, 0, placed.pixels[place]!) !== 0) continue
      samples.valid[place] = 0
      for (const values of samples.values) values[place] = 0
    }
  })
  return samples
}

function valueAt({ step, bands }: BlockValues, band: number, pixel: number): number {
  const { numbers, from } = bands[band]!
  return numbers === null ? 0 : numbers[pixel * step + from]!
}

/** Reads the tiles under places, several at a time. */
async function eachTile(
  blocks: Blocks,
  level: Level,
  places: Places,
  reading: Reading,
  bands: readonly number[],
  signal: AbortSignal | undefined,
  use: (placed: Placed, tile: Placed['tiles'][number], block: BlockValues | null) => void,
): Promise<void> {
  const placed = placesByTile(blocks, level, places, reading)
  const pixels = placed.tiles.length * blocks.blockWidth * blocks.blockHeight
  if (placed.tiles.length > 1 && pixels > MOST_WINDOW)
    throw new Error(`${pixels} of its pixels are needed for one picture; it needs overviews`)
  const atOnce = Math.max(1, Math.min(MOST_TILES_AT_ONCE, Math.floor(MOST_AT_ONCE / blocks.bytesOf(bands))))
  const read = async (tile: Placed['tiles'][number]) => {
    signal?.throwIfAborted()
    use(placed, tile, await blocks.read(tile.number, bands, signal))
  }
  await pMap(placed.tiles, read, { concurrency: atOnce })
}

function placesByTile(
  { width, height, blockWidth, blockHeight, across }: Blocks,
  { stepX, stepY }: Level,
  { x, y }: Places,
  { west, north, turn }: Reading,
): Placed {
  const numbers = new Int32Array(x.length).fill(-1)
  const pixels = new Int32Array(x.length)
  const counts = new Map<number, { count: number }>()
  let last = { number: -1, counted: { count: 0 } }
  for (let i = 0; i < x.length; i++) {
    // A file may cross 180 degrees on either side.
    const turns = turn === null ? 0 : Math.floor((x[i]! - west) / turn)
    const east = turns === 0 ? x[i]! : x[i]! - turns * turn!
    const column = Math.floor((east - west) / stepX)
    const line = Math.floor((north - y[i]!) / stepY)
    if (!(column >= 0 && column < width && line >= 0 && line < height)) continue
    const number = Math.floor(line / blockHeight) * across + Math.floor(column / blockWidth)
    numbers[i] = number
    pixels[i] = (line % blockHeight) * blockWidth + (column % blockWidth)
    // Neighbouring places are mostly in the same tile.
    if (number !== last.number) {
      const counted = counts.get(number) ?? { count: 0 }
      counts.set(number, counted)
      last = { number, counted }
    }
    last.counted.count++
  }
  let end = 0
  const tiles = [...counts].sort(byKey).map(([number, { count }]) => {
    end += count
    return { number, from: end - count, to: end }
  })
  const next = new Map(tiles.map((tile) => [tile.number, { at: tile.from }]))
  const order = new Int32Array(end)
  let [lastNumber, place] = [-1, { at: 0 }]
  for (let i = 0; i < x.length; i++) {
    const number = numbers[i]!
    if (number === -1) continue
    if (number !== lastNumber) [lastNumber, place] = [number, next.get(number)!]
    order[place.at++] = i
  }
  return { tiles, order, pixels }
}

/** NaN means no data, whether the file says so or not. */
const isNothing = (value: number, noData: number | null): boolean =>
  Number.isNaN(value) || (noData !== null && (value === noData || value === Math.fround(noData)))
