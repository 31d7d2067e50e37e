import type { Outline, Position } from '@skyscript/core'
import { type Layer, type ReadLayer, sizeOf, textOf, yearsOf, zoomOf } from './layer.ts'

/**
 * Layers of a GeoJSON FeatureCollection: OSM's editor layer index
 * (https://github.com/osmlab/editor-layer-index/blob/gh-pages/schema.json), or JOSM's list in that form
 * (https://josm.openstreetmap.de/maps?format=geojson).
 *
 * @returns null for JSON of another shape
 */
export function geoJsonLayers(json: unknown): ReadLayer[] | null {
  const { features } = (json ?? {}) as { features?: unknown }
  return Array.isArray(features) ? features.map(layerOf) : null
}

function layerOf(feature: unknown): ReadLayer {
  const { properties, geometry } = (feature ?? {}) as { properties?: unknown; geometry?: unknown }
  if (typeof properties !== 'object' || properties === null) return { id: null, why: 'has no properties' }
  const of = properties as Record<string, unknown>
  const id = textOf(of.id)
  if (id === null) return { id, why: 'has no id' }
  const [type, url] = [textOf(of.type), textOf(of.url)]
  if (type === null) return { id, why: 'has no type' }
  if (url === null) return { id, why: 'has no url' }
  const outline = outlineOf(geometry)
  if (outline === undefined) return { id, why: 'has a geometry that is no polygon in degrees' }
  return {
    ...{ id, name: textOf(of.name) ?? id, type, url, outline },
    licenceUrl: textOf(of.license_url) ?? textOf(of.permission_url),
    attribution: attributionOf(of.attribution),
    minZoom: zoomOf(of.min_zoom),
    maxZoom: zoomOf(of.max_zoom),
    tileSize: sizeOf(of['tile-size'] ?? of.tile_size),
    years: yearsOf(of.start_date, of.end_date),
  } satisfies Layer
}

const attributionOf = (value: unknown): string | null =>
  typeof value === 'object' && value !== null ? textOf((value as { text?: unknown }).text) : textOf(value)

/** undefined for what is no outline; null for none. */
function outlineOf(geometry: unknown): Outline | null | undefined {
  if (geometry === null || geometry === undefined) return null
  const { type, coordinates } = geometry as { type?: unknown; coordinates?: unknown }
  if (type === 'Polygon') {
    const rings = ringsOf(coordinates)
    return rings && { type, coordinates: rings }
  }
  if (type !== 'MultiPolygon' || !Array.isArray(coordinates) || coordinates.length === 0) return undefined
  const polygons = coordinates.map(ringsOf)
  return polygons.includes(undefined) ? undefined : { type, coordinates: polygons as Position[][][] }
}

function ringsOf(value: unknown): Position[][] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined
  const rings = value.map(ringOf)
  return rings.includes(undefined) ? undefined : (rings as Position[][])
}

/** A closed ring; a third coordinate is left out. */
export function ringOf(value: unknown): Position[] | undefined {
  if (!Array.isArray(value)) return undefined
  const ring = value.map((position: unknown): Position | undefined => {
    const [x, y] = Array.isArray(position) ? (position as unknown[]) : []
    const isPlace = typeof x === 'number' && typeof y === 'number' && Math.abs(x) <= 180 && Math.abs(y) <= 90
    return isPlace ? [x, y] : undefined
  })
  if (ring.includes(undefined)) return undefined
  const closed = ring as Position[]
  const [first, last] = [closed[0], closed.at(-1)]
  if (first && (first[0] !== last![0] || first[1] !== last![1])) closed.push(first)
  return closed.length >= 4 ? closed : undefined
}
