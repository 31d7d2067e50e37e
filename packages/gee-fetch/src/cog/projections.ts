import { InputError, type Position } from '@skyscript/core'
import proj4 from 'proj4'

const ETRS89 = '+ellps=GRS80 +towgs84=0,0,0,0,0,0,0 +units=m +no_defs'

/**
 * Coordinate systems of national imagery by EPSG code, as https://epsg.io gives them for PROJ. Shifts to WGS84 of seven
 * numbers are metres, arc seconds and parts per million, of the position vector convention.
 */
const KNOWN: Readonly<Record<number, string>> = {
  3035: `+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 ${ETRS89}`,
  3067: `+proj=utm +zone=35 ${ETRS89}`,
  3857: '+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +nadgrids=@null +no_defs',
  2056: '+proj=somerc +lat_0=46.9524055555556 +lon_0=7.43958333333333 +k_0=1 +x_0=2600000 +y_0=1200000 +ellps=bessel +towgs84=674.374,15.056,405.346,0,0,0,0 +units=m +no_defs',
  21781:
    '+proj=somerc +lat_0=46.9524055555556 +lon_0=7.43958333333333 +k_0=1 +x_0=600000 +y_0=200000 +ellps=bessel +towgs84=674.374,15.056,405.346,0,0,0,0 +units=m +no_defs',
  2154: `+proj=lcc +lat_0=46.5 +lon_0=3 +lat_1=49 +lat_2=44 +x_0=700000 +y_0=6600000 ${ETRS89}`,
  27700:
    '+proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy +towgs84=446.448,-125.157,542.06,0.15,0.247,0.842,-20.489 +units=m +no_defs',
  28992:
    '+proj=sterea +lat_0=52.1561605555556 +lon_0=5.38763888888889 +k=0.9999079 +x_0=155000 +y_0=463000 +ellps=bessel +towgs84=565.4171,50.3319,465.5524,-0.398957388243134,0.343987817378283,-1.87740163998045,4.0725 +units=m +no_defs',
  31370:
    '+proj=lcc +lat_0=90 +lon_0=4.36748666666667 +lat_1=51.1666672333333 +lat_2=49.8333339 +x_0=150000.013 +y_0=5400088.438 +ellps=intl +towgs84=-106.8686,52.2978,-103.7239,0.3366,-0.457,1.8422,-1.2747 +units=m +no_defs',
  // With the shift of EPSG:5239, good to a metre in Czechia: the one of three numbers that is often given is out by five.
  5514: '+proj=krovak +lat_0=49.5 +lon_0=24.8333333333333 +alpha=30.2881397527778 +k=0.9999 +x_0=0 +y_0=0 +ellps=bessel +towgs84=572.213,85.334,461.94,4.9732,1.529,5.2484,3.5378 +units=m +no_defs',
}

/** Between longitude, latitude in degrees (WGS84) and the easting and northing of a coordinate system. */
export interface Projection {
  forward(position: Position): Position
  inverse(position: Position): Position
}

/**
 * @param epsg code of a geographic or projected coordinate system
 * @throws InputError `unknown-projection`
 */
export function projectionOf(epsg: number, file: string): Projection {
  // WGS84, ETRS89 and the American datum of 1983 lie within a metre or two of one another.
  if (epsg === 4326 || epsg === 4258 || epsg === 4269) return { forward: (each) => each, inverse: (each) => each }
  const definition = KNOWN[epsg] ?? utm(epsg)
  // 32767 is what a GeoTIFF says of a system that has no code and is spelt out, by parts or in words.
  const named = epsg === 0 || epsg === 32767 ? 'a coordinate system without an EPSG code' : `EPSG:${epsg}`
  if (definition === null)
    throw new InputError(
      'unknown-projection',
      `${file} is in ${named}, which isn't known here; reproject it, for example with gdalwarp -t_srs EPSG:3857.`,
    )
  const { forward, inverse } = proj4('WGS84', definition)
  return { forward: (position) => forward(position), inverse: (position) => inverse(position) }
}

/** The zones of UTM: on WGS84 north and south, on ETRS89, and on the American datum of 1983. */
function utm(epsg: number): string | null {
  const zoneFrom = (first: number, last: number, base: number) => (epsg >= first && epsg <= last ? epsg - base : null)
  const north = zoneFrom(32601, 32660, 32600)
  const south = zoneFrom(32701, 32760, 32700)
  const europe = zoneFrom(25828, 25838, 25800)
  const america = zoneFrom(26901, 26923, 26900)
  if (north !== null) return `+proj=utm +zone=${north} +datum=WGS84 +units=m +no_defs`
  if (south !== null) return `+proj=utm +zone=${south} +south +datum=WGS84 +units=m +no_defs`
  const zone = europe ?? america
  return zone === null ? null : `+proj=utm +zone=${zone} ${ETRS89}`
}
