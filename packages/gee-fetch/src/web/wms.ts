import { InputError, type WmsSettings } from '@skyscript/core'
import { epsgOf, gridSystemOf } from '../crs/grid-system.ts'
import { systemLattice } from '../lattice.ts'
import { pictureFacts, picturesOf } from './picture-facts.ts'
import { withQuery } from './service.ts'
import type { Picture, TilePlace, TileSource } from './tile-source.ts'

/** Raise when maps give other pixels. */
const MAPS_VERSION = 1

/**
 * A source of maps of a Web Map Service (OGC 01-068r3 and 06-042). Its maps lie side by side from the origin of their
 * coordinate system, at the pictures' own GSD, so a service that has them in this system resamples nothing.
 *
 * Where something is still to be read from the service (see `completeWms`), only its facts are known, and its pixels throw
 * an InputError.
 */
export function wmsSource(settings: WmsSettings): TileSource {
  const { url, layers, gsd, tileSize, years, times, crs, version, format } = settings
  const [pictures, layerOf] = picturesOf(layers, years, times)
  const isComplete = crs !== undefined && version !== undefined && format !== undefined
  return {
    ...pictureFacts(settings, pictures),
    kind: 'tiles',
    gsd,
    url,
    tile: { width: tileSize, height: tileSize },
    corner: { x: 0, y: 0 },
    sizeSetting: null,
    coarserBy: (factor) => wmsSource({ ...settings, gsd: gsd * factor }),
    ...(isComplete ? mapsOf({ ...settings, crs, version, format }, layerOf) : unknownPixels(settings)),
  }
}

type Pixels = Pick<TileSource, 'latticeIn' | 'addressOf' | 'decides' | 'dates'>

function mapsOf(
  {
    alias,
    url,
    layers,
    styles,
    crs,
    version,
    format,
    axis,
    times,
    tileSize,
    gsd,
    dates,
  }: WmsSettings & { readonly crs: string; readonly version: string; readonly format: string },
  layerOf: (picture: Picture) => string,
): Pixels {
  const system = gridSystemOf(epsgOf(crs)!, alias)
  const byDefinition = system.isNorthFirst && crs !== 'CRS:84'
  const isNorthFirst = version === '1.3.0' && (axis === 'by-definition' ? byDefinition : axis === 'north-first')
  const request = (name: string, layer: string, place: TilePlace) => {
    const [west, south, east, north] = sidesOf(place, tileSize)
    return {
      SERVICE: 'WMS',
      VERSION: version,
      REQUEST: name,
      LAYERS: layer,
      STYLES: name === 'GetMap' ? styles : '',
      [version === '1.3.0' ? 'CRS' : 'SRS']: crs === 'CRS:84' && version === '1.1.1' ? 'EPSG:4326' : crs,
      BBOX: (isNorthFirst ? [south, west, north, east] : [west, south, east, north]).join(),
      WIDTH: String(tileSize),
      HEIGHT: String(tileSize),
      FORMAT: format,
    }
  }
  const middle = String(tileSize >> 1)
  return {
    latticeIn: (tile) => systemLattice(system, gsd, tile),
    addressOf: (place, picture) =>
      withQuery(url, {
        ...request('GetMap', layerOf(picture), place),
        // JPEGs can't be transparent: black is known for no data, and white is not.
        ...(/jpe?g/.test(format) ? { BGCOLOR: '0x000000' } : { TRANSPARENT: 'TRUE' }),
        ...(times && { TIME: picture.name }),
      }),
    ...(dates && {
      dates: {
        property: dates.property,
        addressOf: (place) =>
          withQuery(url, {
            ...request('GetFeatureInfo', dates.layer, place),
            QUERY_LAYERS: dates.layer,
            INFO_FORMAT: dates.format ?? 'text/plain',
            FEATURE_COUNT: '10',
            ...(version === '1.3.0' ? { I: middle, J: middle } : { X: middle, Y: middle }),
          }),
      },
    }),
    decides: [MAPS_VERSION, url, layers, styles, crs, version, format, isNorthFirst, tileSize, gsd],
  }
}

/** Sides of a map among maps that lie side by side from the origin of their coordinate system. */
export function sidesOf(
  { column, row, stepX, stepY }: Parameters<TileSource['addressOf']>[0],
  size: number,
): [west: number, south: number, east: number, north: number] {
  // Thirteen digits: sides that maps share have the same text, whatever rounding did.
  const digits = (value: number): number => Number(value.toPrecision(13))
  const [west, east] = [digits(column * size * stepX), digits((column + 1) * size * stepX)]
  return [west, digits(-(row + 1) * size * stepY), east, digits(-row * size * stepY)]
}

/** Of settings that are still to be completed. */
export function unknownPixels({ alias }: { readonly alias: string }): Pixels {
  const missing = (): never => {
    throw new InputError('source-incomplete', `${alias} has settings that are still to be read from its service.`)
  }
  return { latticeIn: missing, addressOf: missing, decides: [] }
}
