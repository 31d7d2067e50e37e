import type { Blend } from '@skyscript/core'
import { toMicro } from './pair-table.ts'
import { shared } from './shared-arrays.ts'

/**
 * One ranking out of several scorers' (rank average): the mean share of pairs that a pair equals or beats, where pairs of equal
 * similarity share their mean rank. It is `rank(pct=True)` in pandas: above 0, and 1 for the only pair at the top of all
 * scorers. Scales don't matter, so scorers whose similarities spread differently count alike.
 *
 * @param columns similarities in millionths, by scorer
 * @returns in millionths, by row
 */
export function blendOf(columns: readonly Int32Array[], weights: readonly number[]): Int32Array<SharedArrayBuffer> {
  const size = columns[0]!.length
  const sums = new Float64Array(size)
  for (const [i, column] of columns.entries()) {
    const shares = sharesBelow(column)
    for (let row = 0; row < size; row++) sums[row]! += weights[i]! * shares(row)
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const blended = shared.integers(size)
  for (let row = 0; row < size; row++) blended[row] = toMicro(sums[row]! / total)
  return blended
}

/** The blend's scorers and their weights. */
export const partsOf = ({ of, weights }: Blend) => of.map((scorer, i) => ({ scorer, weight: weights?.[i] ?? 1 }))

/** By row: mean rank, counted from the lowest, as a share of all rows. Counts values, as `rank` does. */
function sharesBelow(column: Int32Array): (row: number) => number {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of column) {
    if (value < low) low = value
    if (value > high) high = value
  }
  /** First how many rows have each value, then twice their mean rank. */
  const ranks = new Float64Array(column.length === 0 ? 0 : high - low + 1)
  for (const value of column) ranks[value - low]!++
  for (let value = 0, below = 0; value < ranks.length; value++) {
    const count = ranks[value]!
    ranks[value] = 2 * below + count + 1
    below += count
  }
  return (row) => ranks[column[row]! - low]! / (2 * column.length)
}
