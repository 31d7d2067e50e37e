import { breather } from '@skyscript/core'

/** The middle 95 % of resampled means. */
export type Interval = readonly [low: number, high: number]

const OUTSIDE = 0.025
const SEED = 51

/**
 * Intervals of the means of some columns by the percentile bootstrap (Efron and Tibshirani 1993, chapter 13): rows are
 * resampled with replacement. The same rows give the same intervals in any order.
 *
 * @param columns figures of the same rows, such as the hits of each image among the best 1 and the best 5
 * @param samples number of resamplings
 */
export async function bootstrapIntervals(
  columns: readonly (readonly number[])[],
  samples: number,
): Promise<Interval[]> {
  const breathe = breather()
  const count = columns[0]!.length
  const order = columns[0]!.map((_, row) => row)
  order.sort((a, b) => columns.reduce((sign, column) => sign || column[a]! - column[b]!, 0))
  const sorted = columns.map((column) => Float64Array.from(order, (row) => column[row]!))
  const random = randomIntegers(SEED)
  const means = columns.map(() => new Float64Array(samples))
  const drawn = new Uint32Array(count)
  for (let sample = 0; sample < samples; sample++) {
    for (let i = 0; i < count; i++) drawn[i] = Math.floor((random() / 2 ** 32) * count)
    for (const [i, column] of sorted.entries()) {
      let sum = 0
      for (const row of drawn) sum += column[row]!
      means[i]![sample] = sum / count
    }
    await breathe()
  }
  const cut = Math.floor(OUTSIDE * samples)
  return means.map((values) => {
    values.sort()
    return [values[cut]!, values[samples - 1 - cut]!]
  })
}

/** Repeatable integers in [0, 2^32): the SplitMix generator in its form for 32 bits. */
function randomIntegers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return (mixed ^ (mixed >>> 16)) >>> 0
  }
}
