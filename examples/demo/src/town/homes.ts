import type { Tags } from '@skyscript/core'
import type { Dice } from './dice.ts'
import type { MapBuilder } from './map-builder.ts'
import { along, elbow, ellipse, type Point, type Ring, rectangle } from './shapes.ts'
import type { Block } from './streets.ts'

/** Fills one block of the town. */
export type Quarter = (map: MapBuilder, dice: Dice, block: Block) => void

export const middleOf = (block: Block): Point => [(block.west + block.east) / 2, (block.south + block.north) / 2]
export const widthOf = (block: Block): number => block.east - block.west
export const heightOf = (block: Block): number => block.north - block.south

const TREES: readonly Tags[] = [
  { natural: 'tree' },
  { natural: 'tree', leaf_type: 'broadleaved' },
  { natural: 'tree', leaf_type: 'needleleaved' },
  { natural: 'tree', leaf_type: 'broadleaved', denotation: 'urban' },
]

export function plantTree(map: MapBuilder, dice: Dice, at: Point): void {
  map.point(at, dice.pick(TREES))
}

/** Two rows of houses that face the streets south and north, with gardens between. */
export const houses: Quarter = (map, dice, block) => {
  const perRow = 3
  const plot = widthOf(block) / perRow
  for (const side of [-1, 1]) {
    for (let index = 0; index < perRow; index++) {
      if (dice.chance(0.2)) continue
      const x = block.west + plot * (index + 0.5) + dice.between(-3, 3)
      const y = side < 0 ? block.south + dice.between(11, 15) : block.north - dice.between(11, 15)
      const turn = dice.between(-0.06, 0.06)
      const [width, depth] = [dice.between(11, 16), dice.between(10.5, 13)]
      const shape = dice.chance(0.3) ? elbow([x, y], width + 2, depth + 2, turn) : rectangle([x, y], width, depth, turn)
      map.area(shape, houseTags(dice, index))
      const garden = y - side * dice.between(15, 18)
      if (dice.chance(0.2)) map.area(poolAt(dice, [x, garden]), { leisure: 'swimming_pool', access: 'private' })
      else if (dice.chance(0.18)) plantTree(map, dice, [x + dice.between(-6, 6), garden])
      if (dice.chance(0.05)) map.area(rectangle([x + plot / 2 - 3.5, y], 4, 6), { building: 'shed' })
    }
  }
  const [, y] = middleOf(block)
  if (dice.chance(0.3)) map.line(along([block.west + 4, y], [block.east - 4, y], 30), { barrier: 'hedge' })
  else if (dice.chance(0.25)) map.line(along([block.west + 4, y], [block.east - 4, y], 30), { barrier: 'fence' })
}

/** Most garden pools are large enough for a picture; some aren't. */
function poolAt(dice: Dice, at: Point): Ring {
  return dice.chance(0.75) ? ellipse(at, dice.between(6, 7), dice.between(5.3, 6), 14) : rectangle(at, 9, 4.5)
}

function houseTags(dice: Dice, number: number): Tags {
  const building = dice.pick(['house', 'house', 'detached', 'detached', 'yes', 'residential'])
  return {
    building,
    ...(dice.chance(0.35) ? { 'roof:shape': dice.pick(['gabled', 'hipped', 'flat']) } : {}),
    ...(dice.chance(0.15) ? { 'roof:material': 'roof_tiles', 'roof:colour': 'red' } : {}),
    'building:levels': dice.pick(['1', '2']),
    'addr:housenumber': String(number * 2 + 1),
  }
}

export const terraces: Quarter = (map, dice, block) => {
  const [x] = middleOf(block)
  for (const y of [block.south + 12, block.north - 12]) {
    for (const at of [x - widthOf(block) / 4, x + widthOf(block) / 4]) {
      map.area(rectangle([at, y], dice.between(36, 44), dice.between(10.5, 12)), {
        building: 'terrace',
        'roof:shape': 'gabled',
      })
    }
  }
  const [, y] = middleOf(block)
  const row = along([block.west + 8, y], [block.east - 8, y], 12)
  if (dice.chance(0.6)) map.line(row, { natural: 'tree_row' })
  else for (const at of row.slice(1, -1)) if (dice.chance(0.3)) plantTree(map, dice, at)
}

export const apartments: Quarter = (map, dice, block) => {
  const [x, y] = middleOf(block)
  for (const at of [x - 33, x, x + 33]) {
    map.area(rectangle([at, y + 12], 15, dice.between(44, 52)), { building: 'apartments', 'roof:shape': 'flat' })
  }
  map.area(rectangle([x - 12, block.south + 14], 46, 16), {
    amenity: 'parking',
    surface: 'asphalt',
    parking: 'surface',
  })
  map.line(
    [
      [x - 12, block.south - 7],
      [x - 12, block.south + 22],
    ],
    { highway: 'service', service: 'driveway' },
  )
  map.area(rectangle([x + 34, block.south + 14], 24, 11), { building: 'garages' })
  map.area(rectangle([x + 16.5, y + 12], 14, 28), { landuse: 'grass' })
  map.area(rectangle([x - 16.5, y + 12], 12, 14), { leisure: 'playground' })
}

export const allotments: Quarter = (map, dice, block) => {
  const [x, y] = middleOf(block)
  map.area(rectangle([x, y], widthOf(block) - 4, heightOf(block) - 4), { landuse: 'allotments' })
  map.line(along([block.west + 4, y], [block.east - 4, y], 30), { highway: 'footway', surface: 'gravel' })
  for (let index = 0; index < 4; index++) {
    map.area(rectangle([block.west + 20 + index * 24, y + dice.pick([-18, 18])], 4, 3.5), { building: 'hut' })
  }
  map.area(rectangle([x + 20, y - 20], 12, 10.5), { building: 'greenhouse' })
}

export const park: Quarter = (map, dice, block) => {
  const [x, y] = middleOf(block)
  map.area(rectangle([x, y], widthOf(block), heightOf(block)), { leisure: 'park', name: 'Stadtpark "Zur Linde", Ost' })
  map.area(ellipse([x + 22, y + 12], dice.between(13, 17), dice.between(10, 13)), { natural: 'water', water: 'pond' })
  map.area(rectangle([x - 26, y + 20], 22, 18), { leisure: 'playground', surface: 'sand' })
  map.area(ellipse([x + 24, y - 22], 9, 6.5, 12), { landuse: 'flowerbed' })
  map.area(rectangle([x - 24, y - 18], 30, 24), { landuse: 'grass' })
  map.point([x, y], { amenity: 'fountain' })
  map.line(
    [
      [block.west, block.south],
      [x, y],
      [block.east, block.north],
    ],
    { highway: 'footway', surface: 'fine_gravel' },
  )
  map.line(
    [
      [block.west, block.north],
      [x, y],
      [block.east, block.south],
    ],
    { highway: 'footway', surface: 'paving_stones', lit: 'yes' },
  )
  for (let index = 0; index < 5; index++) {
    const angle = (index / 5) * 2 * Math.PI
    plantTree(map, dice, [x + 40 * Math.cos(angle), y + 34 * Math.sin(angle)])
  }
}
