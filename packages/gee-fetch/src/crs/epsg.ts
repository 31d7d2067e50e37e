/** Coordinate systems by EPSG code, as definitions for proj4. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Box, once } from '@skyscript/core'

const ETRS89 = '+ellps=GRS80 +towgs84=0,0,0,0,0,0,0 +units=m +no_defs'

/**
 * Systems for which a better shift to WGS84 is known than the index has: seven numbers in metres, arc seconds and parts
 * per million, in the position vector convention.
 */
const BETTER: Readonly<Record<number, string>> = {
  2056: '+proj=somerc +lat_0=46.9524055555556 +lon_0=7.43958333333333 +k_0=1 +x_0=2600000 +y_0=1200000 +ellps=bessel +towgs84=674.374,15.056,405.346,0,0,0,0 +units=m +no_defs',
  21781:
    '+proj=somerc +lat_0=46.9524055555556 +lon_0=7.43958333333333 +k_0=1 +x_0=600000 +y_0=200000 +ellps=bessel +towgs84=674.374,15.056,405.346,0,0,0,0 +units=m +no_defs',
  27700:
    '+proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy +towgs84=446.448,-125.157,542.06,0.15,0.247,0.842,-20.489 +units=m +no_defs',
  28992:
    '+proj=sterea +lat_0=52.1561605555556 +lon_0=5.38763888888889 +k=0.9999079 +x_0=155000 +y_0=463000 +ellps=bessel +towgs84=565.4171,50.3319,465.5524,-0.398957388243134,0.343987817378283,-1.87740163998045,4.0725 +units=m +no_defs',
  31370:
    '+proj=lcc +lat_0=90 +lon_0=4.36748666666667 +lat_1=51.1666672333333 +lat_2=49.8333339 +x_0=150000.013 +y_0=5400088.438 +ellps=intl +towgs84=-106.8686,52.2978,-103.7239,0.3366,-0.457,1.8422,-1.2747 +units=m +no_defs',
  // The shift of EPSG:5239, accurate to a metre in Czechia; the three-number shift that is often given is off by five.
  5514: '+proj=krovak +lat_0=49.5 +lon_0=24.8333333333333 +alpha=30.2881397527778 +k=0.9999 +x_0=0 +y_0=0 +ellps=bessel +towgs84=572.213,85.334,461.94,4.9732,1.529,5.2484,3.5378 +units=m +no_defs',
  3067: `+proj=utm +zone=35 ${ETRS89}`,
}

const load = createRequire(import.meta.url)

/** Definitions of the systems that EPSG had until 2018, keyed by `EPSG:` and code. */
let older: Readonly<Record<string, readonly [string, string]>> | undefined

/** An index entry. */
interface Entry {
  readonly proj4: string | null
  readonly unit: string
  readonly bbox: readonly [north: number, west: number, south: number, east: number] | null
}

/** One file per system, so that a few are read instead of forty megabytes. */
function entryOf(epsg: number): Entry | null {
  try {
    return Number.isInteger(epsg) && epsg > 0 ? (load(`epsg-index/s/${epsg}.json`) as Entry) : null
  } catch {
    return null
  }
}

/**
 * A proj4 definition, or null if there is none. Older systems come from proj4-list: epsg-index gives datum rotations
 * without regard to the sign convention of their method, which would put places hundreds of metres off.
 */
export function definitionOf(epsg: number): string | null {
  const better = BETTER[epsg]
  if (better !== undefined) return better
  const entry = entryOf(epsg)
  // Definitions are in degrees; they don't distinguish other angular units.
  if (/\+proj=longlat/.test(entry?.proj4 ?? '') && !/^degree/.test(entry!.unit)) return null
  older ??= load('proj4-list') as NonNullable<typeof older>
  const definition = older[`EPSG:${epsg}`]?.[1] ?? entry?.proj4
  return definition?.replace(/\s*\+type=crs/, '').trim() ?? null
}

/** Where a system is used, degrees; null where that is not known, or on both sides of 180 degrees. */
export function areaOf(epsg: number): Box | null {
  const [north, west, south, east] = entryOf(epsg)?.bbox ?? []
  return north === undefined || west! > east! ? null : [west!, south!, east!, north]
}

/** The parameters of a datum in a definition. */
export const datumIn = (definition: string): string =>
  (definition.match(/\+(?:ellps|datum|a|b|rf|R|towgs84|nadgrids|pm)=\S+/g) ?? []).join(' ')

/** The shift to WGS84 in a definition: its numbers, or its datum's name; null if there is none, or the datum is modern. */
export const shiftIn = (definition: string): string | null =>
  /\+towgs84=(\S+)/.exec(definition)?.[1] ?? /\+datum=(?!WGS84|NAD83)(\S+)/.exec(definition)?.[1] ?? null

/** Ellipsoids of modern datums: without a known shift, systems on them are within a metre or two of WGS84. */
const OF_TODAY = /\+(?:ellps=(?:GRS80|WGS84)|datum=(?:WGS84|NAD83)|R=\S+|a=6378137 \+rf=298\.25\d*)(?:\s|$)/

/** Shifts that agree with PROJ to three metres; scripts/datum-shifts.ts finds them. */
const checked = once(
  () =>
    new Set([
      ...readFileSync(new URL('../../tables/datum-shifts.txt', import.meta.url), 'utf8')
        .split('\n')
        .filter(Boolean),
      ...Object.values(BETTER).map((definition) => shiftIn(definition)!),
    ]),
)

/**
 * What is missing to place a system on the Earth to a few metres, or null.
 *
 * @param isOwn the shift comes from the file itself
 */
export function datumFault(definition: string, isOwn: boolean): string | null {
  const grid = /\+nadgrids=(?!@null)(\S+)/.exec(definition)?.[1]
  if (grid !== undefined) return `a grid of shifts (${grid})`
  // NAD27 needs a grid of shifts too; without the grid, proj4 would silently apply no shift.
  if (/\+datum=NAD27/.test(definition)) return 'a grid of shifts (NAD27)'
  const shift = shiftIn(definition)
  if (shift !== null) return isOwn || /^0(?:,0)*$/.test(shift) || checked().has(shift) ? null : UNKNOWN_SHIFT
  if (/\+nadgrids=@null/.test(definition) || OF_TODAY.test(definition)) return null
  const [, a, b] = /\+a=(\S+) \+b=(\S+)/.exec(definition) ?? []
  return a !== undefined && a === b ? null : UNKNOWN_SHIFT
}

const UNKNOWN_SHIFT = 'the shift of its datum to WGS84, which is not known to a few metres here'
