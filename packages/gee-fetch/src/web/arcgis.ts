import { type ArcgisSettings, type Box, boxCenter, InputError, radians } from '@skyscript/core'
import { epsgOf, type GridSystem, gridSystemOf, WEB_MERCATOR } from '../crs/grid-system.ts'
import { systemLattice } from '../lattice.ts'
import { placeOf, smallerFormat, systemFor } from './choices.ts'
import { onePicture, pictureFacts, picturesOf } from './picture-facts.ts'
import { type Completed, type Service, withQuery } from './service.ts'
import type { Picture, TilePlace, TileSource } from './tile-source.ts'
import { sidesOf, unknownPixels } from './wms.ts'

/** Raise when maps give other pixels. */
const MAPS_VERSION = 1

const fileOf = (url: string, file: string): string => url.replace(/\/?(\?|$)/, `/${file}$1`)

/**
 * A source of maps of an image service of ArcGIS
 * (https://developers.arcgis.com/rest/services-reference/enterprise/export-image/), which lie as those of `wmsSource`, and
 * may be incomplete like it.
 */
export function arcgisSource(settings: ArcgisSettings): TileSource {
  const { url, gsd = UNKNOWN_GSD, crs, format, tileSize, years, times } = settings
  const [pictures] = times ? picturesOf('', years, times.map(String)) : [onePicture('latest', years)]
  const isComplete = settings.gsd !== undefined && crs !== undefined && format !== undefined
  return {
    ...pictureFacts(settings, pictures),
    kind: 'tiles',
    gsd,
    url,
    tile: { width: tileSize, height: tileSize },
    corner: { x: 0, y: 0 },
    sizeSetting: null,
    coarserBy: (factor) => arcgisSource({ ...settings, gsd: gsd * factor }),
    ...(isComplete ? mapsOf({ ...settings, gsd, crs, format }) : unknownPixels(settings)),
  }
}

/** Metres; such services have aerial pictures as a rule. */
const UNKNOWN_GSD = 1

function mapsOf({
  alias,
  url,
  gsd,
  crs,
  format,
  bands,
  tileSize,
  times,
  mosaicRule,
  yearField,
}: ArcgisSettings & { readonly gsd: number; readonly crs: string; readonly format: string }) {
  const code = epsgOf(crs)!
  const system = gridSystemOf(code, alias)
  return {
    latticeIn: (tile: string) => systemLattice(system, gsd, tile),
    addressOf: (place: TilePlace, { name, time }: Picture) => {
      const rule = times && yearField ? { ...mosaicRule, where: `${yearField} = ${name}` } : mosaicRule
      return withQuery(fileOf(url, 'exportImage'), {
        bbox: sidesOf(place, tileSize).join(),
        bboxSR: String(code),
        imageSR: String(code),
        size: `${tileSize},${tileSize}`,
        format,
        pixelType: 'U8',
        interpolation: 'RSP_NearestNeighbor',
        bandIds: bands.map((band) => band - 1).join(),
        ...(rule && { mosaicRule: JSON.stringify(rule) }),
        ...(times && !yearField && { time: `${time},${Date.UTC(Number(name) + 1, 0) - 1}` }),
        f: 'image',
      })
    },
    decides: [MAPS_VERSION, url, crs, format, bands, mosaicRule ?? null, yearField ?? null, tileSize, gsd],
  }
}

interface Description {
  readonly extent?: {
    readonly xmin: number
    readonly ymin: number
    readonly xmax: number
    readonly ymax: number
    readonly spatialReference?: { readonly wkid?: number; readonly latestWkid?: number }
  }
  readonly pixelSizeX?: number | null
  readonly maxImageWidth?: number | null
  readonly maxImageHeight?: number | null
  readonly bandCount?: number | null
  readonly timeInfo?: unknown
  readonly copyrightText?: string | null
  readonly error?: { readonly message?: string } | null
}

