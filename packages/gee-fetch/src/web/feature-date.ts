/** When a place was photographed, as a service's GetFeatureInfo says it. */

/** A time, milliseconds since 1970 UTC, and how exactly it is known. */
export interface KnownDate {
  readonly time: number
  readonly timePrecision: 'day' | 'year'
}

/** Forms in which dates are written, most exact first, and the order of their numbers. */
const FORMS: readonly [form: RegExp, order: readonly ('year' | 'month' | 'day')[]][] = [
  [/^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})/, ['year', 'month', 'day']],
  [/^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})/, ['day', 'month', 'year']],
  [/^(\d{4})(\d{2})(\d{2})$/, ['year', 'month', 'day']],
  [/^(\d{4})$/, ['year']],
]
/** Earlier pictures are not of aerial surveys. */
const FIRST_YEAR = 1900

/** A date as services write it; milliseconds since 1970 are known too. null for anything else. */
export function dateIn(text: string): KnownDate | null {
  for (const [form, order] of FORMS) {
    const match = form.exec(text.trim())
    if (!match) continue
    const numbers = Object.fromEntries(order.map((name, i) => [name, Number(match[i + 1])]))
    const { year = 0, month = 1, day = 1 } = numbers
    const time = Date.UTC(year, month - 1, day)
    const date = new Date(time)
    if (year < FIRST_YEAR || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null
    return { time, timePrecision: order.length === 1 ? 'year' : 'day' }
  }
  if (!/^\d{11,14}$/.test(text.trim())) return null
  return { time: Math.floor(Number(text) / 86_400_000) * 86_400_000, timePrecision: 'day' }
}

/**
 * The date of a property in an answer of GetFeatureInfo, as JSON, XML or plain text; the latest where several features are
 * told. null where it has none.
 */
export function featureDate(answer: string, property: string): KnownDate | null {
  const name = property.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const forms = [
    `"${name}"\\s*:\\s*"?([^",}\\]]+)`,
    `<(?:\\w+:)?${name}(?:\\s[^>]*)?>([^<]+)<`,
    `\\b${name}\\s*=\\s*["']?([^"'\\r\\n<>]+)`,
    `\\b${name}\\s*:\\s*['"]?([^'"\\r\\n<>]+)`,
  ]
  for (const form of forms) {
    const dates = [...answer.matchAll(new RegExp(form, 'gi'))].flatMap(([, text]) => dateIn(text!) ?? [])
    if (dates.length > 0) return dates.reduce((a, b) => (b.time > a.time ? b : a))
  }
  return null
}
