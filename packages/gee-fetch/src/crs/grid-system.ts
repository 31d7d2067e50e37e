/** Coordinate systems on whose pixels images may lie. */
import { readFileSync } from 'node:fs'
import { type Box, InputError, METRES_PER_DEGREE_LATITUDE, once, type Position, radians } from '@skyscript/core'
import { datumFault, definitionOf } from './epsg.ts'
import { type Projection, projectionOf } from './projections.ts'

export interface GridSystem {
  /** `EPSG:` and its code. */
  readonly crs: string
  /** Longitude and latitude (degrees, WGS84) to easting and northing in the system's own units, and back. */
  forward(position: Position): Position
  inverse(position: Position): Position
  /** What the system can show, in its own units. */
  readonly bounds: Box
  /** Metres in a unit; of degrees, those of a degree of latitude. */
  readonly unit: number
  /** Whether its definition has northing (or latitude) before easting. */
  readonly isNorthFirst: boolean
}

export const DEGREES: GridSystem = {
  crs: 'EPSG:4326',
  forward: (each) => each,
  inverse: (each) => each,
  bounds: [-180, -90, 180, 90],
  unit: METRES_PER_DEGREE_LATITUDE,
  isNorthFirst: true,
}

const EARTH_RADIUS = 6_378_137
/** Half of the side of web mercator's square, metres at the equator. */
export const HALF_WORLD = Math.PI * EARTH_RADIUS

/** https://epsg.io/3857: metres at the equator; the poles are out of it. */
export const WEB_MERCATOR: GridSystem = {
  crs: 'EPSG:3857',
  forward: ([longitude, latitude]) => [
    EARTH_RADIUS * radians(longitude),
    EARTH_RADIUS * Math.asinh(Math.tan(radians(latitude))),
  ],
  inverse: ([x, y]) => [(x / EARTH_RADIUS) * (180 / Math.PI), Math.atan(Math.sinh(y / EARTH_RADIUS)) * (180 / Math.PI)],
  bounds: [-HALF_WORLD, -HALF_WORLD, HALF_WORLD, HALF_WORLD],
  unit: 1,
  isNorthFirst: false,
}

/** Systems of degrees that agree with WGS84 to a metre or two. */
const IN_DEGREES = [4326, 4258, 4269]
/** Web mercator's code, and those that it had before. */
const IN_WEB_MERCATOR = [3857, 3785, 900913, 102100, 102113]
/** Units of length by their names in definitions. */
const UNITS: Readonly<Record<string, number>> = { m: 1, ft: 0.3048, 'us-ft': 1200 / 3937, km: 1000 }

/** Whether positions of a system of longitudes and latitudes. */
export const isInDegrees = (system: GridSystem): boolean => system.unit === METRES_PER_DEGREE_LATITUDE

/**
 * The code in what services call a system: `EPSG:25832`, `urn:ogc:def:crs:EPSG::25832`, `urn:ogc:def:crs:EPSG:6.18:3:3857`
 * (as annex E of WMTS has it), `http://www.opengis.net/def/crs/EPSG/0/25832`; 4326 for `CRS:84`. null for none.
 */
export function epsgOf(name: string): number | null {
  if (/\bCRS:?84$|\bOGC:[\d.]*:84$/i.test(name)) return 4326
  const code = /EPSG[:/]+(?:[\d.]+[:/]+)*(\d{4,6})$/i.exec(name.trim())?.[1]
  return code === undefined ? null : Number(code)
}

/**
 * The system of a code.
 *
 * @param owner who needs it, for messages
 * @throws InputError `unknown-projection`
 */
export function gridSystemOf(epsg: number, owner: string): GridSystem {
  if (IN_WEB_MERCATOR.includes(epsg)) return WEB_MERCATOR
  if (IN_DEGREES.includes(epsg)) return { ...DEGREES, crs: `EPSG:${epsg}` }
  const projection: () => Projection = once(() => projectionOf(epsg, owner))
  const definition = definitionOf(epsg)
  const isUnknown = definition === null || /\+proj=longlat/.test(definition)
  const lacks = isUnknown ? 'a definition that is not known here' : datumFault(definition, false)
  if (lacks !== null)
    throw new InputError(
      'unknown-projection',
      `${owner} has EPSG:${epsg}, which needs ${lacks}; use another metric system that it offers, EPSG:3857 or EPSG:4326.`,
    )
  const [, toMetres] = /\+to_meter=([\d.eE+-]+)/.exec(definition!) ?? []
  const [, unit = 'm'] = /\+units=(\S+)/.exec(definition!) ?? []
  return {
    crs: `EPSG:${epsg}`,
    forward: (position) => projection().forward(position),
    inverse: (position) => projection().inverse(position),
    bounds: [-Infinity, -Infinity, Infinity, Infinity],
    unit: toMetres === undefined ? (UNITS[unit] ?? 1) : Number(toMetres),
    isNorthFirst: isNorthFirst(epsg),
  }
}

const northFirst = once(() =>
  readFileSync(new URL('../../tables/north-first.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('-').map(Number)),
)

const isNorthFirst = (epsg: number): boolean =>
  northFirst().some(([first, last = first]) => first! <= epsg && epsg <= last!)
