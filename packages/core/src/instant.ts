const DATE = /^\d{4}-\d\d-\d\d$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)$/

/**
 * A moment that a user names: a date, which means its beginning in UTC, or a date and time with its zone.
 *
 * @returns `2023-05-01T00:00:00Z`; null for other text and for what no calendar has
 */
export function parseInstant(text: string): string | null {
  if (!DATE.test(text) && !TIME.test(text)) return null
  const time = Date.parse(text)
  // Date.parse takes the 30th of February for the 1st or 2nd of March.
  const day = Date.parse(text.slice(0, 10))
  if (Number.isNaN(time) || Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== text.slice(0, 10))
    return null
  return `${new Date(time).toISOString().slice(0, 19)}Z`
}
