import { type Box, ServiceError } from '@skyscript/core'
import { objectOf } from '../cog/stac-item.ts'
import { type Http, hostOf } from '../http.ts'
import { refusalOf } from '../refusals.ts'

/** Entries asked for at once: the most that OpenAerialMap gives. */
const PAGE = 100
/** A search that returns more has ignored its bbox. */
const MOST_ENTRIES = 50_000
/** Pages in a row without a new entry before a catalogue counts as repeating itself. */
const MOST_BARREN = 3

/**
 * All entries of a catalogue whose scenes touch a box, from all pages.
 *
 * @param url address of the catalogue, with its secrets
 * @throws ServiceError `imagery-bad-answer` if an answer is no list of scenes, `imagery-search-refused`
 */
export async function searchEntries(url: string, box: Box, http: Http, signal?: AbortSignal): Promise<unknown[]> {
  const entries = new Map<string, unknown>()
  let received = 0
  let barren = 0
  for (let page = 1; ; page++) {
    const { found, limit, results } = await askPage(url, { bbox: bboxText(box), limit: PAGE, page }, http, signal)
    const known = entries.size
    for (const each of results) entries.set(JSON.stringify(each), each)
    received += results.length
    barren = entries.size > known ? 0 : barren + 1
    if (entries.size > MOST_ENTRIES)
      throw badAnswer(
        `${hostOf(url)} gave more than ${MOST_ENTRIES} scenes for ${box.join(', ')}; check that it searches by bbox.`,
      )
    const isLast = found === null ? results.length < limit : received >= found
    if (results.length === 0 || isLast || barren === MOST_BARREN) return [...entries.values()]
  }
}

/** Asks for one scene of anywhere, to see whether the catalogue answers. */
export async function countEntries(url: string, http: Http): Promise<number | null> {
  return (await askPage(url, { limit: 1, page: 1 }, http)).found
}

interface Page {
  /** Entries of all pages; null if the catalogue doesn't say. */
  readonly found: number | null
  /** The most that it gives at once. */
  readonly limit: number
  readonly results: readonly unknown[]
}

async function askPage(
  url: string,
  query: { readonly bbox?: string; readonly limit: number; readonly page: number },
  http: Http,
  signal?: AbortSignal,
): Promise<Page> {
  const asked = new URL(url)
  asked.pathname = `${asked.pathname.replace(/\/$/, '')}/meta`
  // Without an order of its own, entries of the same resolution change places between pages.
  for (const [name, value] of Object.entries({ ...query, order_by: '_id', sort: 'asc' }))
    asked.searchParams.set(name, String(value))
  try {
    const { meta, results } = objectOf(await http.json(asked.href.replaceAll('%2C', ','), undefined, signal))
    if (!Array.isArray(results)) throw badAnswer(`${hostOf(url)} returned no list of scenes; check its address.`)
    const { found, limit } = objectOf(meta)
    return { found: count(found), limit: count(limit) || query.limit, results }
  } catch (error) {
    // A 404 of the search says nothing about the images it would return, so the error carries no file status.
    if (refusalOf(error) !== 'image') throw error
    throw new ServiceError(
      'imagery-search-refused',
      `The search of the catalogue failed: ${(error as ServiceError).message}`,
      { retry: false, cause: error },
    )
  }
}

/** Some catalogues write numbers as texts. */
function count(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 ? number : null
}

/** Without exponents, which OpenAerialMap doesn't read. */
const bboxText = (box: Box): string => box.map((degrees) => Number(degrees.toFixed(6))).join()

const badAnswer = (message: string) => new ServiceError('imagery-bad-answer', message, { retry: false, status: 400 })
