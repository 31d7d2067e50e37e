/** Reads entries of OpenAerialMap's catalogue (https://github.com/hotosm/oam-api), as far as we need them. */
import { type Box, fingerprint, type Geometry, type ImageFacts, isUrl, printableLine } from '@skyscript/core'
import { itemOf, objectOf, timeOf } from '../cog/stac-item.ts'
import { addressFault } from '../http.ts'
import { isListed, licenceName, licenceText } from './licence-name.ts'
import type { OamSource } from './oam-source.ts'

/** An entry that can be used as far as the catalogue says. */
export interface Scene {
  readonly id: string
  /** URL of the GeoTIFF. */
  readonly address: string
  readonly footprint: Box
  readonly outline: Geometry | null
  /** Milliseconds since 1970 UTC; null if nobody can say the year. */
  readonly time: number | null
  /** m/pixel; null if the catalogue doesn't say. */
  readonly gsd: number | null
  readonly facts: ImageFacts
  /** Why it may not be used; null for no reason. */
  readonly unusable: string | null
}

/** Smaller ones are of degrees, not of metres. */
const SMALLEST_GSD = 0.001
const LONGEST_CREDIT = 200
const DAY = 86_400_000

/** `broken` with a name to count it by: an entry without a place or an address. null: the settings don't ask for such scenes. */
export function sceneOf(value: unknown, source: OamSource): Scene | { readonly broken: string } | null {
  const entry = objectOf(value)
  const { uuid, geojson, bbox, provider } = entry
  const properties = objectOf(entry.properties)
  const address = typeof uuid === 'string' && isUrl(uuid) && addressFault(uuid) === null ? uuid : null
  const id =
    typeof entry._id === 'string' && entry._id !== '' ? entry._id : address && new URL(address).pathname.slice(1)
  const shape = objectOf(geojson)
  const item = itemOf({ id, geometry: shape.geometry ?? shape, bbox: bbox ?? shape.bbox }, source)
  if (item === null || address === null) return { broken: typeof id === 'string' ? id : fingerprint(value ?? null) }
  const gsd = gsdOf(entry.gsd ?? properties.gsd)
  const platform = String(entry.platform ?? '').toLowerCase()
  if (gsd !== null && (gsd < source.gsds[0] || gsd > source.gsds[1])) return null
  if (source.platforms !== null && !source.platforms.includes(platform)) return null
  const said = properties.license ?? entry.license
  const licence = licenceName(typeof said === 'string' ? printableLine(said) : '')
  const from = typeof provider === 'string' ? printableLine(provider).trim().slice(0, LONGEST_CREDIT) : ''
  const taken = takenAt(timeOf(entry.acquisition_start), timeOf(entry.acquisition_end))
  return {
    ...{ id: item.id, address, footprint: item.footprint, outline: item.outline, gsd, time: taken.time },
    facts: {
      licence: licenceText(licence),
      credit: from === '' ? source.credit(null) : `${from}, via ${source.title}`,
      ...(taken.isYear && { timePrecision: 'year' }),
    },
    unusable: isListed(licence, source.licences) ? null : 'image-licence-not-open',
  }
}

function gsdOf(value: unknown): number | null {
  const gsd = Number(value ?? Number.NaN)
  return gsd >= SMALLEST_GSD && Number.isFinite(gsd) ? gsd : null
}

/**
 * When a scene was taken: at the start of up to a day, else in the year that it was begun and finished in. Of more than
 * a year nobody knows which.
 */
function takenAt(start: number | null, end: number | null): { readonly time: number | null; readonly isYear: boolean } {
  const times = [start, end].filter((time) => time !== null).sort((a, b) => a - b)
  const [first, last = first] = times
  if (first === undefined || last === undefined) return { time: null, isYear: false }
  if (last - first <= DAY) return { time: first, isYear: false }
  const year = new Date(first).getUTCFullYear()
  return new Date(last).getUTCFullYear() === year
    ? { time: Date.UTC(year, 0), isYear: true }
    : { time: null, isYear: false }
}
