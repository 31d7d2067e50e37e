import { type Box, boxesIntersect, ServiceError } from '@skyscript/core'
import type { CogSource } from './cog-source.ts'
import { addressFault, type Http, hostOf } from './http.ts'

/** Items of one answer, and answers of one search, at most. */
const PAGE = 100
const MOST_PAGES = 10

/** An item of a STAC catalogue (https://github.com/radiantearth/stac-spec) as far as pictures need it. */
export interface StacItem {
  readonly id: string
  readonly footprint: Box
  /** Milliseconds since 1970 UTC. */
  readonly time: number | null
  /** Percent. */
  readonly cloud: number | null
  /** Addresses by the asset's name. */
  readonly assets: ReadonlyMap<string, string>
}

/** The items of a source that touch a box and have no more cloud than `maxCloud` percent, by id. */
export async function searchItems(
  source: CogSource,
  box: Box,
  maxCloud: number,
  http: Http,
  signal?: AbortSignal,
): Promise<StacItem[]> {
  const { cloudProperty, collection } = source
  const url = `${source.stac!.replace(/\/$/, '')}/search`
  const body: Record<string, unknown> = {
    collections: [collection],
    bbox: box,
    limit: PAGE,
    ...(cloudProperty !== null && { query: { [cloudProperty]: { lte: maxCloud } } }),
  }
  const items = new Map<string, StacItem>()
  let next: { url: string; body: unknown } | null = { url, body }
  for (let page = 0; next !== null && page < MOST_PAGES; page++) {
    const answer: unknown = await http.json(next.url, next.body, signal)
    const { features, links } = objectOf(answer)
    if (!Array.isArray(features))
      throw new ServiceError('imagery-bad-answer', `${hostOf(url)} gave no list of images of ${collection}.`, {
        retry: false,
      })
    for (const feature of features.slice(0, 10 * PAGE)) {
      const item = itemOf(feature, source)
      if (item === null || !boxesIntersect(item.footprint, box)) continue
      if (item.cloud === null || item.cloud <= maxCloud) items.set(item.id, item)
    }
    next = features.length === 0 ? null : nextPage(links, url, body)
  }
  return [...items.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** Where a catalogue describes the source's collection. */
export const collectionUrl = ({ stac, collection }: CogSource): string =>
  `${stac!.replace(/\/$/, '')}/collections/${encodeURIComponent(collection)}`

/** @throws ServiceError of status 404 where it is gone */
export async function readItem(source: CogSource, id: string, http: Http, signal?: AbortSignal): Promise<StacItem> {
  const url = `${collectionUrl(source)}/items/${encodeURIComponent(id)}`
  const item = itemOf(await http.json(url, undefined, signal), source, url)
  if (item === null)
    throw new ServiceError('imagery-bad-answer', `${hostOf(url)} describes no image.`, { retry: false, status: 400 })
  return item
}

const objectOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

/** The link to more, which repeats the question by GET, or tells what to add to it. */
function nextPage(links: unknown, base: string, body: Record<string, unknown>): { url: string; body: unknown } | null {
  const link = (Array.isArray(links) ? links : []).map(objectOf).find(({ rel }) => rel === 'next')
  if (typeof link?.href !== 'string' || !URL.canParse(link.href, base)) return null
  const url = new URL(link.href, base).href
  if (String(link.method ?? 'GET').toUpperCase() !== 'POST') return { url, body: undefined }
  return { url, body: { ...body, ...objectOf(link.body) } }
}

/** null for what is no item, or has none of the assets. */
function itemOf(value: unknown, { cloudProperty }: CogSource, from?: string): StacItem | null {
  const { id, bbox, properties, assets, links } = objectOf(value)
  const facts = objectOf(properties)
  // It becomes part of an address, and of a row of the manifest.
  if (typeof id !== 'string' || !/^[^\p{Cc}\p{Cf}\p{Cs}]{1,200}$/u.test(id)) return null
  const sides = Array.isArray(bbox) ? bbox.map(Number) : []
  // A box with heights has six numbers.
  const footprint = (sides.length === 6 ? [sides[0], sides[1], sides[3], sides[4]] : sides) as Box
  if (footprint.length !== 4 || !footprint.every(Number.isFinite)) return null
  const self = (Array.isArray(links) ? links : []).map(objectOf).find(({ rel }) => rel === 'self')?.href
  const base = typeof self === 'string' && URL.canParse(self) ? self : from
  const addresses = Object.entries(objectOf(assets)).flatMap(([name, asset]): [string, string][] => {
    const { href } = objectOf(asset)
    if (typeof href !== 'string' || !URL.canParse(href, base)) return []
    return [[name, new URL(href, base).href]]
  })
  const time = timeOf(facts.datetime ?? facts.start_datetime)
  const cloud = cloudProperty === null ? Number.NaN : Number(facts[cloudProperty] ?? Number.NaN)
  return {
    id,
    footprint,
    time,
    cloud: Number.isFinite(cloud) && cloud >= 0 ? cloud : null,
    assets: new Map(addresses),
  }
}

/** RFC 3339; what names no zone is taken for UTC, not for that of this machine. */
function timeOf(value: unknown): number | null {
  const match = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?([Zz]|[+-]\d\d:?\d\d)?$/.exec(String(value))
  if (!match) return null
  const [, day, clock = '00:00:00', zone = 'Z'] = match
  const time = Date.parse(`${day}T${clock}${zone.toUpperCase()}`)
  return Number.isFinite(time) ? time : null
}

/**
 * The address of an asset by its name or a pattern of it (`*` stands for any text), the first by name.
 *
 * @throws ServiceError of status 400 where the item has none, or none that may be asked
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
    throw new ServiceError('image-without-asset', `${item.id}: ${hostOf(address)} ${fault}.`, {
      retry: false,
      status: 400,
    })
  return address
}
