import { type IdRanks, type IdSet, rankIds } from './id-set.ts'

/** Kinds of elements: ids of each count apart. */
export const KINDS = ['nodes', 'ways', 'relations'] as const
export type Kind = (typeof KINDS)[number]

/** Something for each kind of element. */
export type ByKind<T> = Readonly<Record<Kind, T>>

export function byKind<T>(make: (kind: Kind) => T): ByKind<T> {
  return { nodes: make('nodes'), ways: make('ways'), relations: make('relations') }
}

/** Elements of a kind whose ids come more than once. */
export interface Occurrences {
  /** Of each id among all that come more than once. */
  readonly ranks: Float64Array<ArrayBuffer>
  readonly versions: Float64Array<ArrayBuffer>
  /** See `Sightings`. */
  readonly places: Float64Array<ArrayBuffer>
}

/** Of each id that comes more than once, the place of the element that counts; in memory that threads share. */
export interface Newest {
  readonly ranks: IdRanks
  readonly places: Float64Array
}

/**
 * Chooses among elements with the same id: the highest version counts, and of equal versions the one that comes last,
 * which is that of the newest file where files come by age.
 */
export class NewestChooser implements Newest {
  readonly ranks: IdRanks
  readonly places: Float64Array
  readonly #versions: Int32Array

  constructor(repeated: IdSet) {
    this.ranks = rankIds(repeated)
    this.places = new Float64Array(new SharedArrayBuffer(this.ranks.count * 8))
    this.#versions = new Int32Array(this.ranks.count).fill(-1)
  }

  /** @param occurrences in the order of their places, after all that were seen before */
  see({ ranks, versions, places }: Occurrences): void {
    for (let i = 0; i < ranks.length; i++) {
      const rank = ranks[i]!
      if (versions[i]! < this.#versions[rank]!) continue
      this.#versions[rank] = versions[i]!
      this.places[rank] = places[i]!
    }
  }

  /** Plain data, for threads. */
  newest(): Newest {
    return { ranks: this.ranks, places: this.places }
  }
}
