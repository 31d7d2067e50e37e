/** A larger batch must be faster than a smaller one by this factor to be worth its memory. */
const WORTH = 1.03
/** Runs of each size; the first allocates. */
const RUNS = 2

/** Finds the best number of images per batch. */
export interface BatchSize {
  /** The size to use next. */
  readonly size: number
  /** Records the time the model took for a batch. */
  took(images: number, milliseconds: number): void
}

/**
 * Tries increasing sizes on real batches, and keeps the smallest that is about as fast as the best: on a CPU a few images
 * use all cores, while a GPU needs many. An embedding doesn't depend on its batch.
 *
 * @param sizes ascending; a single size is used as given
 */
export function findBatchSize(sizes: readonly number[]): BatchSize {
  /** Images per millisecond, by index in `sizes`. */
  const rates: number[] = []
  let runs = 0
  let fastest = 0
  let best = 0
  let found = sizes.length === 1
  return {
    get size() {
      return sizes[found ? best : rates.length]!
    },
    took(images, milliseconds) {
      const size = sizes[rates.length]
      // The incomplete batch at the end of a job is not a valid measurement.
      if (found || images !== size) return
      const rate = images / Math.max(milliseconds, 1e-3)
      fastest = runs === 0 ? rate : Math.max(fastest, rate)
      if (++runs < RUNS) return
      runs = 0
      rates.push(fastest)
      const grows = rates.length === 1 || fastest > rates.at(-2)! * WORTH
      if (grows && rates.length < sizes.length) return
      best = rates.findIndex((each) => each * WORTH >= Math.max(...rates))
      found = true
    },
  }
}
