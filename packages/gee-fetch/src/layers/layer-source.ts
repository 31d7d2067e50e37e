import { InputError, type LayerSettings, radians } from '@skyscript/core'
import { coveredBy, middleOf } from '../coverage.ts'
import { mercatorStep } from '../lattice.ts'
import type { Layer } from './layer.ts'

/** What the settings say of a layer. */
export type StatedLayer = Omit<LayerSettings, 'kind' | 'index'>

/** Finer levels than this are never pixels of their own. */
const LAST_ZOOM = 24

/**
 * A layer as a region file would describe it.
 *
 * @throws InputError `bad-layer` for what lacks something, and for types of services that can't be read
 */
export function sourceOfLayer(layer: Layer, stated: StatedLayer): object {
  const { id, type, name, attribution, outline } = layer
  const fault = (what: string) => new InputError('bad-layer', `imagery.sources: the layer ${id} ${what}.`)
  const { alias, licence, title = name, credit = attribution ?? name, requests } = stated
  const years = stated.years ?? layer.years
  const common = {
    ...{ alias, title, licence, credit, years },
    ...(outline && { extent: outline }),
    ...(requests && { requests }),
  }
  if (type === 'tms') {
    const zoom = stated.zoom ?? zoomOf(layer)
    if (zoom === null) throw fault('has no max_zoom; state zoom: [first, last]')
    const { tileSize } = layer
    return { kind: 'xyz', ...common, url: templateOf(layer.url), zoom, ...(tileSize !== null && { tileSize }) }
  }
  if (type === 'wms') {
    const gsd = stated.gsd ?? gsdOfZoom(layer)
    if (gsd === null) throw fault('has neither a gsd nor a max_zoom; state gsd, in metres per pixel')
    return { kind: 'wms', ...common, ...mapRequest(layer.url), gsd }
  }
  throw fault(`is of type ${type.slice(0, 40)}, which is not supported; describe it as a source of your own`)
}

function zoomOf({ minZoom, maxZoom }: Layer): [number, number] | null {
  if (maxZoom === null) return null
  const last = Math.min(LAST_ZOOM, maxZoom)
  return [Math.min(minZoom ?? 0, last), last]
}

/** Metres per pixel of the last level, in the middle of the layer. */
function gsdOfZoom({ maxZoom, outline }: Layer): number | null {
  if (maxZoom === null) return null
  const [, latitude] = middleOf(coveredBy(outline ?? [-180, -60, 180, 60]))
  return Number((mercatorStep(maxZoom, 256) * Math.cos(radians(latitude))).toPrecision(2))
}

/** Both lists write a key in their own ways; JOSM puts the levels in front. */
const templateOf = (url: string): string =>
  url.replace(/^tms(\[[\d,]*\])?:/, '').replace(/\{(?:apikey|api_key|key)\}/gi, '{key}')

/** Parameters that a request for a map sets itself. */
const OWN = ['service', 'request', 'bbox', 'width', 'height', 'crs', 'srs', 'exceptions']

/** Address and settings of a request for a map, whose template has them in its query. */
function mapRequest(template: string): object {
  const [base = '', query = ''] = templateOf(template)
    .replace(/^wms(\[[^\]]*\])?:/, '')
    .split(/\?(.*)/s)
  const kept: string[] = []
  const found: Record<string, string> = {}
  for (const pair of query.split('&')) {
    const [name = '', value = ''] = pair.split(/=(.*)/s)
    const key = name.toLowerCase()
    if (pair === '' || OWN.includes(key) || key === 'transparent') continue
    if (['layers', 'styles', 'format', 'version'].includes(key)) found[key] = decodedText(value)
    else kept.push(pair)
  }
  const { layers = '', styles = '', version, format } = found
  const isKnown = version === '1.1.1' || version === '1.3.0'
  return {
    url: kept.length === 0 ? base : `${base}?${kept.join('&')}`,
    ...{ layers, styles },
    ...(isKnown && { version }),
    ...(format && { format }),
  }
}

function decodedText(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
