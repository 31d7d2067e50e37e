import type { Quota } from '@skyscript/core'

/** A quota over the pairs of a table. */
export interface Limits {
  readonly by: Quota['by']
  /** Group of each row, or -1 for rows without a limit. */
  readonly of: Int32Array
  /** By group: the largest number of rows (Infinity for no limit), and the largest share of all rows that are chosen (1 for none). */
  readonly most: Float64Array
  readonly share: Float64Array
}

export interface Chosen {
  /** In the order of the candidates. */
  readonly rows: Uint32Array
  /** For each quota, how many of the first `size` candidates it kept out. */
  readonly leftOut: readonly number[]
}

/** 0.29 x 100 is a little less than 29 in binary arithmetic. */
const ROUNDING = 1e-9

/**
 * Takes rows in order, each unless one of its groups is full, until there are `size`. Where fewer than `size` can be had, shares
 * are shares of those: their number is found by halving, so that no group has more than its share of what is chosen.
 *
 * @param candidates rows, best first
 */
export function chooseBalanced(candidates: Uint32Array, size: number, limits: readonly Limits[]): Chosen {
  const full = fill(candidates, size, size, limits)
  if (full.rows.length === size) return full
  const rest = fill(candidates, size, full.rows.length, limits)
  if (rest.rows.length === full.rows.length) return rest
  let [low, high] = [0, full.rows.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (fill(candidates, size, middle, limits).rows.length === middle) low = middle
    else high = middle
  }
  return fill(candidates, size, low, limits)
}

/** Takes up to `total` rows, with shares of `total`. */
function fill(candidates: Uint32Array, size: number, total: number, limits: readonly Limits[]): Chosen {
  const quotas = limits.map(({ most, share }) =>
    most.map((each, group) => Math.min(each, Math.floor(share[group]! * total + ROUNDING))),
  )
  const taken = limits.map(({ most }) => new Uint32Array(most.length))
  /** What keeps out a row for which there is room: shares limit the number of rows. */
  const byShare = limits.findIndex(({ share }) => share.some((each) => each < 1))
  const leftOut = limits.map(() => 0)
  const rows = new Uint32Array(Math.min(total, candidates.length))
  let count = 0
  for (let at = 0; at < candidates.length && (count < total || at < size); at++) {
    const row = candidates[at]!
    let full = count === total ? byShare : -1
    for (let i = limits.length - 1; i >= 0; i--) {
      const group = limits[i]!.of[row]!
      if (group >= 0 && taken[i]![group]! >= quotas[i]![group]!) full = i
    }
    if (full >= 0) {
      if (at < size) leftOut[full]!++
      continue
    }
    for (let i = 0; i < limits.length; i++) {
      const group = limits[i]!.of[row]!
      if (group >= 0) taken[i]![group]!++
    }
    rows[count++] = row
  }
  return { rows: rows.subarray(0, count), leftOut }
}
