import type { Tags } from '@skyscript/core'
import type { Dice } from './dice.ts'
import type { MapBuilder } from './map-builder.ts'
import { along, blob, elbow, ellipse, type Point, parcel, rectangle } from './shapes.ts'
import { riverAt } from './water.ts'

/** y of the railway's main track, south of the town. */
export const RAIL_Y = -430

export function drawRailway(map: MapBuilder, _dice: Dice): void {
  const main: Tags = { railway: 'rail', electrified: 'contact_line', voltage: '15000', gauge: '1435' }
  const river = riverAt(RAIL_Y)
  const spots = [-4600, -3000, -1500, -600, 0, river - 24]
  for (let piece = 0; piece + 1 < spots.length; piece++)
    map.line(along([spots[piece]!, RAIL_Y], [spots[piece + 1]!, RAIL_Y], 200), main)
  map.line(along([river - 24, RAIL_Y], [river + 24, RAIL_Y], 30), { ...main, bridge: 'yes', layer: '1' })
  map.line(along([river + 24, RAIL_Y], [2400, RAIL_Y], 200), main)
  map.line(along([2400, RAIL_Y], [4600, RAIL_Y], 200), main)
  map.point([0, RAIL_Y], { railway: 'level_crossing' })
  for (const dy of [-6, -12, -18])
    map.line(along([-420, RAIL_Y + dy], [-60, RAIL_Y + dy], 90), { railway: 'rail', service: 'siding' })
  map.line(along([-420, RAIL_Y - 24], [-250, RAIL_Y - 24], 90), { railway: 'disused' })
  map.area(rectangle([-240, RAIL_Y - 14], 390, 92), { landuse: 'railway' })
  map.area(rectangle([-180, RAIL_Y + 7], 70, 5), {
    railway: 'platform',
    public_transport: 'platform',
    area: 'yes',
    surface: 'concrete',
  })
  map.area(rectangle([-180, RAIL_Y + 24], 44, 14), { building: 'train_station', railway: 'station' })
  map.line(along([320, RAIL_Y - 40], [480, RAIL_Y - 40], 60), { railway: 'tram', electrified: 'contact_line' })
  map.area(ellipse([420, RAIL_Y - 62], 11, 11, 18), { railway: 'turntable' })
}

export function drawIndustry(map: MapBuilder, dice: Dice): void {
  map.area(parcel(dice, 720, 60, 1250, 320, 8), { landuse: 'industrial' })
  map.area(parcel(dice, 720, -330, 1250, -60, 8), { landuse: 'industrial', industrial: 'depot' })
  map.area(parcel(dice, 1330, 70, 1560, 300, 8), { landuse: 'commercial' })
  map.area(parcel(dice, 1340, -300, 1540, -110, 8), { landuse: 'retail' })
  for (const [index, [x, y]] of (
    [
      [770, 110],
      [870, 110],
      [970, 120],
      [770, 250],
      [880, 250],
      [770, -110],
      [880, -120],
    ] as Point[]
  ).entries()) {
    const shape =
      index % 3 === 2 ? elbow([x, y], 60, 52) : rectangle([x, y], dice.between(50, 64), dice.between(34, 52))
    map.area(shape, {
      building: index % 2 === 0 ? 'industrial' : 'warehouse',
      'roof:shape': dice.pick(['flat', 'gabled']),
    })
  }
  for (const [index, x] of [1030, 1085, 1140, 1195].entries()) {
    for (const y of [110, 155])
      map.area(ellipse([x, y], 11 + (index % 3) * 2, 11 + (index % 3) * 2, 20), {
        man_made: 'storage_tank',
        content: 'oil',
      })
  }
  for (const x of [1060, 1084, 1108]) map.area(ellipse([x, 230], 5.6, 5.6, 16), { man_made: 'silo' })
  map.point([1150, 230], { man_made: 'chimney', height: '60' })
  map.point([1210, 240], { man_made: 'water_tower' })
  map.point([1180, 280], { man_made: 'mast', 'tower:type': 'communication' })
  map.area(rectangle([990, -150], 64, 52), { industrial: 'scrap_yard', landuse: 'industrial' })
  map.area(rectangle([1110, -150], 60, 50), { landuse: 'depot' })
  map.area(rectangle([800, -250], 110, 90), { amenity: 'parking', surface: 'asphalt', access: 'private' })
  map.area(rectangle([980, -260], 92, 84), { man_made: 'works', landuse: 'industrial' })
  map.area(rectangle([1150, -260], 50, 40), { amenity: 'recycling', recycling_type: 'centre' })
  map.line(along([700, -95], [1240, -95], 90), { highway: 'service', surface: 'asphalt' })
  map.line(along([1000, -95], [1000, -320], 90), { highway: 'service', surface: 'concrete' })
  map.line(along([930, 0], [930, 310], 90), { highway: 'service', surface: 'asphalt' })
  map.line(along([1030, 132], [1210, 132], 45), { man_made: 'pipeline', location: 'overground' })
  map.area(rectangle([1440, 190], 64, 52), { building: 'commercial', 'roof:shape': 'flat' })
  map.area(rectangle([1440, -200], 64, 50), { building: 'retail', shop: 'furniture' })
  map.area(rectangle([1440, -265], 70, 26), { amenity: 'parking', surface: 'asphalt' })
}

