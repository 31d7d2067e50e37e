import type { Position } from '@skyscript/core'
import type { OsmData } from './pbf-writer.ts'
import {
  athletics,
  buildingSite,
  cemetery,
  church,
  courtyard,
  hospital,
  lido,
  oldTown,
  school,
  skatePark,
  sports,
  square,
  supermarket,
} from './town/centre.ts'
import { Dice } from './town/dice.ts'
import { drawFarms, drawFields, drawGolf, drawWoods } from './town/fields.ts'
import { allotments, apartments, houses, park, type Quarter, terraces } from './town/homes.ts'
import { drawLandscape } from './town/landscape.ts'
import { MapBuilder } from './town/map-builder.ts'
import { drawModelFarm } from './town/model-farm.ts'
import { drawOddities } from './town/oddities.ts'
import { blocksOf, drawRoads, drawStreets, layGrid } from './town/streets.ts'
import { drawLake, drawPonds, drawRiver, RIVER_BRIDGE } from './town/water.ts'
import { drawAirfield, drawIndustry, drawQuarry, drawRailway, drawSupply } from './town/works.ts'

export interface TownSettings {
  /** Everything that differs between two towns follows from it. */
  readonly seed: number
  /** The middle of the town, WGS84 degrees; the plan reaches about 11 km from it. */
  readonly origin: Position
}

/** The town of town.osm.pbf: in Switzerland, so that CH, P3, P5, S2, L8 and L9 have imagery of it. */
export const DEMO_TOWN: TownSettings = { seed: 51, origin: [7.45, 46.72] }

/** What is in the middle, and what farther out; houses fill the rest. */
const CENTRE: readonly Quarter[] = [square, church, oldTown, courtyard, oldTown, oldTown, courtyard, oldTown]
const INNER: readonly Quarter[] = [school, park, supermarket, hospital, apartments, terraces, lido, skatePark, terraces]
const OUTER: readonly Quarter[] = [
  sports,
  athletics,
  cemetery,
  allotments,
  buildingSite,
  park,
  apartments,
  terraces,
  apartments,
  ...new Array<Quarter>(14).fill(houses),
]

/**
 * A small invented town and the country round it: streets with houses along them, church and square in the middle,
 * sports grounds and works at the edge, river, lake, railway, airfield, fields, woods. Nothing of it is a real place.
 */
export function makeTown({ seed, origin }: TownSettings): OsmData {
  const dice = new Dice(seed, 'town')
  const map = new MapBuilder(origin, dice)
  const grid = layGrid(dice.of('grid'))
  drawStreets(map, dice.of('streets'), grid)
  drawRoads(map, dice.of('roads'), grid, RIVER_BRIDGE)
  const blocks = blocksOf(grid)
  const order = dice.of('quarters')
  const quarters = [...CENTRE, ...order.shuffle(INNER), ...order.shuffle(OUTER)]
  for (const [index, block] of blocks.entries()) {
    const quarter = quarters[index] ?? houses
    quarter(map, dice.of(`block ${index}`), block)
  }
  drawRiver(map, dice.of('river'))
  drawLake(map, dice.of('lake'))
  drawPonds(map, dice.of('ponds'))
  drawRailway(map, dice.of('railway'))
  drawIndustry(map, dice.of('industry'))
  drawSupply(map, dice.of('supply'))
  drawQuarry(map, dice.of('quarry'))
  drawAirfield(map, dice.of('airfield'))
  drawFields(map, dice.of('fields'))
  drawFarms(map, dice.of('farms'))
  drawGolf(map, dice.of('golf'))
  drawWoods(map, dice.of('woods'))
  drawLandscape(map, dice.of('landscape'))
  drawOddities(map, dice.of('oddities'))
  drawModelFarm(map, dice.of('model farm'))
  return map.data()
}
