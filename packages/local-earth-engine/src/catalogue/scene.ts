import type { Box, Position, SourceAlias } from '@skyscript/core'
import { fraction } from '../hash.ts'
import type { PixelTypeValue, Value } from '../values.ts'

/** What an instrument and its processing do to a picture. */
export interface Sensor {
  /** Factors of red, green and blue. */
  readonly cast: readonly [number, number, number]
  /** Share of the light that is haze, on a usual day. */
  readonly haze: number
  /** Standard deviation of the noise, of 255. */
  readonly noise: number
  /** 1 leaves contrast as it is. */
  readonly contrast: number
  /** Digital numbers or reflectances that stand for black and white. */
  readonly range: readonly [number, number]
}

export interface SceneBand {
  readonly name: string
  readonly type: PixelTypeValue
  readonly shows: Shows
}

/** What of the drawn scene a band holds. */
export type Shows =
  | 'red'
  | 'green'
  | 'blue'
  | 'infrared'
  | 'shortwave'
  | 'thermal'
  | 'clouds'
  | 'landsat-quality'
  | 'scene-class'

/** One image of a collection. */
export interface Scene {
  readonly source: SceneSource
  /** `system:index`, the last part of the image's id. */
  readonly index: string
  /** Convex, closed, counter-clockwise. Outside of it there is no data. */
  readonly footprint: readonly Position[]
  /** Milliseconds since 1970 UTC; null where the source has no time. */
  readonly time: number | null
  readonly timeEnd: number | null
  readonly properties: readonly (readonly [string, Value])[]
  readonly gsd: number
  readonly bands: readonly SceneBand[]
  /** Share of the scene under clouds, 0 to 1. */
  readonly clouds: number
  /** Where a mosaic has no data within its footprint. */
  isGap?(longitude: number, latitude: number): boolean
}

/** A collection (or single image) of the catalogue, and how its images lie on the Earth. */
export interface SceneSource {
  readonly alias: SourceAlias
  readonly id: string
  readonly type: 'IMAGE_COLLECTION' | 'IMAGE'
  readonly title: string
  readonly gsd: number
  readonly extent: Box
  /** First and last possible `system:time_start`, milliseconds since 1970 UTC; the end is excluded. */
  readonly start: number
  readonly end: number
  readonly sensor: Sensor
  readonly bands: readonly SceneBand[]
  /** Scenes that may meet a box and start in [from, to), in any order; some may not meet it. */
  scenes(box: Box, from: number, to: number): Iterable<Scene>
  /** The scene with an index; null where there is none. */
  scene(index: string): Scene | null
}

/** The catalogue ends here, so that the same query has the same answer on every day. */
export const CATALOGUE_END = Date.UTC(2026, 0, 1)

export const DAY = 86_400_000

/** Counter-clockwise ring of a box. */
export function boxRing([west, south, east, north]: Box): Position[] {
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ]
}

/** The part of a box inside an extent, or null. */
export function clipBox(box: Box, extent: Box): Box | null {
  const clipped: Box = [
    Math.max(box[0], extent[0]),
    Math.max(box[1], extent[1]),
    Math.min(box[2], extent[2]),
    Math.min(box[3], extent[3]),
  ]
  return clipped[0] <= clipped[2] && clipped[1] <= clipped[3] ? clipped : null
}

/** Cells (column, row) of a grid from 0, 0 that a box touches; west to east, south to north. */
export function* gridCells(
  [west, south, east, north]: Box,
  width: number,
  height: number,
): Generator<[number, number]> {
  for (let row = Math.floor(south / height); row <= Math.floor(north / height); row++) {
    for (let column = Math.floor(west / width); column <= Math.floor(east / width); column++) yield [column, row]
  }
}

export const digits = (value: number, length: number): string => String(value).padStart(length, '0')

/** `20210821`, or with a time `20210821T102031`. */
export function compactDate(ms: number, part: 'day' | 'second'): string {
  const text = new Date(ms).toISOString().replace(/[-:]/g, '')
  return text.slice(0, part === 'day' ? 8 : 15)
}

/** A third of all passes is nearly clear, a third nearly covered. */
export function cloudShare(seed: number): number {
  const day = fraction(seed, 77)
  const within = fraction(seed, 78)
  if (day < 0.3) return 0.03 * within
  if (day < 0.65) return 0.03 + 0.57 * within
  return 0.6 + 0.4 * within
}
