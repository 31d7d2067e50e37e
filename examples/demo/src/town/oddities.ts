import type { Tags } from '@skyscript/core'
import type { Dice } from './dice.ts'
import type { MapBuilder } from './map-builder.ts'
import { along, ellipse, type Point, rectangle } from './shapes.ts'

/** Real maps hold text that breaks naive readers: spreadsheets, shells, paths, terminals, object keys. */
const AWKWARD: readonly (readonly [key: string, value: string])[] = [
  ['name', 'Café "L’Étoile", chez\r\nAnne; Bob'],
  ['name', '=cmd|"/c calc"!A1'],
  ['name', '../../etc/passwd'],
  ['name', 'شارع الملك فهد'],
  ['name', '🌳🏠👩‍👩‍👧‍👦 ﷽'],
  ['__proto__', 'polluted'],
  ['constructor', 'prototype'],
  ['note', 'x'.repeat(4000)],
  ['description', "Robert'); DROP TABLE pairs;--"],
  ['description', '<script>alert(1)</script>'],
  ['note', '\u001b[31mred\u0007 \u0000 \u202etfel ot thgir'],
  ['name', '+41 31 000 00 00'],
  ['name', '%s %n $(id) `id`'],
]

/** Things a survey leaves behind: awkward text on visible objects, and objects that no image can be made for. */
export function drawOddities(map: MapBuilder, dice: Dice): void {
  for (const [index, pair] of AWKWARD.entries()) {
    const at: Point = [-1180 + (index % 5) * 40, 480 + Math.floor(index / 5) * 40]
    const visible: readonly (readonly [string, string])[] =
      index % 2 === 0 ? [['natural', 'tree']] : [['building', 'yes']]
    const tags: Tags = Object.fromEntries([...visible, pair])
    if (index % 2 === 0) map.point(at, tags)
    else map.area(rectangle(at, dice.between(11, 15), dice.between(10.5, 13)), tags)
  }
  drawUnseen(map, dice)
  drawTooSmall(map)
  drawBroken(map)
}

/** Nothing about these can be seen from above. */
function drawUnseen(map: MapBuilder, dice: Dice): void {
  const unseen: readonly Tags[] = [
    { name: 'Musterstadt', place: 'town', population: '4200' },
    { 'addr:housenumber': '7', 'addr:street': 'Lindenweg' },
    { shop: 'bakery', opening_hours: 'Mo-Fr 06:00-18:30' },
    { amenity: 'post_box', ref: '3000-12' },
    { tourism: 'information', information: 'guidepost' },
    { emergency: 'fire_hydrant' },
    { office: 'notary' },
    { survey_point: 'yes', source: 'survey' },
  ]
  for (const tags of [...unseen, ...unseen]) map.point([dice.between(-450, 450), dice.between(-290, 290)], tags)
  map.line(along([-200, 700], [200, 760], 200), { boundary: 'administrative', admin_level: '9' })
}

/** Visible kinds of things, but a few pixels across at the finest imagery, or far longer than wide. */
function drawTooSmall(map: MapBuilder): void {
  for (let index = 0; index < 6; index++) map.area(rectangle([-1200 + index * 14, 640], 3, 2.5), { building: 'shed' })
  map.area(ellipse([-1100, 660], 1.5, 1.5, 8), { natural: 'water', water: 'pond' })
  map.area(rectangle([-900, 660], 260, 3), { landuse: 'grass' })
}

/** What the edge of an extract and careless editing leave: missing nodes and members, rings that don't close or cross. */
function drawBroken(map: MapBuilder): void {
  map.line(along([-1200, 700], [-1150, 720], 20), { highway: 'footway' })
  map.leaveOut([-1150, 720])
  map.area(rectangle([-1080, 720], 20, 16), { building: 'yes' })
  map.leaveOut([-1090, 712])
  const bow: Point[] = [
    [-1040, 700],
    [-1010, 730],
    [-1010, 700],
    [-1040, 730],
  ]
  map.area(bow, { natural: 'wood' })
  const open = map.line(along([-980, 700], [-940, 730], 60), {})
  map.relation([{ type: 'way', ref: open, role: 'outer' }], { type: 'multipolygon', landuse: 'forest' })
  map.relation([{ type: 'way', ref: 1, role: 'outer' }], { type: 'multipolygon', natural: 'water' })
  map.relation([], { type: 'multipolygon', building: 'yes' })
  map.line([[-900, 720]], { highway: 'path' })
}
