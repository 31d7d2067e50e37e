import type { LockedBlend } from '../lock.ts'
import type { RowIndex } from './row-index.ts'

/**
 * The values of a blend, by row: the weighted mean of each scorer's `rank(pct=True)`, as pandas defines it (the mean rank of equal
 * similarities, counted from the lowest, divided by the number of rows), with six decimals.
 */
export function blendValues(index: RowIndex, { of, weights }: LockedBlend): Float64Array {
  const sums = new Float64Array(index.size)
  for (const [i, scorer] of of.entries()) {
    const values = Float64Array.from({ length: index.size }, (_, row) => index.similarity(row, scorer))
    const sorted = values.toSorted()
    for (const [row, value] of values.entries()) {
      const meanRank = (countBelow(sorted, value) + 1 + countUpTo(sorted, value)) / 2
      sums[row]! += ((weights?.[i] ?? 1) * meanRank) / index.size
    }
  }
  const total = of.reduce((sum, _, i) => sum + (weights?.[i] ?? 1), 0)
  return sums.map((sum) => Math.round((sum / total) * 1e6) / 1e6)
}

const countBelow = (sorted: Float64Array, value: number) => search(sorted, (each) => each < value)
const countUpTo = (sorted: Float64Array, value: number) => search(sorted, (each) => each <= value)

/** How many values at the start of `sorted` pass. */
function search(sorted: Float64Array, passes: (value: number) => boolean): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (passes(sorted[middle]!)) low = middle + 1
    else high = middle
  }
  return low
}
