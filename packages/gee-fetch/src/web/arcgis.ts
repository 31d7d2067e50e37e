import { type ArcgisSettings, type Box, boxCenter, InputError, radians } from '@skyscript/core'
import { epsgOf, type GridSystem, gridSystemOf, WEB_MERCATOR } from '../crs/grid-system.ts'
import { NOTHING_HERE, placeOf, smallerFormat, systemFor } from './choices.ts'
import { type Maps, mapSource, sidesOf, systemOf } from './map-source.ts'
import { onePicture, picturesOf } from './picture-facts.ts'
import { type Completed, faultOf, jsonObject, type Service, withQuery } from './service.ts'
import type { TileSource } from './tile-source.ts'

/** Raise when maps give other pixels. */
const MAPS_VERSION = 1

/**
 * A source of maps of an image service of ArcGIS
 * (https://developers.arcgis.com/rest/services-reference/enterprise/export-image/); incomplete until `completeArcgis` has
 * read the service.
 */
export function arcgisSource(settings: ArcgisSettings): TileSource {
  const { gsd, crs, format, years, times } = settings
  const [pictures] = times ? picturesOf('', years, times.map(String)) : [onePicture('latest', years)]
  const isComplete = gsd !== undefined && crs !== undefined && format !== undefined
  const maps = isComplete ? mapsOf({ ...settings, gsd, crs, format }) : null
  return mapSource({ ...settings, gsd: gsd ?? UNKNOWN_GSD }, pictures, maps, (coarser) =>
    arcgisSource({ ...settings, gsd: coarser }),
  )
}

/** Metres, until the service has said its own: most such services have aerial pictures. */
const UNKNOWN_GSD = 1

function mapsOf(
  settings: ArcgisSettings & { readonly gsd: number; readonly crs: string; readonly format: string },
): Maps {
  const { alias, url, gsd, crs, format, bands, tileSize, times, mosaicRule, yearField } = settings
  const code = String(epsgOf(crs))
  return {
    system: systemOf(crs, alias),
    addressOf: (place, { name, time }) => {
      const rule = times && yearField ? { ...mosaicRule, where: `${yearField} = ${name}` } : mosaicRule
      return withQuery(url.replace(/\/?(\?|$)/, '/exportImage$1'), {
        bbox: sidesOf(place, tileSize).join(),
        bboxSR: code,
        imageSR: code,
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
  const fault = faultOf(settings)
  const described = jsonObject<Description>(await service.document(withQuery(url, { f: 'json' }), requests))
  if (described === null)
    throw fault('answers with something other than JSON, so it is no image service of ArcGIS; check its address')
  if (described.error) throw fault(`refuses to describe itself (${described.error.message ?? 'no reason given'})`)
  const { extent, pixelSizeX, bandCount, timeInfo, copyrightText } = described
  if (!extent) throw fault('describes no image service with a known place; check its address')
  const reference = extent.spatialReference?.latestWkid ?? extent.spatialReference?.wkid
  if (!reference && settings.crs === undefined)
    throw fault(
      'describes no image service with a known place: its coordinate system has no code; set crs of the source',
    )
  const most = Math.max(...bands)
  if (bandCount && bandCount < most) throw fault(`has ${bandCount} bands, and bands names ${most}; name others`)
  const system = ownSystem(reference, settings)
  const place = placeOf(settings.extent, [system && boundsIn(system, extent)])
  if (place === null) throw fault(NOTHING_HERE)
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
function ownSystem(reference: number | undefined, { alias, crs }: ArcgisSettings): GridSystem | null {
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
