import type { Tags } from '@skyscript/core'
import type { Dice } from './dice.ts'
import type { MapBuilder } from './map-builder.ts'
import { along, type Point } from './shapes.ts'

/** The ground between four streets, up to the kerb; metres on the plan. */
export interface Block {
  readonly west: number
  readonly south: number
  readonly east: number
  readonly north: number
  /** Metres from the middle of the town. */
  readonly distance: number
}

/** Where the streets of the town's grid run: x of those that run north, y of those that run east. */
export interface Grid {
  readonly columns: readonly number[]
  readonly rows: readonly number[]
}

const COLUMN_SPACING = 122
const ROW_SPACING = 104
const COLUMNS = 9
const ROWS = 7
/** Half a street with its pavement. */
const KERB = 7

/** The middle street of each direction is the through road. */
const MIDDLE_COLUMN = 4
const MIDDLE_ROW = 3

export function layGrid(dice: Dice): Grid {
  const lines = (count: number, middle: number, spacing: number) =>
    Array.from({ length: count }, (_, index) =>
      index === middle ? 0 : (index - middle) * spacing + Math.round(dice.between(-7, 7)),
    )
  return { columns: lines(COLUMNS, MIDDLE_COLUMN, COLUMN_SPACING), rows: lines(ROWS, MIDDLE_ROW, ROW_SPACING) }
}

/** From the middle of the town outwards. */
export function blocksOf({ columns, rows }: Grid): Block[] {
  const blocks: Block[] = []
  for (let row = 0; row + 1 < rows.length; row++) {
    for (let column = 0; column + 1 < columns.length; column++) {
      const [west, east] = [columns[column]! + KERB, columns[column + 1]! - KERB]
      const [south, north] = [rows[row]! + KERB, rows[row + 1]! - KERB]
      blocks.push({ west, south, east, north, distance: Math.hypot((west + east) / 2, (south + north) / 2) })
    }
  }
  return blocks.sort((a, b) => a.distance - b.distance)
}

const NAMES = ['Lindenweg', 'Mühlegasse', 'Bahnhofstrasse', 'Rue du Lac', 'Kirchgasse', 'Via Stretta', 'Seestrasse']

/** The town's own streets: each line of the grid as two to four ways that share their crossings. */
export function drawStreets(map: MapBuilder, dice: Dice, { columns, rows }: Grid): void {
  for (const [index, x] of columns.entries()) {
    const spots = rows.map((y): Point => [x, y])
    drawPieces(map, dice, spots, [MIDDLE_ROW], streetTags(dice, Math.abs(index - MIDDLE_COLUMN)))
  }
  for (const [index, y] of rows.entries()) {
    const spots = columns.map((x): Point => [x, y])
    const tags = index === MIDDLE_ROW ? primary : streetTags(dice, Math.abs(index - MIDDLE_ROW))
    drawPieces(map, dice, spots, [2, MIDDLE_COLUMN, 6], tags)
  }
  for (const y of [rows[1]!, rows[4]!]) map.point([columns[2]!, y], { highway: 'crossing', crossing: 'zebra' })
  map.point([0, 0], { highway: 'traffic_signals' })
}

const primary: Tags = { highway: 'primary', lanes: '2', surface: 'asphalt', lit: 'yes', ref: 'H10', maxspeed: '50' }

function streetTags(dice: Dice, fromMiddle: number): Tags {
  if (fromMiddle === 0)
    return { highway: 'secondary', surface: 'asphalt', lanes: '2', lit: 'yes', name: dice.pick(NAMES) }
  if (fromMiddle === 2) return { highway: 'tertiary', surface: 'asphalt', sidewalk: 'both', name: dice.pick(NAMES) }
  if (fromMiddle === 1) return { highway: 'living_street', surface: 'paving_stones', name: dice.pick(NAMES) }
  return { highway: 'residential', surface: dice.pick(['asphalt', 'asphalt', 'gravel']), name: dice.pick(NAMES) }
}

function drawPieces(map: MapBuilder, dice: Dice, spots: readonly Point[], cuts: readonly number[], tags: Tags): void {
  const ends = [0, ...cuts, spots.length - 1]
  for (let piece = 0; piece + 1 < ends.length; piece++) {
    const own = dice.chance(0.15) && tags.highway !== 'primary' ? { ...tags, oneway: 'yes' } : tags
    map.line(spots.slice(ends[piece]!, ends[piece + 1]! + 1), own)
  }
}

