import type { Tags } from '@skyscript/core'
import type { Dice } from './dice.ts'
import { plantTree } from './homes.ts'
import type { MapBuilder } from './map-builder.ts'
import { along, blob, ellipse, type Point, parcel, rectangle } from './shapes.ts'
import { FARM_LANES } from './streets.ts'
import { LAKE, riverAt } from './water.ts'

const PARCEL_WIDTH = 330
const PARCEL_HEIGHT = 250

/** Land that other parts of the plan use: west, south, east, north in metres. */
const TAKEN: readonly (readonly [number, number, number, number])[] = [
  [-600, -520, 600, 400],
  [680, -800, 1600, 720],
  [-600, -1000, -400, -400],
  [-2150, -1000, -1330, -420],
  [-2700, -2900, -1400, -2200],
  [1450, 380, 1950, 740],
  [1750, 2280, 3300, 2780],
  [-5000, 1400, 5000, 1640],
  [-5000, -480, 5000, -380],
]

function isFree(west: number, south: number, east: number, north: number): boolean {
  if (TAKEN.some(([w, s, e, n]) => west < e && east > w && south < n && north > s)) return false
  const [x, y] = [(west + east) / 2, (south + north) / 2]
  if (Math.abs(riverAt(y) - x) < PARCEL_WIDTH / 2 + 60 && y > -1800) return false
  if (Math.hypot((x - LAKE.x) / (LAKE.radiusX + 330), (y - LAKE.y) / (LAKE.radiusY + 300)) < 1) return false
  return FARM_LANES.every(([fx, fy]) => Math.hypot(fx - x, fy - y) > 170)
}

const GROUND: readonly Tags[] = [
  { landuse: 'farmland', crop: 'wheat' },
  { landuse: 'farmland', crop: 'rapeseed' },
  { landuse: 'farmland', crop: 'maize' },
  { landuse: 'farmland' },
  { landuse: 'farmland', crop: 'sugar_beet' },
  { landuse: 'meadow' },
  { landuse: 'meadow', meadow: 'agricultural' },
  { landuse: 'orchard', trees: 'apple_trees' },
  { landuse: 'vineyard', crop: 'grape' },
  { natural: 'scrub' },
  { landuse: 'forest', leaf_type: 'needleleaved' },
  { natural: 'wood', leaf_type: 'mixed' },
  { natural: 'grassland' },
  { landuse: 'greenhouse_horticulture' },
  { landuse: 'plant_nursery' },
  { natural: 'heath' },
]

/** A patchwork of parcels round the town, some of them cut into two strips. */
export function drawFields(map: MapBuilder, dice: Dice): void {
  let count = 0
  for (const [row, south] of along([0, -3300], [0, 3200], PARCEL_HEIGHT).entries()) {
    for (const [, west] of along([-3500, 0], [3400, 0], PARCEL_WIDTH).entries()) {
      const [x, y] = [west[0], south[1]]
      const [w, s, e, n] = [x + 8, y + 8, x + PARCEL_WIDTH - 8, y + PARCEL_HEIGHT - 8]
      if (!isFree(w, s, e, n) || dice.chance(0.73)) continue
      const tags = GROUND[count++ % GROUND.length]!
      const glass = tags.landuse === 'greenhouse_horticulture'
      if (!glass && dice.chance(0.25)) map.area(parcel(dice, w, s, w + 155, n, 9), tags)
      else map.area(parcel(dice, w, s, e, n, 12), tags)
      if (glass) {
        for (const dx of [60, 150]) map.area(rectangle([w + dx, s + 70], 42, 70), { building: 'greenhouse' })
      }
      if (dice.chance(0.1)) map.line(along([w, n + 4], [e, n + 4], 80), { barrier: 'hedge' })
      if (dice.chance(0.1))
        map.line(along([w, n + 4], [e, n + 4], 40), { natural: 'tree_row', leaf_type: 'broadleaved' })
      if (dice.chance(0.16)) {
        map.line(along([e + 8, s], [e + 8, n], 120), {
          highway: 'track',
          tracktype: row % 2 === 0 ? 'grade2' : 'grade4',
          surface: row % 2 === 0 ? 'gravel' : 'grass',
        })
      }
    }
  }
}

