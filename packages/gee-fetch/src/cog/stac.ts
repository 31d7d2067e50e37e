import { type Box, geometryMeetsBox, ServiceError } from '@skyscript/core'
import { type Http, hostOf } from '../http.ts'
import { refusalOf } from '../refusals.ts'
import type { CogSource } from './cog-source.ts'
import { itemOf, linksOf, objectOf, partsAt180, placedAt, type StacItem } from './stac-item.ts'

/** Page sizes to try: what most catalogues accept, then smaller ones; null leaves it to the catalogue. */
const PAGES = [100, 50, 20, null] as const
/** A search that returns more has ignored its bbox. */
const MOST_ITEMS = 50_000
/** Consecutive pages without a new item before a catalogue counts as repeating itself. */
const MOST_BARREN = 3

/** How a catalogue can be searched: by POST or GET, the page size, with or without the query extension. */
interface Manner {
  readonly method: 'POST' | 'GET'
  readonly limit: number | null
  readonly hasQuery: boolean
}

interface Request {
  readonly url: string
  /** undefined: GET. */
  readonly body: Record<string, unknown> | undefined
}

/** The form of search that each collection's catalogue accepted. */
const accepted = new WeakMap<Http, Map<string, Manner>>()

/**
 * All items of a source whose area touches a box and that have at most `maxCloud` percent of cloud, sorted by id, from
 * all pages.
 *
 * @param box may cross 180 degrees; items are shifted by full turns to touch it
 * @throws ServiceError `imagery-bad-answer` if the responses are invalid, or never end
 */
