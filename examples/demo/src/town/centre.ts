import { heightOf, middleOf, plantTree, type Quarter, widthOf } from './homes.ts'
import { along, cross, elbow, ellipse, type Point, rectangle } from './shapes.ts'

/** The market square with its church front, town hall, fountain and lime trees. */
export const square: Quarter = (map, dice, block) => {
  const [x, y] = middleOf(block)
  map.area(rectangle([x + 6, y], 66, 40), { highway: 'pedestrian', area: 'yes', surface: 'sett', place: 'square' })
  map.area(rectangle([x + 6, block.north - 10], 34, 15), { building: 'civic', amenity: 'townhall' })
  map.area(rectangle([x - 44, y], 13, 44), { building: 'retail' })
  map.area(rectangle([x + 6, block.south + 9], 52, 13), {
    building: 'hotel',
    tourism: 'hotel',
    name: 'Hôtel "Löwen", garni',
  })
  map.point([x - 8, y], { amenity: 'fountain', fountain: 'decorative' })
  map.point([x + 22, y + 4], { historic: 'monument', material: 'bronze' })
  for (const dx of [-24, -16, 30, 38]) plantTree(map, dice, [x + dx, y - 17])
}

export const church: Quarter = (map, dice, block) => {
  const [x, y] = middleOf(block)
  map.area(cross([x, y], 46, 15), { building: 'church', amenity: 'place_of_worship', religion: 'christian' })
  map.area(rectangle([x, y], 88, 72), { landuse: 'religious' })
  map.area(rectangle([x + 30, y + 24], 20, 16), { building: 'yes', name: '=cmd|"/c calc"!A1' })
  for (const [dx, dy] of [
    [-36, -28],
    [-36, 28],
    [36, -28],
    [0, 30],
  ] as Point[])
    plantTree(map, dice, [x + dx, y + dy])
}

/** Houses of the old town, wall to wall round a yard. */
export const courtyard: Quarter = (map, _dice, block) => {
  const [x, y] = middleOf(block)
  map.multipolygon([rectangle([x - 22, y], 52, 58)], [rectangle([x - 22, y], 26, 30)], {
    building: 'yes',
    'roof:shape': 'hipped',
    name: 'Hof\nzum Bären',
  })
  map.area(rectangle([x + 31, y + 16], 34, 24), { building: 'office', 'roof:shape': 'flat' })
  map.area(rectangle([x + 31, y - 16], 34, 20), { building: 'commercial', 'roof:shape': 'flat' })
  map.line(
    [
      [x + 8, block.south],
      [x + 8, block.north],
    ],
    { highway: 'pedestrian', surface: 'sett' },
  )
}

export const oldTown: Quarter = (map, dice, block) => {
  const [x] = middleOf(block)
  for (const [side, y] of [
    [-1, block.south + 13],
    [1, block.north - 13],
  ] as const) {
    for (const dx of [-36, -12, 12, 36]) {
      const tags = { building: dice.pick(['yes', 'retail', 'commercial', 'residential']), 'building:levels': '4' }
      if (dice.chance(0.85))
        map.area(rectangle([x + dx, y - side * dice.between(-2, 2)], dice.between(19, 22), dice.between(17, 22)), tags)
    }
  }
  const [, y] = middleOf(block)
  map.line(
    [
      [x, block.south + 30],
      [x, y],
      [block.west, y],
    ],
    { highway: 'steps', surface: 'concrete' },
  )
}

export const school: Quarter = (map, dice, block) => {
  const [x, y] = middleOf(block)
  map.area(rectangle([x, y], widthOf(block) - 2, heightOf(block) - 2), { amenity: 'school', name: 'Schulhaus Ämmä' })
  map.area(elbow([x - 22, y + 12], 50, 38), { building: 'school', 'roof:shape': 'flat' })
  map.area(rectangle([x + 32, y + 18], 28, 15), { leisure: 'pitch', sport: 'basketball', surface: 'asphalt' })
  map.area(rectangle([x + 26, y - 22], 40, 28), { leisure: 'pitch', sport: 'handball', surface: 'tartan' })
  map.area(rectangle([x - 28, y - 28], 24, 14), { building: 'kindergarten' })
  plantTree(map, dice, [x - 6, y - 26])
  plantTree(map, dice, [x + 2, y - 30])
}

