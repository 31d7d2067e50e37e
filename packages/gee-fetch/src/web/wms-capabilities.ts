/** What a Web Map Service says of itself: OGC 01-068r3 (1.1.1) and 06-042 (1.3.0). */
import type { Box, WmsSettings } from '@skyscript/core'
import { epsgOf } from '../crs/grid-system.ts'
import type { Element } from '../xml-element.ts'
import { formatFor, NOTHING_HERE, placeOf, systemFor } from './choices.ts'
import { boundsOf, documentOf, termsOf } from './ogc-xml.ts'
import { type Completed, type Fault, faultOf, listed, type Service, withQuery } from './service.ts'
import { timesFor } from './times.ts'
import { wmsSource } from './wms.ts'

interface Layer {
  /** With those of the layers that it is part of. */
  readonly systems: readonly string[]
  readonly extent: Box | null
  /** Values of its time dimension; null without one. */
  readonly times: string | null
}

/**
 * Settings with everything that the service says: version, coordinate system, format, times, and an extent within that of
 * the layers.
 *
 * @throws InputError for a layer or a system that it doesn't have; ServiceError where it can't be read
 */
export async function completeWms(settings: WmsSettings, service: Service): Promise<Completed<WmsSettings>> {
  const { alias, url, requests } = settings
  const fault = faultOf(settings)
  const address = withQuery(url, { SERVICE: 'WMS', VERSION: settings.version, REQUEST: 'GetCapabilities' })
  const text = await service.document(address, requests)
  const root = documentOf(text, ['WMS_Capabilities', 'WMT_MS_Capabilities'], `${alias}: ${url.split('?')[0]}`)
  // A service that doesn't know the version asked for answers in the highest that it knows.
  const version = root.attribute('version') === '1.3.0' ? (settings.version ?? '1.3.0') : '1.1.1'
  const layers = new Map<string, Layer>()
  for (const layer of root.at('Capability').all('Layer')) collect(layer, NOTHING, layers)
  const named = typeof settings.layers === 'string' ? settings.layers.split(/\s*,\s*/) : settings.layers
  const names = Object.values(named)
  const own = names.map((name) => {
    const layer = layers.get(name)
    if (!layer) throw fault(`has no layer ${name}; name one of ${listed([...layers.keys()])}`)
    return layer
  })
  const systems = own.reduce<readonly string[]>(
    (both, { systems }) => both.filter((each) => systems.includes(each)),
    own[0]!.systems,
  )
  const place = placeOf(
    settings.extent,
    own.map((layer) => layer.extent),
  )
  if (place === null) throw fault(NOTHING_HERE)
  const crs = settings.crs ?? systemFor(systems, place.box, alias)
  if (crs === null || !isOffered(crs, systems))
    throw fault(
      crs === null
        ? `offers ${names.join(', ')} in no coordinate system that is known here, only ${listed(systems)}`
        : `does not offer ${names.join(', ')} in ${crs}; name one of ${listed(systems)}`,
    )
  const offered = root
    .at('Capability', 'Request', 'GetMap')
    .all('Format')
    .map((each) => each.text)
  const provider = root.at('Service')
  const most = Math.min(numberOf(provider.at('MaxWidth')), numberOf(provider.at('MaxHeight')))
  const times = Array.isArray(named) ? timesFor(settings.times, own[0]!.times, alias, fault) : undefined
  const complete = {
    ...settings,
    ...(settings.dates && { dates: datesOf(settings.dates, layers, root, fault) }),
    ...{ version, crs, extent: place.extent, layers: Array.isArray(named) ? named.join() : named },
    tileSize: Math.min(settings.tileSize, most),
    ...(times && { times }),
  }
  const sourceWith = (format: string) => wmsSource({ ...complete, format })
  const format = settings.format ?? (await formatFor(offered, sourceWith, service, fault))
  return { settings: { ...complete, format }, terms: termsOf(provider) }
}

const NOTHING: Layer = { systems: [], extent: null, times: null }

/** Layers by name, each with what it inherits. */
function collect(element: Element, parent: Layer, into: Map<string, Layer>): void {
  const systems = [...element.all('CRS'), ...element.all('SRS')].flatMap((each) => each.text.split(/\s+/))
  const layer: Layer = {
    systems: [...new Set([...systems, ...parent.systems])],
    extent: extentOf(element) ?? parent.extent,
    times: timeOf(element) ?? parent.times,
  }
  const name = element.at('Name').text
  if (name !== '') into.set(name, layer)
  for (const each of element.all('Layer')) collect(each, layer, into)
}

function extentOf(element: Element): Box | null {
  const box = element.at('EX_GeographicBoundingBox')
  const sides = box.isThere
    ? ['westBoundLongitude', 'southBoundLatitude', 'eastBoundLongitude', 'northBoundLatitude'].map((side) =>
        Number(box.at(side).text),
      )
    : ['minx', 'miny', 'maxx', 'maxy'].map((side) => Number(element.at('LatLonBoundingBox').attribute(side)))
  return boundsOf(sides)
}

/** Version 1.3.0 has the values in `Dimension`, 1.1.1 in `Extent`. */
function timeOf(element: Element): string | null {
  const isTime = (each: Element) => each.attribute('name')?.toLowerCase() === 'time'
  const values = [...element.all('Extent'), ...element.all('Dimension')].find(
    (each) => isTime(each) && each.text !== '',
  )
  return values?.text ?? null
}

/** Services write a code in several ways. One that lists no system may know any. */
const isOffered = (crs: string, systems: readonly string[]): boolean =>
  systems.length === 0 || systems.some((each) => each === crs || (crs !== 'CRS:84' && epsgOf(each) === epsgOf(crs)))

/** Pixels; some services say 0 where they have no limit. */
const numberOf = (element: Element): number => (Number(element.text) > 0 ? Number(element.text) : Infinity)

/** Types of answers in which dates are found, best first. */
const ANSWERS = ['application/json', 'application/geo+json', 'text/xml', 'application/vnd.ogc.gml', 'text/plain']

function datesOf(
  { format, ...dates }: NonNullable<WmsSettings['dates']>,
  layers: ReadonlyMap<string, Layer>,
  root: Element,
  fault: Fault,
): NonNullable<WmsSettings['dates']> {
  if (!layers.has(dates.layer)) throw fault(`has no layer ${dates.layer}; name one of ${listed([...layers.keys()])}`)
  const offered = root
    .at('Capability', 'Request', 'GetFeatureInfo')
    .all('Format')
    .map((each) => each.text)
  const chosen = format ?? ANSWERS.find((each) => offered.includes(each)) ?? offered[0]
  if (chosen === undefined) throw fault('can not be asked about places (GetFeatureInfo); remove dates of the source')
  return { ...dates, format: chosen }
}
