import { InputError } from '@skyscript/core'
import { geoJsonLayers } from './geojson-layers.ts'
import { josmLayers } from './josm-layers.ts'
import type { Layer, LayerCatalogue, ReadLayer } from './layer.ts'

/**
 * Reads a catalogue of editors' backgrounds: GeoJSON of OSM's editor layer index or of JOSM, or JOSM's XML.
 *
 * @param name for messages
 * @throws InputError `bad-catalogue` for anything else; entries that can't be used are in the result
 */
export function readLayers(text: string, name: string): LayerCatalogue {
  const begin = text.slice(0, 1000).replace(/^[\s\uFEFF]+/, '')
  const entries = begin.startsWith('<') ? ofMarkup(text, begin, name) : ofJson(text, name)
  const layers = new Map<string, Layer>()
  const broken: { readonly id: string | null; readonly why: string }[] = []
  for (const entry of entries) {
    if ('why' in entry) broken.push(entry)
    else if (layers.has(entry.id)) broken.push({ id: entry.id, why: 'has the id of another entry' })
    else layers.set(entry.id, entry)
  }
  return { layers: [...layers.values()], broken }
}

function ofMarkup(text: string, begin: string, name: string): ReadLayer[] {
  if (/^<(!doctype html|html|head|body)/i.test(begin))
    throw bad(name, 'is a web page; give the address of the file itself, such as .../imagery.geojson')
  const entries = josmLayers(text)
  if (entries === null) throw bad(name, "is XML, but not JOSM's list of imagery")
  return entries
}

function ofJson(text: string, name: string): ReadLayer[] {
  let json: unknown
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch {
    throw bad(name, 'is neither JSON nor XML')
  }
  const entries = geoJsonLayers(json)
  if (entries === null) throw bad(name, 'is JSON, but not a GeoJSON FeatureCollection of layers')
  return entries
}

const bad = (name: string, what: string) => new InputError('bad-catalogue', `imagery.catalogue: ${name} ${what}.`)
