import type { Tags } from '@skyscript/core'
import type { Dice } from './dice.ts'
import type { MapBuilder } from './map-builder.ts'
import { along, blob, ellipse, type Point, rectangle } from './shapes.ts'

/** The country round the town, kilometres across: what Sentinel-2 and Landsat see. */
const COUNTRY: readonly { readonly at: Point; readonly radius: readonly [number, number]; readonly tags: Tags }[] = [
  { at: [-6600, 3200], radius: [2300, 1900], tags: { natural: 'wood', leaf_type: 'needleleaved' } },
  { at: [-6400, -2600], radius: [1900, 2000], tags: { landuse: 'farmland' } },
  { at: [6900, 2600], radius: [2300, 2100], tags: { landuse: 'farmland', crop: 'wheat' } },
  { at: [6700, -2700], radius: [2000, 2300], tags: { landuse: 'forest', leaf_type: 'mixed' } },
  { at: [-2700, 6500], radius: [2200, 1800], tags: { natural: 'heath' } },
  { at: [2400, 6600], radius: [2100, 1800], tags: { landuse: 'meadow' } },
  { at: [-2700, -6100], radius: [2100, 1700], tags: { natural: 'grassland' } },
  { at: [2500, -6500], radius: [2300, 1900], tags: { natural: 'scrub' } },
  { at: [-8600, 8200], radius: [2300, 1800], tags: { natural: 'glacier' } },
  { at: [-8400, -7900], radius: [2400, 2100], tags: { natural: 'bare_rock' } },
  { at: [8300, 8000], radius: [2500, 2000], tags: { natural: 'water', water: 'lake' } },
  { at: [8600, -7900], radius: [2200, 2000], tags: { landuse: 'vineyard' } },
  { at: [300, 10200], radius: [1800, 1500], tags: { natural: 'wetland', wetland: 'bog' } },
  { at: [-400, -10000], radius: [1900, 1500], tags: { natural: 'sand' } },
]

/** Ground of one or two kilometres, between the parcels and the wide country. */
const MIDDLE: readonly { readonly at: Point; readonly size: number; readonly tags: Tags }[] = [
  { at: [-4500, 4600], size: 620, tags: { natural: 'water', water: 'lake' } },
  { at: [4700, 4700], size: 640, tags: { natural: 'wood', leaf_type: 'broadleaved' } },
  { at: [-4700, -4400], size: 700, tags: { landuse: 'meadow' } },
  { at: [4400, -4800], size: 660, tags: { landuse: 'farmland', crop: 'maize' } },
  { at: [0, 4900], size: 600, tags: { landuse: 'orchard' } },
  { at: [0, -4700], size: 580, tags: { natural: 'wetland', wetland: 'marsh' } },
  { at: [-9000, 300], size: 900, tags: { natural: 'scree' } },
  { at: [9400, 100], size: 850, tags: { landuse: 'quarry' } },
  { at: [-5600, 6300], size: 560, tags: { landuse: 'forest', leaf_type: 'needleleaved' } },
  { at: [5400, 6400], size: 600, tags: { natural: 'scrub' } },
  { at: [-5300, -7600], size: 650, tags: { natural: 'heath' } },
  { at: [5400, -8400], size: 620, tags: { natural: 'grassland' } },
]

export function drawLandscape(map: MapBuilder, dice: Dice): void {
  for (const [index, { at, radius, tags }] of COUNTRY.entries()) {
    const scale = dice.between(0.85, 1.1)
    const outer = blob(dice, at, radius[0] * scale, radius[1] * scale, 0.13, 40)
    const hole = blob(dice, [at[0] + 200, at[1] - 150], radius[0] * 0.25, radius[1] * 0.22, 0.15, 20)
    if (index % 4 === 0) map.multipolygon([outer], [hole], tags)
    else map.area(outer, tags)
  }
  for (const { at, size, tags } of MIDDLE) {
    map.area(blob(dice, at, size * dice.between(0.85, 1.2), size * dice.between(0.75, 1.1), 0.15, 28), tags)
  }
  for (const [x, y] of [
    [-7000, -5200],
    [7000, 5300],
  ] as Point[]) {
    // A wood in two parts is one object.
    map.multipolygon(
      [blob(dice, [x - 500, y], 420, 520, 0.15), blob(dice, [x + 520, y + 60], 380, 460, 0.15)],
      [blob(dice, [x - 480, y + 20], 130, 120, 0.1, 14)],
      { landuse: 'forest', leaf_type: 'mixed' },
    )
  }
  const park = map.area(blob(dice, [6700, -2700], 2700, 2900, 0.05, 40), {
    boundary: 'national_park',
    leisure: 'nature_reserve',
  })
  const ring = blob(dice, [0, 0], 4800, 4300, 0.06, 40)
  const half = ring.length / 2
  const north = map.line(ring.slice(0, half + 1), {})
  const south = map.line([...ring.slice(half), ring[0]!], {})
  map.relation(
    [
      { type: 'way', ref: north, role: 'outer' },
      { type: 'way', ref: south, role: 'outer' },
    ],
    { type: 'boundary', boundary: 'administrative', admin_level: '8', name: 'Musterstadt' },
  )
  map.relation([{ type: 'way', ref: park, role: 'outer' }], {
    type: 'boundary',
    boundary: 'protected_area',
    protect_class: '4',
  })
  drawHills(map, dice)
}

/** What the random cells of a real region would miss: the rare tags. */
function drawHills(map: MapBuilder, dice: Dice): void {
  for (const [index, at] of (
    [
      [-980, 2350],
      [-930, 2290],
      [-1040, 2280],
    ] as Point[]
  ).entries()) {
    map.area(ellipse(at, 9 + index, 8.5 + index, 18), {
      historic: 'archaeological_site',
      archaeological_site: 'tumulus',
    })
  }
  map.area(rectangle([-860, 1150], 46, 38, 0.3), { building: 'castle', historic: 'castle', castle_type: 'palace' })
  map.area(rectangle([3100, 260], 34, 30, 0.2), { historic: 'ruins', castle_type: 'defensive', ruins: 'yes' })
  map.area(ellipse([-1200, 1250], 14, 11, 14), { tourism: 'viewpoint', natural: 'peak' })
  map.line(along([-1150, 2000], [-800, 2700], 200), { aerialway: 'chair_lift' })
  map.area(rectangle([-1350, 2650], 90, 220, 0.3), { landuse: 'winter_sports', 'piste:type': 'downhill' })
  map.area(rectangle([-3050, -350], 62, 40, 0.1), { leisure: 'pitch', sport: 'equestrian', surface: 'sand' })
  map.area(rectangle([2950, 620], 62, 40, 0.4), { leisure: 'pitch', sport: 'baseball' })
  map.area(ellipse([-3500, 2000], 310, 240, 30), { highway: 'raceway', area: 'yes', sport: 'motor' })
  map.line(blob(dice, [-3500, 2000], 210, 150, 0.2, 24), { highway: 'raceway', surface: 'asphalt' })
  map.area(rectangle([3350, 500], 300, 210, 0.1), { landuse: 'military', military: 'training_area' })
  map.area(rectangle([2100, -2900], 220, 150, 0.2), { leisure: 'stadium', sport: 'soccer' })
  map.area(ellipse([2100, -2500], 60, 48, 24), { building: 'stadium' })
}
