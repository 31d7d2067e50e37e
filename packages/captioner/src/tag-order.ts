import type { FrequencyTable } from './tables.ts'

/** A tag's position in the one order for the tags of every object. */
export interface Standing {
  readonly key: string
  readonly value: string
  /** Place in the table of frequencies, from 0; infinite where the table lacks the tag. */
  readonly rank: number
  /** How often the tags of its key are used together, as far as the table holds them. */
  readonly keyCount: number
}

/**
 * One order over tags, not keys, in both columns, that never depends on the region: the more often used in OSM first
 * (read off released captions), which is the order of the table, also where its rounded counts are equal.
 *
 * Tags that the table lacks are rarer than those that it holds, so they come last: tags of keys that are used more often
 * first, then by key and value.
 */
export function createTagOrder(frequency: FrequencyTable): {
  standingOf(key: string, value: string): Standing
  compare(a: Standing, b: Standing): number
} {
  const ranks = new Map<string, Map<string, number>>()
  const keyCounts = new Map<string, number>()
  for (const [rank, { key, value, count }] of frequency.entries()) {
    const values = ranks.get(key) ?? new Map<string, number>()
    ranks.set(key, values.set(value, rank))
    keyCounts.set(key, (keyCounts.get(key) ?? 0) + count)
  }
  return {
    standingOf: (key, value) => ({
      key,
      value,
      rank: ranks.get(key)?.get(value) ?? Number.POSITIVE_INFINITY,
      keyCount: keyCounts.get(key) ?? 0,
    }),
    compare: (a, b) =>
      (a.rank === b.rank ? b.keyCount - a.keyCount : a.rank - b.rank) ||
      byText(a.key, b.key) ||
      byText(a.value, b.value),
  }
}

/** By UTF-16 code units, the same in every locale. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