export async function searchItems(
  source: CogSource,
  box: Box,
  maxCloud: number,
  http: Http,
  signal?: AbortSignal,
): Promise<StacItem[]> {
  const items = new Map<string, StacItem>()
  try {
    for (const part of partsAt180(box)) {
      for await (const feature of featuresIn(source, part, maxCloud, http, signal)) {
        const found = itemOf(feature, source)
        const item = found && placedAt(found, box)
        if (!item || (item.outline && !geometryMeetsBox(item.outline, box))) continue
        if (item.cloud === null || item.cloud <= maxCloud) items.set(item.id, item)
      }
    }
  } catch (error) {
    throw refusalOf(error) === 'image' ? searchRefused(error as ServiceError) : error
  }
  return [...items.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** A 404 of the search says nothing about the images it would return, so the error carries no file status. */
const searchRefused = (cause: ServiceError): ServiceError =>
  new ServiceError('imagery-search-refused', `The search of the catalogue failed: ${cause.message}`, {
    retry: false,
    cause,
  })

async function* featuresIn(
  source: CogSource,
  box: Box,
  maxCloud: number,
  http: Http,
  signal?: AbortSignal,
): AsyncGenerator<unknown> {
  const ids = new Set<string>()
  const asked = new Set<string>()
  let barren = 0
  let [request, answer] = await firstPage(source, box, maxCloud, http, signal)
  for (;;) {
    asked.add(JSON.stringify(request))
    const { features, links } = objectOf(answer)
    if (!Array.isArray(features))
      throw badAnswer(`${hostOf(request.url)} returned no list of images of ${source.collection}.`)
    const known = ids.size
    for (const feature of features) {
      ids.add(String(objectOf(feature).id))
      yield feature
      if (ids.size > MOST_ITEMS)
        throw badAnswer(
          `${hostOf(request.url)} gave more than ${MOST_ITEMS} images of ${source.collection} for ${box.join(', ')}; check that it searches by bbox.`,
        )
    }
    barren = ids.size > known ? 0 : barren + 1
    const next = barren < MOST_BARREN ? nextPage(links, request) : null
    if (next === null || asked.has(JSON.stringify(next))) return
    request = next
    answer = await http.json(request.url, request.body, signal)
  }
}

/** Searches in the form the catalogue is known to accept, or tries one after the other until it accepts one. */
async function firstPage(
  source: CogSource,
  box: Box,
  maxCloud: number,
  http: Http,
  signal?: AbortSignal,
): Promise<[Request, unknown]> {
  const manners = accepted.get(http) ?? new Map<string, Manner>()
  accepted.set(http, manners)
  const key = `${source.stac} ${source.collection}`
  const known = manners.get(key)
  let refusal: unknown
  let isWithoutPost = false
  for (const manner of [...(known ? [known] : []), ...mannersOf(source)]) {
    if (isWithoutPost && manner.method === 'POST') continue
    const request = searchRequest(source, box, maxCloud, manner)
    try {
      const answer = await http.json(request.url, request.body, signal)
      manners.set(key, manner)
      return [request, answer]
    } catch (error) {
      const status = error instanceof ServiceError && !error.retry ? error.status : undefined
      // 404, 405 and 415 reject the method; 400, 413 and 422 something in the query.
      if ([404, 405, 415, 501].includes(status ?? 0)) isWithoutPost = true
      else if (![400, 413, 422].includes(status ?? 0)) throw error
      refusal ??= error
    }
  }
  throw refusal
}

function* mannersOf({ cloudProperty }: CogSource): Generator<Manner> {
  for (const method of ['POST', 'GET'] as const)
    for (const limit of PAGES)
      for (const hasQuery of cloudProperty === null ? [false] : [true, false]) yield { method, limit, hasQuery }
}

function searchRequest(
  { stac, collection, cloudProperty }: CogSource,
  box: Box,
  maxCloud: number,
  { method, limit, hasQuery }: Manner,
): Request {
  const url = below(stac!, 'search')
  const query = hasQuery ? { [cloudProperty!]: { lte: maxCloud } } : null
  if (method === 'POST') {
    const body = { collections: [collection], bbox: box, ...(limit && { limit }), ...(query && { query }) }
    return { url, body }
  }
  const asked = new URL(url)
  asked.searchParams.set('collections', collection)
  asked.searchParams.set('bbox', box.join())
  if (limit) asked.searchParams.set('limit', String(limit))
  if (query) asked.searchParams.set('query', JSON.stringify(query))
  return { url: asked.href, body: undefined }
}

/**
 * The link to the next page: a URL to GET, or what to POST. Its body is merged into that of the previous request even if
 * the link does not say `merge`, since some catalogues omit that; with `merge: false` it replaces it.
 */
function nextPage(links: unknown, { url, body }: Request): Request | null {
  const link = linksOf(links).find(({ rel }) => rel === 'next')
  if (typeof link?.href !== 'string' || !URL.canParse(link.href, url)) return null
  const next = withLoginOf(url, new URL(link.href, url)).href
  if (String(link.method ?? 'GET').toUpperCase() !== 'POST') return { url: next, body: undefined }
  return { url: next, body: { ...(link.merge !== false && body), ...objectOf(link.body) } }
}

/** Links in a catalogue's answer omit the login that the request used, so it is added again. */
function withLoginOf(asked: string, link: URL): URL {
  const { origin, username, password } = new URL(asked)
  return link.origin === origin ? Object.assign(link, { username, password }) : link
}

/** The URL that describes the source's collection. */
export const collectionUrl = ({ stac, collection }: CogSource): string =>
  below(stac!, `collections/${encodeURIComponent(collection)}`)

/** A path below a URL; keeps the query (such as a key) and the login. */
function below(address: string, path: string): string {
  const url = new URL(address)
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`
  return url.href
}

/** @throws ServiceError of status 404 if it no longer exists */
export async function readItem(source: CogSource, id: string, http: Http, signal?: AbortSignal): Promise<StacItem> {
  const url = below(collectionUrl(source), `items/${encodeURIComponent(id)}`)
  const item = itemOf(await http.json(url, undefined, signal), source, url)
  if (item === null) throw badAnswer(`${hostOf(url)} describes no image.`)
  return item
}

const badAnswer = (message: string) => new ServiceError('imagery-bad-answer', message, { retry: false, status: 400 })