/** Farmsteads at the ends of the lanes: house, barn, yard, silos, dung pit, old trees. */
export function drawFarms(map: MapBuilder, dice: Dice): void {
  for (const [x, y] of FARM_LANES) {
    map.area(rectangle([x + 10, y + 10], 104, 92), { landuse: 'farmyard' })
    map.area(rectangle([x - 12, y + 28], 18, 13), { building: 'farm', 'roof:shape': 'hipped' })
    map.area(rectangle([x + 26, y + 22], 20, 38), { building: 'barn', 'roof:shape': 'gabled' })
    map.area(rectangle([x + 28, y - 22], 34, 16), { building: 'cowshed' })
    map.area(ellipse([x - 8, y - 20], 5.5, 5.5, 16), { man_made: 'silo', content: 'silage' })
    map.area(rectangle([x - 26, y - 4], 15, 12), { man_made: 'bunker_silo' })
    map.area(ellipse([x + 52, y + 2], 7, 7, 18), { man_made: 'storage_tank', content: 'manure' })
    plantTree(map, dice, [x - 30, y + 40])
    plantTree(map, dice, [x - 36, y + 14])
    map.line(along([x + 70, y - 40], [x + 70, y + 60], 50), { barrier: 'fence' })
  }
}

/** Golf course west of the town. */
export function drawGolf(map: MapBuilder, dice: Dice): void {
  const [x, y] = [-1740, -700]
  map.area(parcel(dice, x - 330, y - 240, x + 330, y + 240, 14), { leisure: 'golf_course' })
  for (const [dx, dy] of [
    [-200, 120],
    [0, 130],
    [190, 100],
    [-180, -120],
    [40, -140],
    [220, -120],
  ] as Point[]) {
    map.area(ellipse([x + dx, y + dy], 70, 24, 18, dice.between(0.5, 0.8)), { golf: 'fairway' })
    map.area(ellipse([x + dx + 92, y + dy], 12, 10, 14), { golf: 'green' })
    map.area(ellipse([x + dx + 70, y + dy + 28], 9, 6.5, 12), { golf: 'bunker', natural: 'sand' })
    map.area(rectangle([x + dx - 88, y + dy], 14, 11), { golf: 'tee' })
  }
  map.area(blob(dice, [x + 20, y], 34, 28, 0.12, 18), { golf: 'water_hazard', natural: 'water' })
  map.area(rectangle([x + 290, y + 200], 32, 18), { building: 'yes', golf: 'clubhouse' })
  map.line(along([x - 280, y - 20], [x + 260, y + 30], 80), { highway: 'path', surface: 'fine_gravel' })
}

/** Woods of a few hundred metres, some with a clearing, and paths through them. */
export function drawWoods(map: MapBuilder, dice: Dice): void {
  for (const [index, [x, y, radius]] of (
    [
      [-3700, 900, 330],
      [3750, 1150, 360],
      [-3800, -1000, 420],
      [3700, -2100, 380],
      [-700, 3100, 340],
      [1250, 3500, 300],
    ] as const
  ).entries()) {
    const leaves = ['broadleaved', 'needleleaved', 'mixed'][index % 3]!
    const ground: Tags =
      index % 2 === 0 ? { natural: 'wood', leaf_type: leaves } : { landuse: 'forest', leaf_type: leaves }
    const outer = blob(dice, [x, y], radius, radius * 0.75, 0.18, 30)
    const clearing = blob(dice, [x + 40, y - 20], radius * 0.3, radius * 0.24, 0.15, 16)
    map.multipolygon([outer], [clearing], ground)
    map.line(along([x - radius, y + 30], [x + radius * 0.9, y + 60], 90), {
      highway: dice.pick(['path', 'track', 'bridleway']),
      surface: 'ground',
    })
    if (index === 0) map.area(clearing, { landuse: 'meadow' })
    if (index === 2)
      map.area(blob(dice, [x + 40, y - 20], radius * 0.22, radius * 0.18, 0.1, 14), {
        natural: 'wetland',
        wetland: 'bog',
      })
  }
}