/** Where the river crosses the through road, so that the bridge can be left for it. */
export interface Crossing {
  readonly west: number
  readonly east: number
}

/** The roads that leave the town: through road, motorway with its ramps, trunk road, lanes to the farms. */
export function drawRoads(map: MapBuilder, dice: Dice, { columns, rows }: Grid, river: Crossing): void {
  const [west, east] = [columns[0]!, columns.at(-1)!]
  const [south, north] = [rows[0]!, rows.at(-1)!]
  map.line(along([-4200, 0], [-1800, 0], 160), { ...primary, lit: 'no' })
  map.line(along([-1800, 0], [west, 0], 160), primary)
  map.line(along([east, 0], [river.west, 0], 160), primary)
  map.line(along([river.west, 0], [river.east, 0], 30), { ...primary, bridge: 'yes', layer: '1' })
  map.line(along([river.east, 0], [2400, 0], 160), primary)
  map.line(along([2400, 0], [4600, 0], 160), { highway: 'trunk', lanes: '2', surface: 'asphalt', ref: 'N12' })
  map.line(along([0, north], [0, 1500], 150), { highway: 'secondary', surface: 'asphalt', lanes: '2' })
  map.line(along([0, 1530], [0, 3800], 150), { highway: 'secondary', surface: 'asphalt' })
  map.line(
    [
      [0, 1500],
      [0, 1530],
    ],
    { highway: 'secondary', surface: 'asphalt', bridge: 'yes', layer: '1' },
  )
  map.line(along([0, south], [0, -1000], 150), { highway: 'secondary', surface: 'asphalt' })
  drawMotorway(map)
  for (const [index, [x, y]] of FARM_LANES.entries()) {
    map.line(along([Math.sign(x) * 1300, Math.sign(y) * 700], [x, y], 120), {
      highway: index % 2 === 0 ? 'unclassified' : 'tertiary',
      surface: 'asphalt',
      ...(dice.chance(0.5) ? { width: '4' } : {}),
    })
  }
  map.line(along([-1300, 0], [-1300, 700], 120), { highway: 'unclassified', surface: 'asphalt' })
  map.line(along([1300, 0], [1300, 700], 120), { highway: 'unclassified', surface: 'concrete' })
  map.line(along([-1300, 0], [-1300, -700], 120), { highway: 'unclassified', surface: 'asphalt' })
  map.line(along([1300, 0], [1300, -700], 120), { highway: 'unclassified', surface: 'asphalt' })
  map.line(along([west, 9], [-1290, 9], 90), { highway: 'cycleway', surface: 'asphalt', segregated: 'yes' })
  map.line(along([east, 9], [river.west, 9], 90), { highway: 'cycleway', surface: 'asphalt' })
}

/** Ends of the lanes that leave the ring road for the farms. */
export const FARM_LANES: readonly Point[] = [
  [-2900, 1200],
  [2600, 1150],
  [-2700, -1500],
  [2900, -1300],
]

function drawMotorway(map: MapBuilder): void {
  const freeway: Tags = {
    highway: 'motorway',
    oneway: 'yes',
    lanes: '2',
    surface: 'asphalt',
    maxspeed: '120',
    ref: 'A12',
  }
  const link: Tags = { highway: 'motorway_link', oneway: 'yes', surface: 'asphalt' }
  for (const [y, direction] of [
    [1508, 1],
    [1522, -1],
  ] as const) {
    const xs = [-4800, -2400, -300, 300, 2400, 4800].map((x) => x * direction)
    for (let piece = 0; piece + 1 < xs.length; piece++)
      map.line(along([xs[piece]!, y], [xs[piece + 1]!, y], 200), freeway)
  }
  map.line(
    [
      [-300, 1508],
      [-180, 1485],
      [-60, 1440],
      [0, 1400],
    ] as Point[],
    link,
  )
  map.line(
    [
      [0, 1400],
      [60, 1440],
      [180, 1485],
      [300, 1508],
    ] as Point[],
    link,
  )
  map.line(
    [
      [300, 1522],
      [180, 1545],
      [60, 1590],
      [0, 1630],
    ] as Point[],
    link,
  )
  map.line(
    [
      [0, 1630],
      [-60, 1590],
      [-180, 1545],
      [-300, 1522],
    ] as Point[],
    link,
  )
}
