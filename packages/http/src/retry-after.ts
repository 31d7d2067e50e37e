/** Longer waits are left to the next build. */
const LONGEST_MS = 120_000

/**
 * `Retry-After` (RFC 9110, 10.2.3) in milliseconds, two minutes at most; null where there is none. A date is compared
 * with the answer's own `Date`, so that the clock of this machine plays no part.
 */
export function retryAfterOf(
  headers: Headers | Readonly<Record<string, string | string[] | undefined>>,
): number | null {
  const said = (name: string) => String((isList(headers) ? headers.get(name) : headers[name]) ?? '').trim()
  const after = said('retry-after')
  const seconds = /^\d+$/.test(after) ? Number(after) : (Date.parse(after) - Date.parse(said('date'))) / 1000
  return seconds > 0 ? Math.min(seconds * 1000, LONGEST_MS) : null
}

/** As `fetch` gives them. */
interface Headers {
  get(name: string): string | null
}

const isList = (headers: object): headers is Headers => 'get' in headers && typeof headers.get === 'function'
