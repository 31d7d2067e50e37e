import { readFileSync } from 'node:fs'
import type { Box, Position, SourceAlias } from '@skyscript/core'
import { fraction } from '../draw/hash.ts'
import type * as drawn from '../draw/scene.ts'

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

/** How a band's values are stored. */
export type BandType = 'uint8' | 'uint16' | 'uint32' | 'float'

/** A band of a scene. */
export interface SceneBand {
  readonly name: string
  readonly type: BandType
  readonly shows: Shows
}

/** What collections.json says of a collection. */
export interface Collection {
  readonly alias: SourceAlias
  readonly id: string
  readonly title: string
  readonly gsd: number
  readonly extent: Box
  /** First and last possible `system:time_start`, milliseconds since 1970 UTC; the end is excluded. */
  readonly start: number
  readonly end: number
  readonly aerial: boolean
  readonly sensor: drawn.Sensor
  /** Digital numbers or reflectances that stand for black and white. */
  readonly range: readonly [black: number, white: number]
  readonly bands: readonly SceneBand[]
}

/** A collection (or single image) of the catalogue, with its images. */
export interface SceneSource extends Collection {
  readonly type: 'IMAGE_COLLECTION' | 'IMAGE'
  /** Scenes that may meet a box and start in [from, to), in any order; some may not meet it. */
  scenes(box: Box, from: number, to: number): Iterable<Scene>
  /** The scene with an index; null where there is none. */
  scene(index: string): Scene | null
}

/** One image of a collection. */
export interface Scene extends drawn.Scene {
  readonly source: SceneSource
  readonly timeEnd: number | null
  readonly properties: readonly (readonly [name: string, value: string | number])[]
  readonly bands: readonly SceneBand[]
}

interface Entry extends Omit<Collection, 'start' | 'end' | 'bands'> {
  readonly start: string
  readonly end: string
  /** Type of the bands that name none: `"B4": "red"`, `"QA_PIXEL": "landsat-quality uint16"`. */
  readonly type: BandType
  readonly bands: Readonly<Record<string, string>>
}

const ENTRIES: readonly Entry[] = JSON.parse(readFileSync(new URL('./collections.json', import.meta.url), 'utf8'))

/** What collections.json says of an alias. */
export function collectionOf(alias: SourceAlias): Collection {
  const { type, bands, ...entry } = ENTRIES.find((each) => each.alias === alias)!
  return {
    ...entry,
    start: Date.parse(entry.start),
    end: Date.parse(entry.end),
    bands: Object.entries(bands).map(([name, text]): SceneBand => {
      const [shows, own = type] = text.split(' ')
      return { name, shows: shows as Shows, type: own as BandType }
    }),
  }
}

/** Milliseconds. */
export const DAY = 86_400_000

/** Counter-clockwise closed ring of a box. */
export const boxRing = ([west, south, east, north]: Box): Position[] =>
  [[west, south], [east, south], [east, north], [west, north], [west, south]] // biome-ignore format: one ring

/** The part of a box inside an extent, or null. */
export function clipBox([west, south, east, north]: Box, extent: Box): Box | null {
  const clipped: Box = [
    Math.max(west, extent[0]),
    Math.max(south, extent[1]),
    Math.min(east, extent[2]),
    Math.min(north, extent[3]),
  ]
  return clipped[0] <= clipped[2] && clipped[1] <= clipped[3] ? clipped : null
}

/** Cells (column, row) of a grid from 0, 0 that a box touches; west to east, south to north. */
export function* gridCells(
  [west, south, east, north]: Box,
  width: number,
  height: number,
): Generator<[column: number, row: number]> {
  for (let row = Math.floor(south / height); row <= Math.floor(north / height); row++) {
    for (let column = Math.floor(west / width); column <= Math.floor(east / width); column++) yield [column, row]
  }
}

/** A number with leading zeros. */
export const digits = (value: number, length: number): string => String(value).padStart(length, '0')

/** `20210821`, or with a time `20210821T102031`. */
export function compactDate(ms: number, part: 'day' | 'second'): string {
  const text = new Date(ms).toISOString().replace(/[-:]/g, '')
  return text.slice(0, part === 'day' ? 8 : 15)
}

/** The share of a scene under clouds: a third of all passes is nearly clear, a third nearly covered. */
export function cloudShare(seed: number): number {
  const day = fraction(seed, 77)
  const within = fraction(seed, 78)
  if (day < 0.3) return 0.03 * within
  if (day < 0.65) return 0.03 + 0.57 * within
  return 0.6 + 0.4 * within
}
