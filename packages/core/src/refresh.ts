const HOUR = 3_600_000
const UNITS: Readonly<Record<string, number>> = { h: HOUR, d: 24 * HOUR, w: 7 * 24 * HOUR }

/** `never`, `newer`, or an age in hours, days or weeks: `36h`, `90d`, `12w`. */
export const REFRESH = /^(?:never|newer|([1-9]\d{0,3})([hdw]))$/

/** An age of `imagery.refresh` in milliseconds; null for other text. */
export function refreshAge(text: string): number | null {
  const [, number, unit] = REFRESH.exec(text) ?? []
  return number === undefined ? null : Number(number) * UNITS[unit!]!
}
