import { MICRO } from './pair-table.ts'

/**
 * All pairs by similarity, highest first; ties are broken by id in code point order (`a10` before `a9`).
 *
 * Similarities have two million possible values, so this is a counting sort: the time is linear in the number of pairs,
 * and only ties are sorted by comparison.
 *
 * @param similarities in millionths, by row
 * @param compareIds the order of two rows' ids
 * @returns rows, best first
 */
export function rank(similarities: Int32Array, compareIds: (a: number, b: number) => number): Uint32Array {
  const size = similarities.length
  let [best, worst] = [-MICRO, MICRO]
  for (const similarity of similarities) {
    if (similarity > best) best = similarity
    if (similarity < worst) worst = similarity
  }
  /** First `starts[v]`: how many are better than value `v`, counted from the highest; then the place of its next row. */
  const starts = new Uint32Array(Math.max(0, best - worst) + 2)
  const place = (row: number) => best - similarities[row]!
  for (let row = 0; row < size; row++) starts[place(row) + 1]!++
  for (let value = 1; value < starts.length; value++) starts[value]! += starts[value - 1]!
  const ranked = new Uint32Array(size)
  for (let row = 0; row < size; row++) ranked[starts[place(row)]!++] = row
  for (let from = 0, to = 1; from < size; from = to, to++) {
    const similarity = similarities[ranked[from]!]
    while (to < size && similarities[ranked[to]!] === similarity) to++
    if (to - from > 1) ranked.subarray(from, to).sort(compareIds)
  }
  return ranked
}

/**
 * The rows of a ranking, in order, keeping only the best `most` of each group.
 *
 * @param groupOf the group of each row, from 0 to `groups - 1`; -1 for rows without a limit
 */
export function limitGroups(ranked: Uint32Array, groupOf: Int32Array, groups: number, most: number): Uint32Array {
  const taken = new Uint32Array(groups)
  return ranked.filter((row) => {
    const group = groupOf[row]!
    return group < 0 || taken[group]!++ < most
  })
}

/** Number of pairs in the top `percent` of `size`: percent x size / 100, halves rounded up. */
export const topCount = (percent: number, size: number): number => Math.round((percent * size) / 100)

/** How many of `ranked`, from its start, have at least the similarity `micro` (in millionths). */
export function countAbove(ranked: Uint32Array, similarities: Int32Array, micro: number): number {
  let [low, high] = [0, ranked.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (similarities[ranked[middle]!]! >= micro) low = middle + 1
    else high = middle
  }
  return low
}
