/** Coordinate systems that a GeoTIFF describes by its keys (https://docs.ogc.org/is/19-008r4/19-008r4.html). */
import { datumIn, definitionOf } from '../crs/epsg.ts'

/** Values by key name, as geotiff returns them. */
export type GeoKeys = Readonly<Record<string, unknown>>

/** The code for "described by other keys". */
export const USER_DEFINED = 32767

/** A proj4 definition, or what is unsupported in the keys. */
export type Described =
  | { readonly definition: string /** The shift to WGS84 is the file's own. */; readonly hasShift: boolean }
  | { readonly fault: string }

class Fault extends Error {}

export function definitionOfKeys(keys: GeoKeys): Described {
  try {
    const datum = datumOf(keys)
    const hasShift = typeof keys.GeogTOWGS84GeoKey === 'object'
    if (keys.GTModelTypeGeoKey === 2) {
      if (degreesPerUnit(keys) !== 1) throw new Fault('in angles that are no degrees')
      return { definition: `+proj=longlat ${datum} +no_defs`, hasShift }
    }
    const unit = linearUnitOf(keys)
    if (unit === null) throw new Fault(`in the unit ${keys.ProjLinearUnitsGeoKey}, which isn't known here`)
    return { definition: `${projectionOf(keys, unit ?? 1)} ${datum} +to_meter=${unit ?? 1} +no_defs`, hasShift }
  } catch (error) {
    if (error instanceof Fault) return { fault: error.message }
    throw error
  }
}

/** Metres per EPSG unit of length. */
const LINEAR_UNITS: Readonly<Record<number, number>> = {
  9001: 1,
  9002: 0.3048,
  9003: 1200 / 3937,
  9005: 0.3047972654,
  9036: 1000,
  9037: 0.9143984146160287,
  9040: 0.9143984146160287,
  9062: 0.9143985307444408,
  9084: 0.9143985307444408,
  9096: 0.9144,
}

/** Metres per unit of eastings; undefined if the file doesn't say, null for an unknown unit. */
export function linearUnitOf(keys: GeoKeys): number | null | undefined {
  const code = numberOf(keys, 'ProjLinearUnitsGeoKey')
  if (code === undefined) return undefined
  if (code === USER_DEFINED) return numberOf(keys, 'ProjLinearUnitSizeGeoKey') ?? null
  return LINEAR_UNITS[code] ?? null
}

function degreesPerUnit(keys: GeoKeys): number {
  const code = numberOf(keys, 'GeogAngularUnitsGeoKey') ?? 9102
  if (code === 9102 || code === 9122) return 1
  if (code === 9101) return 180 / Math.PI
  if (code === 9105 || code === 9106) return 0.9
  throw new Fault(`in the unit ${code} of angles, which isn't known here`)
}

function numberOf(keys: GeoKeys, ...names: string[]): number | undefined {
  for (const name of names) {
    const value = keys[name]
    if (value === undefined || value === null) continue
    const number = Number(typeof value === 'object' ? (value as ArrayLike<number>)[0] : value)
    if (Number.isFinite(number)) return number
  }
  return undefined
}

/** proj4's names of EPSG's ellipsoids. */
const ELLIPSOIDS: Readonly<Record<number, string>> = {
  7001: 'airy',
  7002: 'mod_airy',
  7003: 'aust_SA',
  7004: 'bessel',
  7008: 'clrk66',
  7012: 'clrk80',
  7019: 'GRS80',
  7022: 'intl',
  7024: 'krass',
  7030: 'WGS84',
  7043: 'WGS72',
}
const GREENWICH = 8901

function datumOf(keys: GeoKeys): string {
  const ellipsoid = ellipsoidOf(keys)
  const shift = keys.GeogTOWGS84GeoKey
  if (typeof shift !== 'object' || shift === null) return ellipsoid
  const numbers = Array.from(shift as ArrayLike<number>).join()
  return `${ellipsoid.replace(/\+(?:towgs84|datum)=\S+/g, '')} +towgs84=${numbers}`
}

