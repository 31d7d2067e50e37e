import type { Tags } from '@skyscript/core'
import { entry, type LayerName, metres, type Style, style } from './style.ts'

type PointStyle = readonly [layer: LayerName, look: string, width: number, height: number]

/** Symbols by tag: metres across and above the ground. Keys decide in the order written. */
export const POINT_STYLES: readonly (readonly [key: string, values: Readonly<Record<string, PointStyle>>])[] = [
  [
    'natural',
    {
      tree: ['tree', 'tree', 7, 8],
      shrub: ['tree', 'bush', 2, 1.5],
      peak: ['ground', 'summit', 60, 0],
      rock: ['barrier', 'boulder', 5, 2.5],
      stone: ['barrier', 'boulder', 3, 2],
      spring: ['surface', 'puddle', 4, 0],
      cave_entrance: ['barrier', 'boulder', 5, 2],
      sinkhole: ['surface', 'pit', 14, 0],
      volcano: ['ground', 'summit', 200, 0],
      saddle: ['ground', 'summit', 20, 0],
    },
  ],
  [
    'power',
    {
      tower: ['wire', 'pylon', 7, 30],
      pole: ['wire', 'pole', 0.5, 9],
      portal: ['wire', 'pylon', 7, 14],
      transformer: ['structure', 'box', 3, 2.5],
      generator: ['structure', 'box', 3, 2.5],
      substation: ['structure', 'box', 4, 3],
      catenary_mast: ['wire', 'pole', 0.5, 7],
    },
  ],
  [
    'man_made',
    {
      water_tower: ['structure', 'round-tower', 12, 28],
      tower: ['structure', 'round-tower', 6, 25],
      chimney: ['structure', 'chimney', 4, 40],
      silo: ['structure', 'small-tank', 6, 12],
      storage_tank: ['structure', 'small-tank', 12, 9],
      mast: ['wire', 'mast', 1.5, 30],
      antenna: ['wire', 'mast', 1, 12],
      lighthouse: ['structure', 'round-tower', 7, 25],
      windmill: ['structure', 'round-tower', 9, 14],
      crane: ['wire', 'crane', 40, 30],
      flagpole: ['wire', 'pole', 0.4, 10],
      cross: ['wire', 'pole', 0.6, 4],
      obelisk: ['structure', 'monument', 3, 12],
      cairn: ['barrier', 'boulder', 2, 1.5],
      water_well: ['surface', 'manhole', 2, 0],
      petroleum_well: ['structure', 'box', 6, 5],
      manhole: ['marking', 'manhole', 0.8, 0],
      beehive: ['structure', 'box', 1.5, 1],
      street_cabinet: ['structure', 'box', 1.2, 1.4],
      utility_pole: ['wire', 'pole', 0.4, 8],
      monitoring_station: ['structure', 'box', 2, 2.5],
    },
  ],
  [
    'highway',
    {
      street_lamp: ['wire', 'pole', 0.5, 7],
      crossing: ['bridge', 'zebra', 4, 0],
      bus_stop: ['structure', 'shelter', 4, 2.5],
      traffic_signals: ['wire', 'pole', 0.5, 4],
      mini_roundabout: ['bridge', 'roundabout', 9, 0],
      turning_circle: ['bridge', 'disc-asphalt', 13, 0],
      turning_loop: ['bridge', 'roundabout', 16, 0],
    },
  ],
  [
    'railway',
    {
      crossing: ['railway', 'disc-asphalt', 4, 0],
      level_crossing: ['bridge', 'disc-asphalt', 7, 0],
      signal: ['wire', 'pole', 0.4, 5],
    },
  ],
  ['aeroway', { helipad: ['marking', 'round-helipad', 22, 0], windsock: ['wire', 'pole', 0.5, 6] }],
  [
    'amenity',
    {
      fountain: ['surface', 'round-fountain', 6, 0],
      shelter: ['structure', 'shelter', 5, 2.8],
      bench: ['structure', 'bench', 1.8, 0.5],
      waste_basket: ['structure', 'box', 0.5, 0.8],
      recycling: ['structure', 'containers', 5, 1.6],
      parking: ['surface', 'disc-asphalt', 14, 0],
      bicycle_parking: ['surface', 'disc-asphalt', 3, 0],
      telephone: ['structure', 'box', 1, 2.2],
      hunting_stand: ['structure', 'box', 1.8, 4],
      fuel: ['structure', 'shelter', 12, 5],
      post_box: ['structure', 'box', 0.6, 1.2],
      vending_machine: ['structure', 'box', 1, 1.8],
    },
  ],
  [
    'leisure',
    {
      swimming_pool: ['surface', 'round-pool', 8, 0],
      playground: ['surface', 'disc-sand', 14, 0],
      picnic_table: ['structure', 'bench', 2, 0.7],
      firepit: ['surface', 'manhole', 1.5, 0],
    },
  ],
  [
    'historic',
    {
      monument: ['structure', 'monument', 4, 8],
      memorial: ['structure', 'monument', 2.5, 3],
      ruins: ['barrier', 'ruin-spot', 14, 2],
      archaeological_site: ['ground', 'tumulus', 24, 0],
      wayside_cross: ['wire', 'pole', 0.6, 3],
      wayside_shrine: ['structure', 'box', 1.5, 3],
      castle: ['structure', 'box', 16, 10],
      boundary_stone: ['structure', 'box', 0.5, 0.6],
    },
  ],
  [
    'tourism',
    {
      artwork: ['structure', 'monument', 2.5, 3],
      camp_site: ['surface', 'disc-grass', 30, 0],
      viewpoint: ['surface', 'disc-sand', 5, 0],
    },
  ],
  [
    'barrier',
    {
      gate: ['barrier', 'gate', 3.5, 1.2],
      bollard: ['structure', 'box', 0.3, 0.9],
      lift_gate: ['barrier', 'gate', 4, 1.2],
      block: ['structure', 'box', 1, 0.8],
    },
  ],
  ['aerialway', { pylon: ['wire', 'pylon', 3, 12], station: ['structure', 'box', 12, 6] }],
  ['advertising', { billboard: ['structure', 'box', 4, 4], column: ['structure', 'small-tank', 1.4, 3.5] }],
  [
    'golf',
    { hole: ['marking', 'manhole', 0.5, 0], tee: ['marking', 'disc-grass', 8, 0], pin: ['marking', 'manhole', 0.5, 0] },
  ],
]

/** Metres across, of buildings mapped as a point. */
const POINT_BUILDING = 10

export function pointStyle(tags: Tags): Style | null {
  if (tags.power === 'generator' && tags['generator:source'] === 'wind')
    return style('wire', 'point', 'wind-turbine', {
      width: metres(tags['rotor:diameter'], 80),
      height: metres(tags['height:hub'], 80),
    })
  for (const [key, values] of POINT_STYLES) {
    const found = entry(values, tags[key])
    if (!found) continue
    const [layer, look, width, height] = found
    const crown = look === 'tree' ? metres(tags.diameter_crown, width) : width
    return style(layer, 'point', look, {
      width: Math.min(crown, 200),
      height: metres(tags.height, height),
      detail: tags.leaf_type ?? '',
    })
  }
  if (tags.building !== undefined && tags.building !== 'no')
    return style('structure', 'point', 'box', { width: POINT_BUILDING, height: 6 })
  return null
}
