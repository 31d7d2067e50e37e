/** The share of pairs on the ground of benchmark sets that each scorer takes to be wrong. */
const DOUBTFUL = 0.2

/** Which scorers rank a pair in the lowest fifth of those on its ground: none, some or all. */
export type Doubt = 'none' | 'some' | 'all'

/**
 * Which of the pairs on a ground are doubtful, by their similarities in the order of the scorers.
 *
 * @param pairs all pairs on the ground
 */
export function createDoubts(pairs: readonly (readonly number[])[]): (similarities: readonly number[]) => Doubt {
  const limits = (pairs[0] ?? []).map((_, scorer) => {
    const sorted = Float64Array.from(pairs, (similarities) => similarities[scorer]!).sort()
    return sorted[Math.floor(DOUBTFUL * sorted.length)]!
  })
  return (similarities) => {
    const low = similarities.filter((similarity, scorer) => similarity < limits[scorer]!).length
    return low === 0 ? 'none' : low < similarities.length ? 'some' : 'all'
  }
}
