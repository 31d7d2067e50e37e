import type { XyzSettings } from '@skyscript/core'
import { describedSource } from '@skyscript/core/config'
import { absoluteOf, type Completed, faultOf, jsonObject, type Service } from './service.ts'

/** What matters here of TileJSON 1.0 to 3.0 (https://github.com/mapbox/tilejson-spec). */
interface TileJson {
  readonly tiles?: unknown
  readonly minzoom?: unknown
  readonly maxzoom?: unknown
  readonly bounds?: unknown
  readonly scheme?: unknown
  readonly name?: unknown
  readonly attribution?: unknown
  readonly vector_layers?: unknown
}

const WORLD = JSON.stringify([-180, -90, 180, 90])

/** Settings of tiles with what their TileJSON says; what the user states counts more. */
export async function completeXyz(settings: XyzSettings, service: Service): Promise<Completed<XyzSettings>> {
  const { alias, url, requests } = settings
  const fault = faultOf(settings)
  const text = await service.document(url, requests)
  const json = jsonObject<TileJson>(text)
  if (json === null) throw fault(/^\s*</.test(text) ? 'is a web page, not TileJSON' : 'is no TileJSON')
  const { tiles, vector_layers, name } = json
  const template: unknown = Array.isArray(tiles) ? tiles[0] : undefined
  if (typeof template !== 'string') throw fault('is no TileJSON: it lists no tiles')
  if (vector_layers !== undefined) throw fault('describes vector tiles, which are no images')
  const zoom = settings.zoom ?? zoomOf(json)
  if (zoom === null) throw fault('has no maxzoom; state zoom: [first, last]')
  const [, last] = zoom
  const most = levelOf(json.maxzoom)
  if (most !== null && last > most) throw fault(`has levels up to ${most}, and zoom names ${last}`)
  const bounds = settings.extent
  const complete = {
    ...settings,
    url: addressOf(template, json.scheme, url),
    zoom,
    ...(JSON.stringify(bounds) === WORLD && isBounds(json.bounds) && { extent: json.bounds }),
    title: settings.title ?? (typeof name === 'string' && name.trim() !== '' ? name.trim() : undefined),
    credit: settings.credit ?? creditOf(json.attribution),
  }
  return { settings: describedSource(complete, alias) as XyzSettings, terms: [] }
}

const levelOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : null

function zoomOf({ minzoom, maxzoom }: TileJson): [number, number] | null {
  const last = levelOf(maxzoom)
  return last === null ? null : [Math.min(levelOf(minzoom) ?? 0, last), last]
}

/** Rows of `tms` count from the south. */
function addressOf(template: string, scheme: unknown, document: string): string {
  const absolute = absoluteOf(template, document)
  return scheme === 'tms' ? absolute.replaceAll('{y}', '{-y}') : absolute
}

function isBounds(value: unknown): value is [number, number, number, number] {
  if (!Array.isArray(value) || value.length !== 4 || !value.every((each) => typeof each === 'number')) return false
  const [west, south, east, north] = value as [number, number, number, number]
  return Math.abs(west) <= 180 && Math.abs(east) <= 180 && west < east && south >= -90 && north <= 90 && south < north
}

/** Attributions are HTML. */
function creditOf(attribution: unknown): string | undefined {
  if (typeof attribution !== 'string') return undefined
  const text = attribution
    .replace(/<[^>]*>/g, '')
    .replace(/&copy;/g, '©')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ')
    .trim()
  return text === '' ? undefined : text
}
