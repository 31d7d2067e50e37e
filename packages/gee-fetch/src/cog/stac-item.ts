/** Parses items of a STAC catalogue (https://github.com/radiantearth/stac-spec), as far as we need them. */
import { type Box, boxesIntersect, boxOf, byKey, type Geometry, type Position, ServiceError } from '@skyscript/core'
import { addressFault, hostOf } from '../http.ts'
import type { CogSource } from './cog-source.ts'

export interface StacItem {
  readonly id: string
  /** Bounds in degrees; if it crosses 180 degrees, one bound is beyond it, so that west < east still holds. */
  readonly footprint: Box
  /** The area with data, in the same degrees; null if the item only has a box. */
  readonly outline: Geometry | null
  /** Milliseconds since 1970 UTC. */
  readonly time: number | null
  /** Cloud percentage. */
  readonly cloud: number | null
  /** URLs by asset name. */
  readonly assets: ReadonlyMap<string, string>
  /** By URL, the asset's version: its checksum, or when it was updated; only if the item says. */
  readonly versions: ReadonlyMap<string, string>
}

export const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

export const linksOf = (links: unknown): Record<string, unknown>[] => (Array.isArray(links) ? links : []).map(objectOf)

/**
 * @param from the URL that the item was read from
 * @returns null for what is not an item or has no location
 */
export function itemOf(
  value: unknown,
  { cloudProperty }: Pick<CogSource, 'cloudProperty'>,
  from?: string,
): StacItem | null {
  const { id, bbox, geometry, properties, assets, links } = objectOf(value)
  const facts = objectOf(properties)
  // The id becomes part of a URL, and of a manifest row.
  if (typeof id !== 'string' || !/^[^\p{Cc}\p{Cf}\p{Cs}]{1,200}$/u.test(id)) return null
  const outline = outlineOf(geometry)
  const footprint = outline === null ? boundsOf(bbox) : boxOf(outline)
  if (footprint === null) return null
  const self = linksOf(links).find(({ rel }) => rel === 'self')?.href
  const base = typeof self === 'string' && URL.canParse(self) ? self : from
  const addresses = Object.entries(objectOf(assets)).flatMap(([name, asset]): [string, string][] => {
    const address = addressOf(objectOf(asset), base)
    return address === null ? [] : [[name, address]]
  })
  const cloud = cloudProperty === null ? Number.NaN : Number(facts[cloudProperty] ?? Number.NaN)
  return {
    id,
    footprint,
    outline,
    time: timeOf(facts.datetime ?? facts.start_datetime),
    cloud: Number.isFinite(cloud) && cloud >= 0 ? cloud : null,
    assets: new Map(addresses),
    versions: new Map(
      addresses.flatMap(([name, address]): [string, string][] => {
        const version = versionOf(objectOf(objectOf(assets)[name]), facts)
        return version === null ? [] : [[address, version]]
      }),
    ),
  }
}

/** https://github.com/stac-extensions/file, its predecessor, or `updated` of the common metadata, which assets may have too. */
function versionOf(asset: Record<string, unknown>, item: Record<string, unknown>): string | null {
  const told = [asset['file:checksum'], asset['checksum:multihash'], asset.updated, item.updated]
  return told.find((each): each is string => typeof each === 'string' && each !== '') ?? null
}

/** RFC 7946, section 5: four or six numbers; west > east if the box crosses 180 degrees. */
function boundsOf(bbox: unknown): Box | null {
  const sides = Array.isArray(bbox) ? bbox.map(Number) : []
  const [west, south, east, north] = (
    sides.length === 6 ? [sides[0], sides[1], sides[3], sides[4]] : sides.length === 4 ? sides : []
  ) as Partial<Box>
  if (![west, south, east, north].every(Number.isFinite)) return null
  return [west!, south!, east! < west! ? east! + 360 : east!, north!]
}

/** null if it is not an area. */
function outlineOf(geometry: unknown): Geometry | null {
  const { type, coordinates } = objectOf(geometry)
  const polygons = type === 'Polygon' ? [coordinates] : type === 'MultiPolygon' ? coordinates : null
  if (!Array.isArray(polygons) || polygons.length === 0) return null
  const areas: Position[][][] = []
  let first: number | null = null
  for (const polygon of polygons) {
    const rings: Position[][] = []
    for (const ring of Array.isArray(polygon) ? polygon : []) {
      const unwrapped = unwrappedRing(ring)
      if (unwrapped === null) return null
      // An area that was cut at 180 degrees is joined again.
      const middle = middleOf(unwrapped)
      first ??= middle
      const turns = Math.round((first - middle) / 360)
      rings.push(unwrapped.map(([x, y]) => [x + 360 * turns, y]))
    }
    if (rings.length === 0) return null
    areas.push(rings)
  }
  return { type: 'MultiPolygon', coordinates: areas }
}

