import type { Geometry, Tags } from '@skyscript/core'
import { AREA_STYLES } from './area-styles.ts'
import { lineStyle } from './line-styles.ts'
import { pointStyle } from './point-styles.ts'
import { entry, metres, type Style, style } from './style.ts'

/** The style of an object, or null where nothing of it is seen from above. */
export function styleOf(tags: Tags, geometry: Geometry['type']): Style | null {
  if (isUnseen(tags)) return null
  if (geometry === 'Point') return pointStyle(tags)
  if (geometry === 'LineString' || geometry === 'MultiLineString') return lineStyle(tags)
  return areaStyle(tags)
}

/** Under the ground, inside of a building, not built yet or only an idea. */
function isUnseen(tags: Tags): boolean {
  if (tags.tunnel !== undefined && tags.tunnel !== 'no' && tags.tunnel !== 'building_passage') return true
  if (tags.location === 'underground' || tags.parking === 'underground' || tags.parking === 'multi-storey')
    return tags.building === undefined
  if (tags.indoor !== undefined && tags.indoor !== 'no') return true
  if (Number(tags.layer) < 0)
    return tags.bridge === undefined && tags.natural === undefined && tags.waterway === undefined
  return false
}

function areaStyle(tags: Tags): Style | null {
  const roof = buildingStyle(tags)
  if (roof) return roof
  for (const each of AREA_STYLES) {
    const value = tags[each.key]
    if (value === undefined) continue
    const found = entry(each.values, value) ?? each.values['*']
    if (found === undefined) continue
    return style(found.layer, 'area', typeof found.look === 'function' ? found.look(tags) : found.look, {
      height: found.height ?? 0,
      detail: found.detail?.(tags) ?? '',
    })
  }
  // A closed barrier or the like is drawn along its edge.
  return lineStyle(tags)
}

const METRES_PER_LEVEL = 3.2

const USUAL_HEIGHTS: Readonly<Record<string, number>> = {
  garage: 2.8,
  garages: 2.8,
  shed: 2.5,
  roof: 4,
  carport: 2.6,
  hut: 2.6,
  greenhouse: 3.5,
  church: 16,
  cathedral: 24,
  apartments: 14,
  industrial: 9,
  warehouse: 9,
  office: 15,
  hotel: 15,
  hospital: 15,
  house: 6.5,
  detached: 6.5,
  farm: 7,
  barn: 7,
  chapel: 8,
  stadium: 18,
  grandstand: 10,
}

const FLAT = new Set([
  'apartments',
  'office',
  'commercial',
  'retail',
  'hospital',
  'school',
  'university',
  'hotel',
  'supermarket',
  'public',
  'parking',
  'civic',
  'garage',
  'garages',
  'roof',
  'carport',
  'college',
  'service',
  'kiosk',
  'transportation',
  'government',
  'mall',
])
const LARGE = new Set([
  'industrial',
  'warehouse',
  'hangar',
  'manufacture',
  'factory',
  'storage_tank',
  'train_station',
  'stadium',
  'sports_hall',
  'sports_centre',
  'grandstand',
])
const RURAL = new Set(['barn', 'farm_auxiliary', 'cowshed', 'sty', 'stable', 'farm', 'shed', 'hut', 'cabin'])

function buildingStyle(tags: Tags): Style | null {
  const kind =
    tags.building ?? (tags['building:part'] !== undefined && tags['building:part'] !== 'no' ? 'part' : undefined)
  if (kind === undefined || kind === 'no') return null
  const levels = metres(tags['building:levels'], 0)
  const height = metres(tags.height, levels > 0 ? levels * METRES_PER_LEVEL + 1.5 : (entry(USUAL_HEIGHTS, kind) ?? 6.5))
  const colour = colourOf(tags['roof:colour'])
  const shape = tags['roof:shape']
  const look = roofLook(kind, tags)
  return style('building', 'area', look, { height, colour, detail: shape ?? '' })
}

function roofLook(kind: string, tags: Tags): string {
  if (kind === 'greenhouse' || tags['roof:material'] === 'glass') return 'glasshouse'
  if (tags.man_made === 'storage_tank' || kind === 'storage_tank' || tags.man_made === 'silo' || kind === 'silo')
    return 'tank'
  if (
    ['church', 'cathedral', 'chapel', 'basilica', 'temple', 'mosque', 'synagogue'].includes(kind) ||
    tags.amenity === 'place_of_worship'
  )
    return 'church'
  if (kind === 'ruins') return 'ruins'
  if (kind === 'construction') return 'building-site'
  if (LARGE.has(kind)) return 'hall'
  if (RURAL.has(kind)) return 'barn'
  const shape = tags['roof:shape']
  if (shape === 'flat' || (shape === undefined && FLAT.has(kind))) return 'flat-roof'
  return 'pitched-roof'
}

const COLOURS: Readonly<Record<string, readonly [number, number, number]>> = {
  red: [160, 75, 60],
  brown: [120, 88, 68],
  black: [60, 60, 64],
  gray: [130, 130, 132],
  grey: [130, 130, 132],
  white: [225, 225, 222],
  green: [90, 125, 90],
  blue: [90, 110, 150],
  silver: [170, 172, 176],
  orange: [185, 110, 70],
  yellow: [200, 180, 110],
  maroon: [120, 60, 55],
  copper: [110, 150, 130],
}

function colourOf(text: string | undefined): readonly [number, number, number] | null {
  if (text === undefined) return null
  const named = entry(COLOURS, text)
  if (named) return named
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text)
  if (!match) return null
  // Paint is duller from above than in a catalogue of colours.
  const duller = (hex: string) => Math.round(40 + Number.parseInt(hex, 16) * 0.7)
  return [duller(match[1]!), duller(match[2]!), duller(match[3]!)]
}
