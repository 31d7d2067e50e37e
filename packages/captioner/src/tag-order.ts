import type { FrequencyTable } from './tables.ts'

/** Where a tag stands in the one order for the tags of every object. */
export interface Standing {
  readonly key: string
  readonly value: string
  /** How often the tag is used in OSM; 0 where the table doesn't hold it. */
  readonly count: number
  /** How often the tags of its key are used together. */
  readonly keyCount: number
}

/**
 * One order over tags, not keys, in both columns, that never depends on the region: the more often used in OSM first
 * (read off released captions). Tags that the table doesn't hold come last, those of common keys before those of rare
 * ones; what is still equal goes by key, then value.
 */
export function createTagOrder(frequency: FrequencyTable): {
  standingOf(key: string, value: string): Standing
  compare(a: Standing, b: Standing): number
} {
  const counts = new Map<string, Map<string, number>>()
  const keyCounts = new Map<string, number>()
  for (const { key, value, count } of frequency) {
    const values = counts.get(key) ?? new Map<string, number>()
    counts.set(key, values.set(value, count))
    keyCounts.set(key, (keyCounts.get(key) ?? 0) + count)
  }
  return {
    standingOf: (key, value) => ({
      key,
      value,
      count: counts.get(key)?.get(value) ?? 0,
      keyCount: keyCounts.get(key) ?? 0,
    }),
    compare: (a, b) =>
      b.count - a.count ||
      (a.count === 0 ? b.keyCount - a.keyCount : 0) ||
      byText(a.key, b.key) ||
      byText(a.value, b.value),
  }
}

/** By UTF-16 code units, the same in every locale. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