function ellipsoidOf(keys: GeoKeys): string {
  const geographic = numberOf(keys, 'GeographicTypeGeoKey')
  const datum = numberOf(keys, 'GeogGeodeticDatumGeoKey')
  // EPSG's codes of older datums are those of their geographic systems plus 2,000.
  const codes = [geographic, datum !== undefined && datum >= 6000 && datum < 7000 ? datum - 2000 : undefined]
  for (const code of codes) {
    const known = code === undefined || code === USER_DEFINED ? null : definitionOf(code)
    if (known !== null) return datumIn(known)
  }
  if (geographic !== undefined && geographic !== USER_DEFINED)
    throw new Fault(`on EPSG:${geographic}, which isn't known here`)
  const meridian = numberOf(keys, 'GeogPrimeMeridianGeoKey') ?? GREENWICH
  const own = numberOf(keys, 'GeogPrimeMeridianLongGeoKey')
  if (meridian !== GREENWICH && own === undefined)
    throw new Fault(`on the meridian ${meridian}, which isn't known here`)
  const pm = own ? ` +pm=${own * degreesPerUnit(keys)}` : ''
  const named = ELLIPSOIDS[numberOf(keys, 'GeogEllipsoidGeoKey') ?? 0]
  if (named !== undefined) return `+ellps=${named}${pm}`
  const [a, rf, b] = ['GeogSemiMajorAxisGeoKey', 'GeogInvFlatteningGeoKey', 'GeogSemiMinorAxisGeoKey'].map((name) =>
    numberOf(keys, name),
  )
  if (a === undefined || (rf === undefined && b === undefined))
    throw new Fault('without an ellipsoid that is known here')
  if (rf === 0 || a === b) return `+a=${a} +b=${a}${pm}`
  return `+a=${a} ${rf === undefined ? `+b=${b}` : `+rf=${rf}`}${pm}`
}

const angle = (...names: string[]): readonly string[] => names.map((name) => `Proj${name}GeoKey`)
const LATITUDE = angle('NatOriginLat', 'FalseOriginLat', 'CenterLat')
const LONGITUDE = angle('NatOriginLong', 'FalseOriginLong', 'CenterLong')
const POLE = angle('StraightVertPoleLong', 'NatOriginLong', 'FalseOriginLong', 'CenterLong')
const PARALLEL_1 = angle('StdParallel1')
const PARALLEL_2 = angle('StdParallel2')

