import type { Tags } from '@skyscript/core'
import { entry, type LayerName, metres, type Style, style } from './style.ts'

/** Metres across, kerb to kerb, where neither `width` nor `lanes` says. */
const ROADS: Readonly<Record<string, number>> = {
  motorway: 11.5,
  motorway_link: 6,
  trunk: 10,
  trunk_link: 6,
  primary: 8.5,
  primary_link: 5.5,
  secondary: 7.5,
  secondary_link: 5.5,
  tertiary: 6.5,
  tertiary_link: 5,
  unclassified: 5.5,
  residential: 6,
  living_street: 5,
  pedestrian: 5,
  service: 4,
  busway: 6.5,
  raceway: 10,
  road: 5.5,
  construction: 7,
  rest_area: 6,
}

const PATHS: Readonly<Record<string, number>> = {
  track: 2.8,
  footway: 1.8,
  path: 1.2,
  cycleway: 2.4,
  bridleway: 2,
  steps: 2,
  corridor: 1.5,
}

const WATERWAYS: Readonly<Record<string, number>> = {
  river: 18,
  canal: 12,
  tidal_channel: 10,
  stream: 2.5,
  ditch: 1.4,
  drain: 1.8,
  flowline: 4,
}

const UNPAVED = new Set([
  'unpaved',
  'gravel',
  'fine_gravel',
  'compacted',
  'dirt',
  'ground',
  'earth',
  'grass',
  'sand',
  'mud',
  'pebblestone',
  'rock',
  'woodchips',
])
const STONE = new Set(['sett', 'paving_stones', 'cobblestone', 'unhewn_cobblestone', 'cobblestone:flattened', 'bricks'])

const BARRIERS: Readonly<Record<string, readonly [look: string, width: number, height: number]>> = {
  wall: ['wall', 0.4, 2],
  city_wall: ['wall', 2, 5],
  retaining_wall: ['wall', 0.5, 1.5],
  fence: ['fence', 0.15, 1.2],
  hedge: ['hedge', 1.4, 1.8],
  guard_rail: ['fence', 0.3, 0.8],
  jersey_barrier: ['wall', 0.6, 0.8],
  ditch: ['ditch', 2, 0],
}

const line = (layer: LayerName, look: string, width: number, more: Partial<Style> = {}) =>
  style(layer, 'line', look, { width, ...more })

export function lineStyle(tags: Tags): Style | null {
  return (
    roadStyle(tags) ??
    railwayStyle(tags) ??
    waterwayStyle(tags) ??
    airfieldStyle(tags) ??
    naturalStyle(tags) ??
    wireStyle(tags) ??
    structureStyle(tags) ??
    barrierStyle(tags)
  )
}

function paving(tags: Tags): string {
  const surface = tags.surface ?? ''
  if (UNPAVED.has(surface)) return surface === 'grass' ? 'grass' : 'gravel'
  if (STONE.has(surface)) return 'stone'
  if (surface.startsWith('concrete')) return 'concrete'
  return surface === '' ? '' : 'asphalt'
}

function roadStyle(tags: Tags): Style | null {
  const highway = tags.highway
  if (highway === undefined) return null
  const isBridge = tags.bridge !== undefined && tags.bridge !== 'no'
  const detail = paving(tags)
  const road = entry(ROADS, highway)
  if (road !== undefined) {
    const lanes = metres(tags.lanes, 0)
    const width = Math.min(
      40,
      metres(
        tags.width,
        lanes > 0
          ? Math.max(3.2, lanes * 3.2 + 0.6)
          : tags.oneway === 'yes' && road > 5 && road < 9
            ? road * 0.75
            : road,
      ),
    )
    const look =
      highway === 'construction'
        ? 'road-works'
        : highway.startsWith('motorway') || highway.startsWith('trunk')
          ? 'motorway'
          : road > 6.3
            ? 'main-road'
            : highway === 'service'
              ? 'lane'
              : highway === 'pedestrian'
                ? 'promenade'
                : 'street'
    return line(isBridge ? 'bridge' : 'road', look, width, {
      detail: detail === '' ? 'asphalt' : detail,
      height: isBridge ? 6 : 0,
    })
  }
  const path = entry(PATHS, highway)
  if (path === undefined) return null
  const look =
    highway === 'track' ? 'track' : highway === 'steps' ? 'steps' : highway === 'cycleway' ? 'cycleway' : 'path'
  const usual =
    highway === 'track'
      ? tags.tracktype === 'grade1'
        ? 'asphalt'
        : tags.tracktype === 'grade5'
          ? 'grass'
          : 'gravel'
      : highway === 'footway' || highway === 'cycleway'
        ? 'asphalt'
        : 'gravel'
  return line(isBridge ? 'bridge' : 'path', look, Math.min(12, metres(tags.width, path)), {
    detail: detail === '' ? usual : detail,
    height: isBridge ? 3 : 0,
  })
}

