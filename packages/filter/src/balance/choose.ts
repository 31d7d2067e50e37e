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
/** Of sums of such products. */
const SUM_ROUNDING = 1e-6

/**
 * Takes rows in order, each unless one of its groups is full, until there are `size`. Where fewer than `size` can be had, shares
 * are shares of those, so that no group has more than its share of what is chosen. With one quota it is the largest such number.
 *
 * @param candidates rows, best first
 */
export function chooseBalanced(candidates: Uint32Array, size: number, limits: readonly Limits[]): Chosen {
  let total = size
  let chosen = fill(candidates, size, total, limits)
  if (chosen.rows.length === total) return chosen
  total = chosen.rows.length
  if (!isFilled(candidates, total, limits)) {
    let low = 0
    while (total - low > 1) {
      const middle = (low + total) >> 1
      if (isFilled(candidates, middle, limits)) low = middle
      else total = middle
    }
    total = low
  }
  // Whole rows are a few less.
  for (;;) {
    chosen = fill(candidates, size, total, limits)
    if (chosen.rows.length === total) return chosen
    total = chosen.rows.length
  }
}

/**
 * Whether there would be `total` rows if a group took the part of a row for which it has room. Then there would be any smaller number
 * too, which whole rows don't promise: five groups of at most 0.2 fill 10 rows, but not 9.
 */
function isFilled(candidates: Uint32Array, total: number, limits: readonly Limits[]): boolean {
  const room = limits.map(({ most, share }) => most.map((each, group) => Math.min(each, share[group]! * total)))
  let sum = 0
  for (const row of candidates) {
    let part = 1
    for (let i = 0; i < limits.length; i++) {
      const group = limits[i]!.of[row]!
      if (group >= 0) part = Math.min(part, room[i]![group]!)
    }
    if (part <= 0) continue
    for (let i = 0; i < limits.length; i++) {
      const group = limits[i]!.of[row]!
      if (group >= 0) room[i]![group]! -= part
    }
    sum += part
    if (sum > total - SUM_ROUNDING) return true
  }
  return total === 0
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