/** For each coordinate transformation (ProjCoordTransGeoKey), the proj4 parameters and their GeoTIFF keys. */
const TRANSFORMATIONS: Readonly<Record<number, readonly [string, Readonly<Record<string, readonly string[]>>]>> = {
  1: ['+proj=tmerc', { lat_0: LATITUDE, lon_0: LONGITUDE }],
  // GDAL has a separate number for the variant whose false origin is at the centre.
  3: [
    '+proj=omerc +no_uoff',
    {
      lat_0: angle('CenterLat', 'NatOriginLat'),
      lonc: angle('CenterLong', 'NatOriginLong'),
      alpha: angle('AzimuthAngle'),
      gamma: angle('RectifiedGridAngle', 'AzimuthAngle'),
    },
  ],
  9815: [
    '+proj=omerc',
    {
      lat_0: angle('CenterLat', 'NatOriginLat'),
      lonc: angle('CenterLong', 'NatOriginLong'),
      alpha: angle('AzimuthAngle'),
      gamma: angle('RectifiedGridAngle', 'AzimuthAngle'),
    },
  ],
  7: ['+proj=merc', { lat_ts: PARALLEL_1, lon_0: LONGITUDE }],
  8: [
    '+proj=lcc',
    {
      lat_1: PARALLEL_1,
      lat_2: PARALLEL_2,
      lat_0: angle('FalseOriginLat', 'NatOriginLat', 'CenterLat'),
      lon_0: angle('FalseOriginLong', 'NatOriginLong', 'CenterLong'),
    },
  ],
  9: ['+proj=lcc', { lat_1: LATITUDE, lat_0: LATITUDE, lon_0: LONGITUDE }],
  10: ['+proj=laea', { lat_0: LATITUDE, lon_0: LONGITUDE }],
  11: ['+proj=aea', { lat_1: PARALLEL_1, lat_2: PARALLEL_2, lat_0: LATITUDE, lon_0: LONGITUDE }],
  12: ['+proj=aeqd', { lat_0: LATITUDE, lon_0: LONGITUDE }],
  13: ['+proj=eqdc', { lat_1: PARALLEL_1, lat_2: PARALLEL_2, lat_0: LATITUDE, lon_0: LONGITUDE }],
  14: ['+proj=stere', { lat_0: LATITUDE, lon_0: LONGITUDE }],
  15: ['+proj=stere', { lat_ts: LATITUDE, lon_0: POLE }],
  16: ['+proj=sterea', { lat_0: LATITUDE, lon_0: LONGITUDE }],
  17: ['+proj=eqc', { lat_ts: PARALLEL_1, lat_0: LATITUDE, lon_0: LONGITUDE }],
  18: ['+proj=cass', { lat_0: LATITUDE, lon_0: LONGITUDE }],
  19: ['+proj=gnom', { lat_0: LATITUDE, lon_0: LONGITUDE }],
  20: ['+proj=mill', { lon_0: LONGITUDE }],
  21: ['+proj=ortho', { lat_0: LATITUDE, lon_0: LONGITUDE }],
  22: ['+proj=poly', { lat_0: LATITUDE, lon_0: LONGITUDE }],
  23: ['+proj=robin', { lon_0: LONGITUDE }],
  24: ['+proj=sinu', { lon_0: LONGITUDE }],
  26: ['+proj=nzmg', { lat_0: LATITUDE, lon_0: LONGITUDE }],
  27: ['+proj=tmerc +axis=wsu', { lat_0: LATITUDE, lon_0: LONGITUDE }],
  28: ['+proj=cea', { lat_ts: PARALLEL_1, lon_0: LONGITUDE }],
}
const POLAR = 15

/** Projection codes that follow a rule: UTM zones, north and south. */
const UTM_NORTH = 16000
const UTM_SOUTH = 16100

function projectionOf(keys: GeoKeys, unit: number): string {
  const kind = numberOf(keys, 'ProjCoordTransGeoKey')
  const code = numberOf(keys, 'ProjectionGeoKey')
  if (kind === undefined || kind === USER_DEFINED) {
    const zone = (code ?? 0) - (code! > UTM_SOUTH ? UTM_SOUTH : UTM_NORTH)
    if (zone >= 1 && zone <= 60) return `+proj=utm +zone=${zone}${code! > UTM_SOUTH ? ' +south' : ''}`
    throw new Fault(
      code === undefined || code === USER_DEFINED
        ? 'described only in words'
        : `of the projection ${code}, which isn't known here`,
    )
  }
  const known = TRANSFORMATIONS[kind]
  if (!known) throw new Fault(`of the coordinate transformation ${kind}, which isn't known here`)
  const [start, parameters] = known
  const perUnit = degreesPerUnit(keys)
  const values = Object.entries(parameters).flatMap(([name, names]) => {
    const value = numberOf(keys, ...names)
    return value === undefined ? [] : [[name, value * perUnit] as const]
  })
  if (kind === POLAR) {
    const latitude = values.find(([name]) => name === 'lat_ts')?.[1] ?? 90
    values.push(['lat_0', latitude < 0 ? -90 : 90])
  }
  const scale = numberOf(keys, 'ProjScaleAtNatOriginGeoKey', 'ProjScaleAtCenterGeoKey')
  const east = numberOf(keys, 'ProjFalseEastingGeoKey', 'ProjFalseOriginEastingGeoKey', 'ProjCenterEastingGeoKey') ?? 0
  const north =
    numberOf(keys, 'ProjFalseNorthingGeoKey', 'ProjFalseOriginNorthingGeoKey', 'ProjCenterNorthingGeoKey') ?? 0
  const all = [
    ...values.map(([name, value]) => `+${name}=${value}`),
    ...(scale === undefined ? [] : [`+k=${scale}`]),
    // proj4 expects them in metres.
    `+x_0=${east * unit}`,
    `+y_0=${north * unit}`,
  ]
  return [start, ...all].join(' ')
}
