type Entry<Key extends string | number> = readonly [Key, ...unknown[]]

/** Compares the keys of two entries; texts by their UTF-16 code units, whatever the locale. */
export const byKey = <Key extends string | number>([a]: Entry<Key>, [b]: Entry<Key>): number =>
  a < b ? -1 : a > b ? 1 : 0

/** Compares counts by key: the largest first, equal ones by their keys. */
export const byCount = (a: readonly [string, number], b: readonly [string, number]): number =>
  b[1] - a[1] || byKey(a, b)

/** A plain object with sorted keys, so that its JSON is the same whatever order things came in. */
export const sortedRecord = <Value>(entries: Iterable<readonly [string, Value]>): Record<string, Value> =>
  Object.fromEntries([...entries].sort(byKey))
