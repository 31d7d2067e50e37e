import type { Dice } from './dice.ts'
import type { MapBuilder } from './map-builder.ts'
import { along, type Point, rectangle } from './shapes.ts'

/** Kinds of houses and roads differ, since the demo takes ten objects of a tag. */
const ROOFS = [
  ['dome', 'chapel'],
  ['flat', 'kiosk'],
  ['gabled', 'cabin'],
  ['hipped', 'bungalow'],
  ['pyramidal', 'pavilion'],
  ['round', 'farm_auxiliary'],
] as const
const ROADS = ['service', 'track', 'unclassified', 'path', 'cycleway', 'pedestrian']
const SMOOTHNESS = ['excellent', 'good', 'intermediate', 'bad', 'very_bad', 'horrible']
const SURFACES = ['compacted', 'concrete:plates', 'dirt', 'mud', 'rock', 'sett']
/** Of each kind. */
const COPIES = 4

/**
 * An open-air museum of model houses with a road test site, south-west of the town: some of every shape of roof and of every
 * surface and smoothness of roads, which the demo's benchmark sets need.
 */
export function drawModelFarm(map: MapBuilder, dice: Dice): void {
  const [left, top]: Point = [-1400, -2060]
  for (const [row, [shape, building]] of ROOFS.entries()) {
    for (let copy = 0; copy < COPIES; copy++) {
      const at: Point = [left + copy * 55 + dice.between(-8, 8), top - row * 60 + dice.between(-8, 8)]
      const size: Point = [dice.between(9, 17), dice.between(9, 17)]
      map.area(rectangle(at, ...size, dice.between(0, 1.5)), { building, 'roof:shape': shape })
    }
  }
  const roads = [
    ...SMOOTHNESS.map((smoothness, i) => ({ highway: ROADS[i]!, smoothness })),
    ...SURFACES.map((surface, i) => ({ highway: ROADS[i]!, surface })),
  ]
  for (const [row, tags] of roads.entries()) {
    for (let copy = 0; copy < COPIES; copy++) {
      const [x, y] = [left + 270 + copy * 150 + dice.between(-10, 10), top - row * 45]
      map.line(along([x, y], [x + dice.between(50, 90), y + dice.between(-25, 25)], 40), tags)
    }
  }
}
