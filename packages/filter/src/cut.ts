/** The best pairs by one scorer. */
export interface Cut {
  /** Percent of all pairs. */
  readonly percent: number
  /** By row: 1 where the pair is among the best. */
  readonly members: Uint8Array
  readonly count: number
}

/**
 * One ranking of all pairs by similarity, highest first; ties by id. The top p % are the first round(p / 100 x n).
 *
 * @param similarities by row
 * @param ids by row
 */
export function cutRanking(similarities: Float64Array, ids: readonly string[], percents: readonly number[]): Cut[] {
  const order = Uint32Array.from(ids.keys())
  order.sort((a, b) => similarities[b]! - similarities[a]! || (ids[a]! < ids[b]! ? -1 : 1))
  return percents.map((percent) => {
    const count = Math.round((percent / 100) * ids.length)
    const members = new Uint8Array(ids.length)
    for (const row of order.subarray(0, count)) members[row] = 1
    return { percent, members, count }
  })
}
