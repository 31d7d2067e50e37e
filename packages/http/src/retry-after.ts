/** Longer waits are left to the next build. */
const LONGEST_MS = 120_000

/**
 * `Retry-After` (RFC 9110, 10.2.3) in milliseconds, two minutes at most; null where there is none. A date is compared
 * with the answer's own `Date`, so that the clock of this machine plays no part.
 */
export function retryAfterOf(headers: { get(name: string): string | null }): number | null {
  const after = headers.get('retry-after')?.trim() ?? ''
  const seconds = /^\d+$/.test(after)
    ? Number(after)
    : (Date.parse(after) - Date.parse(headers.get('date') ?? '')) / 1000
  return seconds > 0 ? Math.min(seconds * 1000, LONGEST_MS) : null
}
