import { parseXml, XmlElement } from '@rgrove/parse-xml'
import type { Outline, Position } from '@skyscript/core'
import { ringOf } from './geojson-layers.ts'
import { type Layer, type ReadLayer, sizeOf, textOf, yearsOf, zoomOf } from './layer.ts'

/**
 * Layers of JOSM's list of imagery in XML (https://josm.openstreetmap.de/wiki/MapsSchema).
 *
 * @returns null for a document of another kind, or one that is cut off
 */
export function josmLayers(text: string): ReadLayer[] | null {
  let root: XmlElement | null
  try {
    root = parseXml(text).root
  } catch {
    return null
  }
  return root?.name === 'imagery' ? childrenOf(root, 'entry').map(layerOf) : null
}

function layerOf(entry: XmlElement): ReadLayer {
  const of = (name: string) => textOf(childrenOf(entry, name)[0]?.text)
  const [id, type, url] = [of('id'), of('type'), of('url')]
  if (id === null) return { id, why: 'has no id' }
  if (type === null) return { id, why: 'has no type' }
  if (url === null) return { id, why: 'has no url' }
  const outline = outlineOf(childrenOf(entry, 'bounds')[0])
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

const childrenOf = (element: XmlElement, name: string): XmlElement[] =>
  element.children.filter((child) => child instanceof XmlElement && child.name === name) as XmlElement[]

/** undefined for what is no outline; null for none. */
function outlineOf(bounds: XmlElement | undefined): Outline | null | undefined {
  if (bounds === undefined) return null
  const shapes = childrenOf(bounds, 'shape')
  const at = ({ attributes }: XmlElement, x: string, y: string) => [Number(attributes[x]), Number(attributes[y])]
  const corners = () => {
    const [[west, south], [east, north]] = [at(bounds, 'min-lon', 'min-lat'), at(bounds, 'max-lon', 'max-lat')]
    return [[west, south], [east, south], [east, north], [west, north]] // biome-ignore format: one box
  }
  const rings = (
    shapes.length === 0
      ? [corners()]
      : shapes.map((shape) => childrenOf(shape, 'point').map((point) => at(point, 'lon', 'lat')))
  ).map(ringOf)
  if (rings.includes(undefined)) return undefined
  return { type: 'MultiPolygon', coordinates: (rings as Position[][]).map((ring) => [ring]) }
}
