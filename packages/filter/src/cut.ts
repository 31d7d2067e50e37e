import { MICRO } from './pair-table.ts'

/** The best pairs by one scorer. */
export interface Cut {
  /** Percent of all pairs. */
  readonly percent: number
  /** By row: 1 where the pair is among the best. */
  readonly members: Uint8Array
  readonly count: number
}

/**
 * One ranking of all pairs by similarity, highest first; equal ones by id in the order of its characters (`a10` before
 * `a9`). The top p % of n pairs are the first p x n / 100, halves rounded up.
 *
 * Similarities have two million possible values, so they are counted instead of sorted: the time follows n.
 *
 * @param similarities in millionths, by row
 * @param idOf id of a row
 */
export function cutRanking(
  similarities: Int32Array,
  idOf: (row: number) => string,
  percents: readonly number[],
): Cut[] {
  const size = similarities.length
  const counts = new Uint32Array(2 * MICRO + 1)
  for (let row = 0; row < size; row++) counts[similarities[row]! + MICRO]!++
  return percents.map((percent) => {
    const count = Math.round((percent * size) / 100)
    const members = new Uint8Array(size)
    if (count === 0) return { percent, members, count }
    let value = 2 * MICRO
    let better = 0
    for (; better + counts[value]! < count; value--) better += counts[value]!
    const edge = value - MICRO
    const equal: { row: number; id: string }[] = []
    for (let row = 0; row < size; row++) {
      const similarity = similarities[row]!
      if (similarity > edge) members[row] = 1
      else if (similarity === edge) equal.push({ row, id: idOf(row) })
    }
    equal.sort((a, b) => (a.id < b.id ? -1 : 1))
    for (const { row } of equal.slice(0, count - better)) members[row] = 1
    return { percent, members, count }
  })
}
