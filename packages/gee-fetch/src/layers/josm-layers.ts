import type { Outline, Position } from '@skyscript/core'
import { Element } from '../xml-element.ts'
import { ringOf } from './geojson-layers.ts'
import { type Layer, type ReadLayer, sizeOf, textOf, yearsOf, zoomOf } from './layer.ts'

/**
 * Layers of JOSM's list of imagery in XML (https://josm.openstreetmap.de/wiki/MapsSchema).
 *
 * @returns null for a document of another kind, or one that is cut off
 */
export function josmLayers(text: string): ReadLayer[] | null {
  let root: Element
  try {
    root = Element.parse(text)
  } catch {
    return null
  }
  return root.name === 'imagery' ? root.all('entry').map(layerOf) : null
}

function layerOf(entry: Element): ReadLayer {
  const of = (name: string) => textOf(entry.at(name).text)
  const [id, type, url] = [of('id'), of('type'), of('url')]
  if (id === null) return { id, why: 'has no id' }
  if (type === null) return { id, why: 'has no type' }
  if (url === null) return { id, why: 'has no url' }
  const outline = outlineOf(entry.at('bounds'))
  if (outline === undefined) return { id, why: 'has bounds that are no polygon in degrees' }
  const [start, end = start] = of('date')?.split(';') ?? []
  return {
    ...{ id, name: of('name') ?? id, type, url, outline },
    licenceUrl: of('permission-ref'),
    attribution: of('attribution-text'),
    minZoom: zoomOf(of('min-zoom')),
    maxZoom: zoomOf(of('max-zoom')),
    tileSize: sizeOf(of('tile-size')),
    years: yearsOf(start, end),
  } satisfies Layer
}

/** undefined for what is no outline; null for none. */
function outlineOf(bounds: Element): Outline | null | undefined {
  if (!bounds.isThere) return null
  const shapes = bounds.all('shape')
  const at = (place: Element, x: string, y: string) => [Number(place.attribute(x)), Number(place.attribute(y))]
  const corners = () => {
    const [[west, south], [east, north]] = [at(bounds, 'min-lon', 'min-lat'), at(bounds, 'max-lon', 'max-lat')]
    return [[west, south], [east, south], [east, north], [west, north]] // biome-ignore format: one box
  }
  const rings = (
    shapes.length === 0
      ? [corners()]
      : shapes.map((shape) => shape.all('point').map((point) => at(point, 'lon', 'lat')))
  ).map(ringOf)
  if (rings.includes(undefined)) return undefined
  return { type: 'MultiPolygon', coordinates: (rings as Position[][]).map((ring) => [ring]) }
}