/** Unwraps a ring so that neighbouring longitudes differ by less than 180 degrees; a side of exactly 360 spans the Earth. */
function unwrappedRing(ring: unknown): Position[] | null {
  if (!Array.isArray(ring) || ring.length < 4) return null
  const positions: Position[] = []
  let turns = 0
  for (const position of ring) {
    const [x, y] = Array.isArray(position) ? position.map(Number) : []
    if (!Number.isFinite(x) || !Number.isFinite(y)) return null
    const step = positions.length === 0 ? 0 : x! + 360 * turns - positions.at(-1)![0]
    if (Math.abs(step) > 180 && Math.abs(step) < 360) turns -= Math.sign(step)
    positions.push([x! + 360 * turns, y!])
  }
  return positions
}

function middleOf(ring: readonly Position[]): number {
  const [west, , east] = boxOf({ type: 'LineString', coordinates: [...ring] })
  return (west + east) / 2
}

/**
 * An asset's download URL: its own href if it is http(s), else one of its alternates
 * (https://github.com/stac-extensions/alternate-assets), preferring https.
 */
function addressOf({ href, alternate }: Record<string, unknown>, base: string | undefined): string | null {
  const others = Object.entries(objectOf(alternate)).sort(byKey)
  const addresses = [href, ...others.map(([, other]) => objectOf(other).href)].flatMap((each) =>
    typeof each === 'string' && URL.canParse(each, base) ? [new URL(each, base).href] : [],
  )
  const [own] = addresses
  if (own === undefined || /^https?:/.test(own)) return own ?? null
  return (
    addresses.find((each) => each.startsWith('https:')) ?? addresses.find((each) => each.startsWith('http:')) ?? own
  )
}

/** RFC 3339; a time without a zone is taken as UTC, not as the machine's local time. */
export function timeOf(value: unknown): number | null {
  const match = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?([Zz]|[+-]\d\d:?\d\d)?$/.exec(String(value))
  if (!match) return null
  const [, day, clock = '00:00:00', zone = 'Z'] = match
  const time = Date.parse(`${day}T${clock}${zone.toUpperCase()}`)
  return Number.isFinite(time) ? time : null
}

/**
 * The URL of an asset by name or pattern (`*` matches any text); the first by name if several match.
 *
 * @throws ServiceError of status 400 if the item has none, or none with a permitted URL
 */
export function assetOf(item: StacItem, pattern: string): string {
  const escaped = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const fits = new RegExp(`^${escaped.join('.*')}$`)
  const [name] = [...item.assets.keys()].filter((each) => fits.test(each)).sort()
  if (name === undefined)
    throw new ServiceError('image-without-asset', `${item.id} has no asset ${pattern}.`, { retry: false, status: 400 })
  const address = item.assets.get(name)!
  const fault = addressFault(address)
  if (fault !== null)
    throw new ServiceError(
      'image-without-asset',
      `The asset ${name} of ${item.id} can't be read: ${hostOf(address)} ${fault}; use a catalogue that gives https addresses.`,
      { retry: false, status: 400 },
    )
  return address
}

/** Splits a box at 180 degrees; each part is between -180 and 180. */
export function partsAt180([west, south, east, north]: Box): Box[] {
  if (east - west >= 360) return [[-180, south, 180, north]]
  const turns = Math.floor((west + 180) / 360)
  const [from, to] = [west - 360 * turns, east - 360 * turns]
  if (to <= 180) return [[from, south, to, north]]
  return [
    [from, south, 180, north],
    [-180, south, to - 360, north],
  ]
}

/** Shifts footprints by full turns so that they touch a box; null if they never do. */
export function placedAt<T extends { readonly footprint: Box; readonly outline?: Geometry | null }>(
  item: T,
  box: Box,
): T | null {
  for (const turn of [0, 360, -360]) {
    const [west, south, east, north] = item.footprint
    const footprint: Box = [west + turn, south, east + turn, north]
    if (!boxesIntersect(footprint, box)) continue
    if (turn === 0) return item
    return { ...item, footprint, ...(item.outline && { outline: moved(item.outline, turn) }) }
  }
  return null
}

function moved(outline: Geometry, degrees: number): Geometry {
  if (outline.type !== 'MultiPolygon') return outline
  const coordinates = outline.coordinates.map((rings) =>
    rings.map((ring) => ring.map(([x, y]): Position => [x + degrees, y])),
  )
  return { type: 'MultiPolygon', coordinates }
}
