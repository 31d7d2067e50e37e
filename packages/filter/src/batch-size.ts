/** A larger batch must be so much faster than a smaller one to be worth its memory. */
const WORTH = 1.03
/** Runs of each size; the first allocates. */
const RUNS = 2

/** Finds how many images a model is best given at once. */
export interface BatchSize {
  /** The size to use next. */
  readonly size: number
  /** Records how long the model took for a number of images. */
  took(images: number, milliseconds: number): void
}

/**
 * Tries growing sizes on the images that come anyway, and stays with the smallest that is about as fast as the best: on
 * a CPU a few images fill all cores, while a GPU wants many. An embedding doesn't depend on the batch that it was in.
 *
 * @param sizes ascending; a single one is taken as it is
 */
export function findBatchSize(sizes: readonly number[]): BatchSize {
  /** Images a millisecond, by place among the sizes. */
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
      // What is left at the end of a job is no full batch, and says nothing.
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
