import type { WmsSettings } from '@skyscript/core'
import { type Maps, mapSource, sidesOf, systemOf } from './map-source.ts'
import { picturesOf } from './picture-facts.ts'
import { withQuery } from './service.ts'
import type { Picture, TilePlace, TileSource } from './tile-source.ts'

/** Raise when maps give other pixels. */
const MAPS_VERSION = 1

/** A source of maps of a Web Map Service (OGC 01-068r3 and 06-042); incomplete until `completeWms` has read the service. */
export function wmsSource(settings: WmsSettings): TileSource {
  const { layers, years, times, crs, version, format } = settings
  const [pictures, layerOf] = picturesOf(layers, years, times)
  const isComplete = crs !== undefined && version !== undefined && format !== undefined
  const maps = isComplete ? mapsOf({ ...settings, crs, version, format }, layerOf) : null
  return mapSource(settings, pictures, maps, (gsd) => wmsSource({ ...settings, gsd }))
}

function mapsOf(
  settings: WmsSettings & { readonly crs: string; readonly version: string; readonly format: string },
  layerOf: (picture: Picture) => string,
): Maps {
  const { alias, url, layers, styles, crs, version, format, axis, times, tileSize, gsd, dates } = settings
  const system = systemOf(crs, alias)
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
    system,
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
