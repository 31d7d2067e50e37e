import type { Dice } from './dice.ts'
import type { MapBuilder } from './map-builder.ts'
import { along, band, blob, ellipse, type Point, parcel, type Ring, rectangle } from './shapes.ts'
import type { Crossing } from './streets.ts'

const RIVER_TOP = 4400
const RIVER_MOUTH = -1750
const REACH = 440

/** Where the river's middle is at a given y: it winds, but runs straight under the through road. */
export function riverAt(y: number): number {
  return 640 + 70 * Math.sin(y / 170) * Math.min(1, Math.abs(y) / 300) + 90 * Math.sin(y / 900)
}

export const RIVER_BRIDGE: Crossing = { west: 612, east: 668 }
export const LAKE = { x: 700, y: -2600, radiusX: 1350, radiusY: 950 } as const

/** River, brooks, canal and weir. */
export function drawRiver(map: MapBuilder, dice: Dice): void {
  const middle = (from: number, to: number) => along([0, from], [0, to], 40).map(([, y]): Point => [riverAt(y), y])
  for (let from = RIVER_TOP; from > RIVER_MOUTH; from -= REACH) {
    const to = Math.max(RIVER_MOUTH, from - REACH)
    map.line(middle(from, to), { waterway: 'river', name: 'Aa', width: '26' })
    map.area(band(middle(from, to), 26), { natural: 'water', water: 'river' })
  }
  for (const [x, y, length] of [
    [-1500, 2100, 1900],
    [2300, 900, 1500],
    [-900, -1300, 1300],
  ] as const) {
    const side = Math.sign(riverAt(y) - x)
    let spot: Point = [x, y]
    for (let piece = 0; piece < 3; piece++) {
      const end: Point = [spot[0] + (side * length) / 3, spot[1] - dice.between(40, 160)]
      const bend = along(spot, end, 70).map(([px, py], index): Point => [px, py + 18 * Math.sin(index * 1.1 + piece)])
      map.line([spot, ...bend.slice(1)], { waterway: 'stream', ...(dice.chance(0.4) ? { intermittent: 'yes' } : {}) })
      spot = bend.at(-1)!
    }
  }
  for (const y of [420, 760, 1100]) {
    map.line(along([riverAt(y) + 20, y], [riverAt(y) + 620, y - 30], 90), { waterway: dice.pick(['ditch', 'drain']) })
  }
  map.line(along([760, -420], [1280, -420], 120), { waterway: 'canal', width: '12' })
  for (const y of [640, -760]) {
    const weir: Point[] = [
      [riverAt(y) - 14, y],
      [riverAt(y) + 14, y],
    ]
    map.line(weir, { waterway: 'weir', material: 'concrete' })
  }
  const dam: Point[] = [
    [riverAt(2000) - 26, 2000],
    [riverAt(2000), 2004],
    [riverAt(2000) + 26, 2000],
  ]
  map.line(dam, { waterway: 'dam', material: 'concrete' })
}

/** The lake with its island, beach, harbour, reeds and lighthouse. */
export function drawLake(map: MapBuilder, dice: Dice): void {
  const { x, y, radiusX, radiusY } = LAKE
  const shore = blob(dice, [x, y], radiusX, radiusY, 0.08, 48)
  const island = blob(dice, [x - 300, y - 120], 190, 140, 0.15)
  map.multipolygon([shore], [island], { natural: 'water', water: 'lake', name: 'Lac d’Émeraude 🐟 بحيرة' })
  const islandWood = blob(dice, [x - 300, y - 120], 120, 90, 0.2)
  map.area(islandWood, { natural: 'wood', leaf_type: 'broadleaved' })
  const at = (index: number, out: number): Point => {
    const [sx, sy] = shore[index]!
    const length = Math.hypot(sx - x, sy - y)
    return [sx + ((sx - x) / length) * out, sy + ((sy - y) / length) * out]
  }
  map.area(shoreStrip(at, 6, 9, 0, 70), { natural: 'beach', surface: 'sand' })
  map.area(shoreStrip(at, 10, 11, 2, 45), { natural: 'beach', surface: 'pebblestone' })
  map.area(shoreStrip(at, 20, 23, -90, 90), { natural: 'wetland', wetland: 'reedbed' })
  map.area(shoreStrip(at, 25, 27, -10, 130), { natural: 'wetland', wetland: 'marsh' })
  map.area(shoreStrip(at, 28, 29, -30, 40), { natural: 'mud' })
  map.area(shoreStrip(at, 37, 39, 5, 110), { natural: 'sand' })
  map.area(shoreStrip(at, 41, 42, 2, 60), { natural: 'shingle' })
  drawHarbour(map, dice, at)
}

