/** Which style an object has: areas.csv, lines.csv, points.csv, roofs.csv and heights.csv, and what other tags change. */
import type { Geometry, Tags } from '@skyscript/core'
import { paletteNamed } from './colours.ts'
import { LAYERS, metres, type Style } from './style.ts'
import { type Row, readNamed, tagTable } from './table.ts'

/** The style of an object, or null where nothing of it is seen from above. */
export function styleOf(tags: Tags, geometry: Geometry['type']): Style | null {
  if (isUnseen(tags)) return null
  if (geometry === 'Point') return pointStyle(tags)
  if (geometry === 'LineString' || geometry === 'MultiLineString') return lineStyle(tags)
  // A closed barrier or the like is drawn along its edge.
  return buildingStyle(tags) ?? areaOf(tags) ?? lineStyle(tags)
}

/** Under the ground, inside a building, not built yet or only an idea. */
function isUnseen(tags: Tags): boolean {
  if (tags.tunnel !== undefined && tags.tunnel !== 'no' && tags.tunnel !== 'building_passage') return true
  if (tags.location === 'underground' || tags.parking === 'underground' || tags.parking === 'multi-storey')
    return tags.building === undefined
  if (tags.indoor !== undefined && tags.indoor !== 'no') return true
  return (
    Number(tags.layer) < 0 && tags.bridge === undefined && tags.natural === undefined && tags.waterway === undefined
  )
}

/** The style that a row describes by itself. */
const styleOfRow =
  (shape: Style['shape']) =>
  (row: Row): Style => ({
    layer: LAYERS[row.layer as keyof typeof LAYERS],
    shape,
    look: row.look!,
    width: Number(row.width ?? 0),
    height: Number(row.height ?? 0),
    colour: null,
    detail: row.surface ?? '',
  })

const withRow = (shape: Style['shape']) => (row: Row) => ({ row, style: styleOfRow(shape)(row) })

const areaOf = tagTable('areas', styleOfRow('area'))
const lineOf = tagTable('lines', withRow('line'))
const pointOf = tagTable('points', withRow('point'))
const roofOf = tagTable('roofs', (row) => row.look!)
const heightOf = readNamed('heights', 'building', (row) => Number(row.height))

const METRES_PER_LEVEL = 3.2
const USUAL_HEIGHT = 6.5

function buildingStyle(tags: Tags): Style | null {
  const isPart = tags['building:part'] !== undefined && tags['building:part'] !== 'no'
  const kind = tags.building ?? (isPart ? 'part' : 'no')
  if (kind === 'no') return null
  const levels = metres(tags['building:levels'], 0)
  const usual = levels > 0 ? levels * METRES_PER_LEVEL + 1.5 : (heightOf.get(kind) ?? USUAL_HEIGHT)
  return {
    layer: LAYERS.building,
    shape: 'area',
    look: roofOf(tags)!,
    width: 0,
    height: metres(tags.height, usual),
    colour: roofColour(tags['roof:colour']),
    detail: tags['roof:shape'] ?? '',
  }
}

function roofColour(text: string | undefined): Style['colour'] {
  if (text === undefined) return null
  const named = paletteNamed('paint').get(text)
  if (named) return [named[0], named[1], named[2]]
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text)
  if (!match) return null
  // Paint is duller from above than in a catalogue of colours.
  const duller = (hex: string) => Math.round(40 + Number.parseInt(hex, 16) * 0.7)
  return [duller(match[1]!), duller(match[2]!), duller(match[3]!)]
}

const UNPAVED = new Set(
  'unpaved gravel fine_gravel compacted dirt ground earth grass sand mud pebblestone rock woodchips'.split(' '),
)
const STONE = new Set('sett paving_stones cobblestone unhewn_cobblestone cobblestone:flattened bricks'.split(' '))

function paving({ surface = '' }: Tags): string {
  if (surface === 'grass') return 'grass'
  if (UNPAVED.has(surface)) return 'gravel'
  if (STONE.has(surface)) return 'stone'
  if (surface.startsWith('concrete')) return 'concrete'
  return surface === '' ? '' : 'asphalt'
}

/** No wall or hedge is drawn higher, in metres. */
const TALLEST_BARRIER = 8

function lineStyle(tags: Tags): Style | null {
  const found = lineOf(tags)
  if (!found) return null
  const { row, style } = found
  const usual = row.key === 'highway' && row.layer === 'road' ? roadWidth(tags, style.width) : style.width
  const onBridge = row['on bridges'] !== '' && tags.bridge !== undefined && tags.bridge !== 'no'
  const isPaved = row.key === 'highway' || row.key === 'aeroway'
  return {
    ...style,
    ...(onBridge && { layer: LAYERS.bridge, height: Number(row['on bridges']) }),
    ...(row.key === 'barrier' && { height: Math.min(TALLEST_BARRIER, metres(tags.height, style.height)) }),
    width: row.widest === '' ? usual : Math.min(Number(row.widest), metres(tags.width, usual)),
    detail: (isPaved && paving(tags)) || style.detail,
  }
}

/** Metres from kerb to kerb of a road without a `width`. */
function roadWidth(tags: Tags, usual: number): number {
  const lanes = metres(tags.lanes, 0)
  if (lanes > 0) return Math.max(3.2, lanes * 3.2 + 0.6)
  return tags.oneway === 'yes' && usual > 5 && usual < 9 ? usual * 0.75 : usual
}

function pointStyle(tags: Tags): Style | null {
  const found = pointOf(tags)
  if (!found) return null
  const { row, style } = found
  return {
    ...style,
    width: metres(tags[row['width from']!], style.width),
    height: metres(tags[row['height from'] || 'height'], style.height),
    detail: style.look === 'tree' ? (tags.leaf_type ?? '') : '',
  }
}