/** Sewage works, substation, solar farm, wind farm, lines on pylons and on poles. */
export function drawSupply(map: MapBuilder, dice: Dice): void {
  map.area(rectangle([900, -720], 150, 110), { man_made: 'wastewater_plant' })
  for (const [dx, dy] of [
    [-45, 22],
    [-10, 22],
    [25, 22],
    [-45, -20],
    [-10, -20],
  ] as Point[]) {
    map.area(ellipse([900 + dx, -720 + dy], 12, 12, 20), { man_made: 'clarifier' })
  }
  map.area(rectangle([945, -740], 26, 18), { man_made: 'reservoir_covered' })
  map.area(rectangle([1150, -560], 70, 54), { power: 'substation', voltage: '110000' })
  map.area(rectangle([1150, -560], 13, 11), { building: 'service', power: 'transformer' })
  map.area(parcel(dice, 1500, 420, 1900, 700, 10), { power: 'plant', 'plant:source': 'solar' })
  for (const x of [1570, 1700, 1830]) {
    for (const y of [490, 630]) {
      map.area(rectangle([x, y], 104, 96), {
        power: 'generator',
        'generator:source': 'solar',
        'generator:method': 'photovoltaic',
      })
    }
  }
  for (let index = 0; index < 7; index++) {
    const at: Point = [-2500 + index * 210 + dice.between(-20, 20), 2450 + dice.between(-70, 70)]
    map.point(at, { power: 'generator', 'generator:source': 'wind', 'generator:method': 'wind_turbine' })
    map.line(along(at, [at[0], at[1] - 160], 60), { highway: 'track', surface: 'gravel', tracktype: 'grade2' })
  }
  const pylons = along([1150, -580], [3500, -1500], 240)
  for (let piece = 0; piece + 1 < pylons.length; piece += 4)
    map.line(pylons.slice(piece, piece + 5), { power: 'line', voltage: '110000', cables: '6' })
  for (const at of pylons) map.point(at, { power: 'tower' })
  const poles = along([-600, -620], [-1750, -900], 85)
  for (let piece = 0; piece + 1 < poles.length; piece += 7)
    map.line(poles.slice(piece, piece + 8), { power: 'minor_line', voltage: '16000', cables: '3' })
  for (const at of poles) map.point(at, { power: 'pole' })
}

export function drawQuarry(map: MapBuilder, dice: Dice): void {
  map.area(blob(dice, [-2300, -2550], 290, 220, 0.15), { landuse: 'quarry', resource: 'gravel' })
  map.line(along([-2040, -2450], [-2700, -1500], 150), { highway: 'track', surface: 'compacted', tracktype: 'grade1' })
  map.line(blob(dice, [-2300, -2550], 180, 140, 0.1, 14).slice(2, 10), { natural: 'cliff' })
  map.area(rectangle([-2010, -2420], 40, 24), { building: 'industrial' })
  map.area(blob(dice, [-1650, -2700], 150, 120, 0.12), { landuse: 'landfill' })
  map.area(blob(dice, [-2950, -2750], 110, 90, 0.15), { natural: 'scree' })
  map.area(blob(dice, [-3150, -2350], 150, 120, 0.15), { natural: 'bare_rock' })
  map.point([-2480, -2260], { natural: 'rock' })
  map.line(along([-1420, -2560], [-1420, -2840], 60), { man_made: 'embankment' })
}

/** Runway, taxiways, apron and hangars, north-east of the town. */
export function drawAirfield(map: MapBuilder, dice: Dice): void {
  const y = 2500
  map.area(parcel(dice, 1800, 2330, 3250, 2720, 8), { aeroway: 'aerodrome' })
  map.line(along([1900, y], [2500, y], 200), { aeroway: 'runway', surface: 'asphalt', length: '1200' })
  map.line(along([2500, y], [3100, y], 200), { aeroway: 'runway', surface: 'asphalt' })
  map.line(along([1950, y + 90], [3050, y + 90], 200), { aeroway: 'taxiway', surface: 'asphalt' })
  for (const x of [1950, 2500, 3050]) map.line(along([x, y], [x, y + 90], 50), { aeroway: 'taxiway' })
  map.area(rectangle([2500, y + 140], 150, 88), { aeroway: 'apron', surface: 'concrete' })
  for (const x of [2330, 2380, 2620, 2670])
    map.area(rectangle([x, y + 165], 36, 30), { building: 'hangar', aeroway: 'hangar' })
  map.area(rectangle([2500, y + 200], 42, 17), { building: 'transportation', aeroway: 'terminal' })
  map.area(ellipse([2750, y + 140], 11, 11, 20), { aeroway: 'helipad' })
  map.point([2450, y + 205], { man_made: 'tower', 'tower:type': 'observation' })
  map.line(along([1250, 2300], [2400, 2740], 120), { highway: 'service', surface: 'asphalt' })
}