type ShorePoint = (index: number, out: number) => Point

function shoreStrip(at: ShorePoint, from: number, to: number, inner: number, outer: number): Ring {
  const indices = Array.from({ length: to - from + 1 }, (_, step) => from + step)
  return [...indices.map((index) => at(index, inner)), ...indices.reverse().map((index) => at(index, outer))]
}

function drawHarbour(map: MapBuilder, dice: Dice, at: ShorePoint): void {
  const [hx, hy] = at(14, 0)
  map.area(rectangle([hx, hy - 30], 170, 110), { leisure: 'marina' })
  map.area(rectangle([hx + 90, hy + 60], 130, 70), { landuse: 'harbour', industrial: 'port' })
  for (const dx of [-60, -30, 0, 30])
    map.line(along([hx + dx, hy + 20], [hx + dx, hy - 70], 45), { man_made: 'pier', floating: 'yes' })
  map.area(rectangle([hx + 70, hy - 30], 12, 78), { man_made: 'pier', surface: 'wood' })
  map.line(
    [
      [hx - 110, hy + 10],
      [hx - 120, hy - 80],
      [hx - 60, hy - 130],
      [hx + 20, hy - 140],
    ],
    { man_made: 'breakwater' },
  )
  map.line(along([hx + 120, hy - 20], [hx + 120, hy - 110], 45), { man_made: 'groyne' })
  map.point([hx + 20, hy - 140], { man_made: 'lighthouse' })
  map.area(rectangle([hx + 70, hy + 50], 34, 18), { building: 'boathouse' })
  map.area(rectangle([hx + 118, hy + 74], 46, 26), { building: 'warehouse' })
  map.line(along([hx - 40, hy + 25], [hx - 10, hy + 60], 30), { leisure: 'slipway', surface: 'concrete' })
  map.area(rectangle([hx - 120, hy + 90], 110, 88), { tourism: 'camp_site', name: 'Camping "Am See"' })
  map.area(rectangle([hx + 130, hy + 170], 44, 30), { amenity: 'parking', surface: 'gravel' })
  const [px, py] = at(4, 60)
  map.line(along([px, py], [px - 150, py + 260], 90), { highway: 'path', surface: 'ground' })
  map.area(ellipse([px + 90, py + 60], 12, 9, 14), { natural: 'water', water: 'pond' })
  for (let index = 0; index < 4; index++)
    map.point([hx - 150 + 20 * index, hy + 140 + dice.between(-6, 6)], { natural: 'tree' })
}

/** Ponds and reservoirs away from the river. */
export function drawPonds(map: MapBuilder, dice: Dice): void {
  map.area(parcel(dice, -2050, 1420, -1890, 1530, 6), { landuse: 'reservoir', natural: 'water', water: 'reservoir' })
  for (const [x, y, radius] of [
    [-1650, -1900, 26],
    [2050, 1500, 22],
    [-950, 1050, 30],
    [1750, -1050, 60],
    [-3300, 300, 75],
    [3350, -650, 130],
  ] as const) {
    map.area(blob(dice, [x, y], radius, radius * dice.between(0.7, 1), 0.15, 18), { natural: 'water', water: 'pond' })
  }
  map.area(rectangle([860, -640], 46, 30), { landuse: 'basin', basin: 'detention' })
}