export const hospital: Quarter = (map, _dice, block) => {
  const [x, y] = middleOf(block)
  map.area(rectangle([x, y], widthOf(block) - 4, heightOf(block) - 2), { amenity: 'hospital' })
  map.area(cross([x - 10, y + 6], 62, 18), { building: 'hospital', 'roof:shape': 'flat' })
  map.area(ellipse([x + 38, y - 26], 11, 11, 20), { aeroway: 'helipad', surface: 'concrete' })
  map.area(rectangle([x - 18, block.south + 12], 44, 14), { amenity: 'parking', surface: 'asphalt' })
}

export const cemetery: Quarter = (map, dice, block) => {
  const [x, y] = middleOf(block)
  map.area(rectangle([x, y], widthOf(block) - 3, heightOf(block) - 3), { landuse: 'cemetery', religion: 'christian' })
  map.area(rectangle([x + 26, y + 22], 17, 11), { building: 'chapel' })
  map.line(along([x, block.south + 3], [x, block.north - 3], 20), { highway: 'footway', surface: 'gravel' })
  map.line(along([block.west + 2, block.south + 3], [block.east - 2, block.south + 3], 25), { barrier: 'wall' })
  for (let index = 0; index < 4; index++) plantTree(map, dice, [x - 40 + index * 11, y - 34])
}

export const supermarket: Quarter = (map, _dice, block) => {
  const [x, y] = middleOf(block)
  map.area(rectangle([x - 12, y + 18], 72, 40), { building: 'supermarket', shop: 'supermarket', 'roof:shape': 'flat' })
  map.area(rectangle([x - 12, y - 26], 76, 30), { amenity: 'parking', surface: 'asphalt', capacity: '80' })
  map.area(rectangle([x + 40, y - 22], 15, 12), { building: 'roof', amenity: 'fuel' })
  map.area(rectangle([x + 40, y + 20], 14, 11), { building: 'garage' })
}

export const sports: Quarter = (map, _dice, block) => {
  const [x, y] = middleOf(block)
  map.area(rectangle([x - 12, y], 66, 42), { leisure: 'pitch', sport: 'soccer', surface: 'grass' })
  map.area(rectangle([x - 12, y + 35], 46, 11), { building: 'grandstand' })
  for (const dy of [-24, 0, 24])
    map.area(rectangle([x + 40, y + dy], 16, 22), { leisure: 'pitch', sport: 'tennis', surface: 'clay' })
}

export const athletics: Quarter = (map, _dice, block) => {
  const [x, y] = middleOf(block)
  const ring = ellipse([x, y], 38, 28, 28)
  map.area(ring, { leisure: 'track', sport: 'athletics', surface: 'tartan', area: 'yes' })
  map.area(rectangle([x, y], 44, 26), { leisure: 'pitch', sport: 'american_football', surface: 'artificial_turf' })
}

/** The lido: a large pool, a small one, lawns and beach volleyball. */
export const lido: Quarter = (map, dice, block) => {
  const [x, y] = middleOf(block)
  map.area(rectangle([x - 18, y + 14], 50, 21), { leisure: 'swimming_pool', sport: 'swimming' })
  map.area(ellipse([x + 30, y + 18], 11, 8, 14), { leisure: 'swimming_pool' })
  map.area(rectangle([x - 26, y - 24], 18, 10.5), { leisure: 'pitch', sport: 'beachvolleyball', surface: 'sand' })
  map.area(rectangle([x + 4, y - 24], 18, 10.5), { leisure: 'pitch', sport: 'volleyball', surface: 'sand' })
  map.area(rectangle([x + 34, y - 24], 28, 12), { building: 'yes', 'roof:shape': 'flat' })
  plantTree(map, dice, [x + 40, y])
}

export const buildingSite: Quarter = (map, _dice, block) => {
  const [x, y] = middleOf(block)
  map.area(rectangle([x, y], 92, 84), { landuse: 'construction' })
  map.area(rectangle([x - 14, y + 6], 34, 26), { building: 'construction' })
  map.point([x + 20, y + 12], { man_made: 'crane' })
  map.area(rectangle([x + 26, y - 22], 30, 20), { landuse: 'brownfield' })
}

export const skatePark: Quarter = (map, dice, block) => {
  const [x, y] = middleOf(block)
  map.area(rectangle([x - 20, y], 34, 26), { leisure: 'pitch', sport: 'skateboard', surface: 'concrete' })
  map.area(rectangle([x + 26, y + 16], 34, 20), { building: 'fire_station', amenity: 'fire_station' })
  map.area(rectangle([x + 26, y - 20], 44, 24), { amenity: 'bus_station', surface: 'asphalt' })
  map.area(ellipse([x - 22, y - 30], 11, 9, 12), { leisure: 'garden' })
  plantTree(map, dice, [x - 36, y + 28])
}