function railwayStyle(tags: Tags): Style | null {
  const isBridge = tags.bridge !== undefined && tags.bridge !== 'no'
  const layer = isBridge ? 'bridge' : 'railway'
  switch (tags.railway) {
    case 'rail':
    case 'light_rail':
    case 'narrow_gauge':
    case 'preserved':
    case 'subway':
    case 'funicular':
      return line(layer, 'railway', tags.railway === 'narrow_gauge' ? 3 : 4, {
        detail: tags.electrified === 'contact_line' ? 'wires' : '',
        height: isBridge ? 6 : 0,
      })
    case 'tram':
      return line('road', 'tram', 2.6)
    case 'monorail':
      return line('bridge', 'monorail', 1.5, { height: 6 })
    case 'disused':
    case 'abandoned':
      return line('path', 'old-railway', 3.5)
    case 'platform':
      return line('marking', 'platform', 3)
    default:
      return null
  }
}

function waterwayStyle(tags: Tags): Style | null {
  const width = entry(WATERWAYS, tags.waterway)
  if (width !== undefined) return line('waterway', 'river', Math.min(200, metres(tags.width, width)))
  if (tags.waterway === 'dam') return line('structure', 'dam', 6, { height: 8 })
  if (tags.waterway === 'weir') return line('structure', 'weir', 2.5)
  return null
}

function airfieldStyle(tags: Tags): Style | null {
  const detail = paving(tags)
  if (tags.aeroway === 'runway') return line('runway', 'runway', Math.min(80, metres(tags.width, 30)), { detail })
  if (tags.aeroway === 'taxiway' || tags.aeroway === 'taxilane')
    return line('runway', 'taxiway', Math.min(40, metres(tags.width, 14)), { detail })
  return null
}

function naturalStyle(tags: Tags): Style | null {
  switch (tags.natural) {
    case 'tree_row':
      return line('tree', 'tree-row', 6, { height: 8 })
    case 'hedge':
      return line('tree', 'hedge', 1.6, { height: 2 })
    case 'cliff':
      return line('barrier', 'cliff', 5, { height: 8 })
    case 'ridge':
    case 'arete':
      return line('barrier', 'ridge', 4, { height: 4 })
    case 'earth_bank':
      return line('barrier', 'bank', 3)
    case 'coastline':
      return line('water', 'coastline', 3)
    default:
      return null
  }
}

function wireStyle(tags: Tags): Style | null {
  if (tags.power === 'line') return line('wire', 'wires', 0.12, { height: 22, detail: '3' })
  if (tags.power === 'minor_line') return line('wire', 'wires', 0.08, { height: 9, detail: '2' })
  if (tags.aerialway !== undefined && tags.aerialway !== 'pylon' && tags.aerialway !== 'station')
    return line('wire', 'wires', 0.12, { height: 10, detail: '1' })
  return null
}

function structureStyle(tags: Tags): Style | null {
  switch (tags.man_made) {
    case 'pier':
    case 'jetty':
    case 'quay':
      return line('marking', 'pier', Math.min(20, metres(tags.width, 3)))
    case 'breakwater':
    case 'groyne':
      return line('marking', 'boulders', 6)
    case 'pipeline':
      return line('structure', 'pipeline', 0.9, { height: 1 })
    case 'embankment':
    case 'dyke':
      return line('barrier', 'bank', 5)
    case 'cutline':
      return line('surface', 'cutline', Math.min(40, metres(tags.width, 8)))
    case 'bridge':
      return line('surface', 'bridge-deck', 6)
    case 'goods_conveyor':
      return line('structure', 'pipeline', 2, { height: 4 })
    default:
      break
  }
  if (tags.leisure === 'track')
    return line('marking', tags.sport === 'running' || tags.sport === 'athletics' ? 'running-track' : 'track', 6, {
      detail: 'gravel',
    })
  if (tags.leisure === 'slipway') return line('marking', 'pier', 4)
  if (tags.golf === 'hole' || tags.golf === 'cartpath' || tags.golf === 'path')
    return tags.golf === 'hole' ? null : line('path', 'path', 2, { detail: 'asphalt' })
  if (tags.public_transport === 'platform') return line('marking', 'platform', 3)
  return null
}

function barrierStyle(tags: Tags): Style | null {
  const barrier = entry(BARRIERS, tags.barrier)
  if (!barrier) return null
  const [look, width, height] = barrier
  return line(look === 'hedge' ? 'tree' : 'barrier', look, width, { height: Math.min(8, metres(tags.height, height)) })
}
