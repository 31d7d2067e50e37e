import type { Config } from '@skyscript/core'
import type { CsvSet } from '@skyscript/dataset'

/** The pairs of a dataset, ranked by one scorer. */
export interface Ranking {
  readonly scorer: string
  /** Rows by rank, best first, after applying `filter.maxPerTag` and `filter.exclude`. */
  readonly best: Uint32Array
  /** In millionths, by row. */
  readonly similarities: Int32Array
}

/** A way to take the best of a ranking for a training file: a file of this folder and an entry of the list in index.ts. */
export interface Cut {
  /** The part of the dataset that its files are, and the file's name without extension. */
  readonly part: CsvSet['part']
  /** The sizes of its files, as the settings list them. */
  sizes(filter: Pick<Config['filter'], 'top' | 'above'>): readonly number[]
  /** Whether pairs further down take the places of those that `filter.balance` leaves out. */
  readonly fills: boolean
  /** How many pairs a size takes from a ranking's start, and what the user should know about it. */
  take(size: number, ranking: Ranking): { readonly count: number; readonly note: string | null }
}
