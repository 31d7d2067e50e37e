import { createRequire } from 'node:module'
import { InputError, type Position } from '@skyscript/core'
import type proj4 from 'proj4'
import { definitionOfKeys, type GeoKeys, linearUnitOf, USER_DEFINED } from '../cog/geo-keys.ts'
import { datumFault, definitionOf } from './epsg.ts'

/** Converts between longitude, latitude in degrees (WGS84) and the easting and northing of a coordinate system. */
export interface Projection {
  forward(position: Position): Position
  inverse(position: Position): Position
  /** Difference in eastings of a full turn around the Earth; null if they don't repeat. */
  readonly turn: number | null
}

const load = createRequire(import.meta.url)

const DEGREES: Projection = { forward: (each) => each, inverse: (each) => each, turn: 360 }

/** Projections in which a full turn around the Earth is a constant step in eastings. */
const CYLINDRICAL = ['merc', 'eqc', 'cea', 'mill']

/**
 * @param epsg code of a geographic or projected coordinate system
 * @throws InputError `unknown-projection`
 */
export function projectionOf(epsg: number, file: string): Projection {
  // WGS84, ETRS89 and NAD83 agree to a metre or two.
  if (epsg === 4326 || epsg === 4258 || epsg === 4269) return DEGREES
  const definition = definitionOf(epsg)
  if (definition === null) throw unknown(file, `EPSG:${epsg}, which isn't known here`)
  return projectionBy(definition, `EPSG:${epsg}`, file)
}

/**
 * The coordinate system that a GeoTIFF's keys name by code, or describe.
 *
 * @throws InputError `unknown-projection`
 */
export function projectionOfKeys(keys: GeoKeys, file: string): Projection {
  const code = Number(keys.ProjectedCSTypeGeoKey ?? keys.GeographicTypeGeoKey ?? 0)
  const isDescribed =
    code === USER_DEFINED || (keys.GTModelTypeGeoKey === 1 && keys.ProjectedCSTypeGeoKey === undefined)
  if (!isDescribed) {
    if (code === 0) throw unknown(file, 'a coordinate system without an EPSG code')
    const unit = keys.ProjectedCSTypeGeoKey === undefined ? undefined : linearUnitOf(keys)
    const definition = definitionOf(code)
    if (typeof unit !== 'number' || definition === null) return projectionOf(code, file)
    // The unit in the file is the one its numbers use.
    return projectionBy(
      `${definition.replace(/\+(?:units|to_meter)=\S+/g, '')} +to_meter=${unit}`,
      `EPSG:${code}`,
      file,
    )
  }
  const described = definitionOfKeys(keys)
  if ('fault' in described) throw unknown(file, `a coordinate system without an EPSG code, ${described.fault}`)
  return projectionBy(described.definition, 'the coordinate system that it describes', file, described.hasShift)
}

function projectionBy(definition: string, name: string, file: string, hasShift = false): Projection {
  const fault = datumFault(definition, hasShift)
  if (fault !== null) throw unknown(file, `${name}, which needs ${fault}`)
  const isInDegrees = /\+proj=longlat/.test(definition)
  const kind = /\+proj=(\w+)/.exec(definition)?.[1] ?? ''
  try {
    // Keep longitudes beyond 180 degrees beyond it.
    // Loaded here: it takes a while, and few builds need it.
    const project = load('proj4') as typeof proj4
    const { forward, inverse } = project('WGS84', CYLINDRICAL.includes(kind) ? `${definition} +over` : definition)
    const projection = {
      forward: (position: Position): Position => forward(position, true),
      inverse: (position: Position): Position => inverse(position, true),
    }
    const turn = CYLINDRICAL.includes(kind) ? forward([90, 0])[0]! - forward([-90, 0])[0]! : null
    return { ...projection, turn: isInDegrees ? 360 : turn === null ? null : 2 * turn }
  } catch (error) {
    if (error instanceof InputError) throw error
    throw unknown(file, `${name}, which is of a kind (${kind}) that isn't known here`)
  }
}

const unknown = (file: string, what: string) =>
  new InputError(
    'unknown-projection',
    `${file} is in ${what}; reproject it, for example with gdalwarp -t_srs EPSG:3857.`,
  )