/** Settings with everything that the service says: coordinate system, GSD, format, and the years that it can be asked for. */
export async function completeArcgis(settings: ArcgisSettings, service: Service): Promise<Completed<ArcgisSettings>> {
  const { alias, url, requests, bands, years, yearField } = settings
  const base = url.split('?')[0]!
  const fault = (what: string) => new InputError('imagery-settings', `${alias}: ${base} ${what}.`)
  const described = jsonOf(await service.document(withQuery(url, { f: 'json' }), requests), fault)
  const { extent, pixelSizeX, bandCount, timeInfo, copyrightText } = described
  if (!extent) throw fault('describes no image service with a known place')
  const reference = extent.spatialReference?.latestWkid ?? extent.spatialReference?.wkid
  if (!reference && settings.crs === undefined)
    throw fault(
      'describes no image service with a known place: its coordinate system has no code; set crs of the source',
    )
  const most = Math.max(...bands)
  if (bandCount && bandCount < most) throw fault(`has ${bandCount} bands, and bands names ${most}`)
  const system = systemOf(reference, settings)
  const place = placeOf(settings.extent, [system && boundsIn(system, extent)])
  if (place === null) throw fault('has nothing within the extent of the source')
  const crs = settings.crs ?? systemFor([`EPSG:${reference}`, 'EPSG:3857'], place.box, alias)!
  const gsd = settings.gsd ?? (system && gsdOf(pixelSizeX, system, place.box))
  if (gsd === null) throw fault('does not say its pixel size; set gsd of the source')
  const isByYear = Boolean(timeInfo) || yearField !== undefined
  const complete = {
    ...settings,
    crs,
    gsd,
    extent: place.extent,
    tileSize: Math.min(settings.tileSize, described.maxImageWidth || Infinity, described.maxImageHeight || Infinity),
    ...(isByYear && Array.isArray(years) && { times: settings.times ?? yearsIn(years) }),
  }
  const [first, second] = (['png32', 'jpgpng'] as const).map(
    (format) => [format, arcgisSource({ ...complete, format })] as const,
  )
  const format = settings.format ?? ((await smallerFormat(service, first!, second!)) as 'png32' | 'jpgpng')
  return { settings: { ...complete, format }, terms: copyrightText ? [copyrightText] : [] }
}

/** The service's own system; null where it isn't known, and the settings say in which one to ask. */
function systemOf(reference: number | undefined, { alias, crs }: ArcgisSettings): GridSystem | null {
  try {
    return gridSystemOf(reference ?? 0, alias)
  } catch (error) {
    if (crs !== undefined && error instanceof InputError) return null
    throw error
  }
}

const yearsIn = ([first, last]: readonly number[]): number[] =>
  Array.from({ length: last! - first! + 1 }, (_, i) => first! + i)

/** Bounds of a rectangle, degrees: as its corners and the middles of its sides have them. */
function boundsIn({ inverse }: GridSystem, { xmin, ymin, xmax, ymax }: NonNullable<Description['extent']>): Box {
  const places = [xmin, (xmin + xmax) / 2, xmax].flatMap((x) =>
    [ymin, (ymin + ymax) / 2, ymax].map((y) => inverse([x, y])),
  )
  const [xs, ys] = [places.map(([x]) => x), places.map(([, y]) => y)]
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
}

/** GSD on the ground of a pixel size in the service's own system, three digits; null where it isn't known. */
function gsdOf(size: number | null | undefined, system: GridSystem, box: Box): number | null {
  if (!size) return null
  const scale = system === WEB_MERCATOR ? Math.cos(radians(boxCenter(box)[1])) : 1
  return Number((size * system.unit * scale).toPrecision(3))
}

function jsonOf(text: string, fault: (what: string) => InputError): Description {
  let described: Description | null = null
  try {
    described = JSON.parse(text) as Description | null
  } catch {
    // The same fault.
  }
  if (typeof described !== 'object' || described === null)
    throw fault('answers with something other than JSON, so it is no image service of ArcGIS')
  if (described.error) throw fault(`refuses to describe itself (${described.error.message ?? 'no reason given'})`)
  return described
}
