import { Numbers } from './cursor.ts'
import { IdCollector, type IdRanks, type IdSet, RankFinder } from './id-set.ts'
import type { Newest, Occurrences } from './newest.ts'

/** First and last id of successive elements of a kind, and whether each id is above the one before. */
export interface IdRange {
  readonly first: number
  readonly last: number
  readonly rises: boolean
}

/** No blob has more elements: it is of 32 MB at most, and an element takes two bytes. */
const MOST_IN_BLOB = 2 ** 24

/**
 * The elements of one kind as a thread sees them. Each has a place, by which elements with the same id are told apart:
 * that of its blob among the blobs of all files, and its own among those of its kind in the blob.
 */
export class Sightings {
  #place = 0
  #first = 0
  #last = Number.NEGATIVE_INFINITY
  #rises = true
  #collector: IdCollector | null = null
  /** Of the ids that come more than once. */
  #ranks: RankFinder | null = null
  /** Of the elements that count, where that is known and holds for the block at hand. */
  #newest: Float64Array | null = null
  #knownNewest: Float64Array | null = null
  readonly #found = { ranks: new Numbers(), versions: new Numbers(), places: new Numbers() }

  /** @param blob null where the block is not as the file has it, and holds nothing that gives way to another */
  begin(blob: number | null): void {
    this.#place = (blob ?? 0) * MOST_IN_BLOB
    this.#newest = blob === null ? null : this.#knownNewest
  }

  /** Collects ids from now on, or no more. */
  collect(isWanted: boolean): void {
    if (isWanted) this.#collector ??= new IdCollector({ repeats: true })
  }

  lookFor(repeated: IdRanks): void {
    this.#ranks = new RankFinder(repeated)
  }

  settle({ ranks, places }: Newest): void {
    this.#ranks = new RankFinder(ranks)
    this.#knownNewest = places
  }

  /** Sees the next element. @returns its place */
  see(id: number): number {
    if (id <= this.#last) this.#rises = false
    if (this.#last === Number.NEGATIVE_INFINITY) this.#first = id
    this.#last = id
    return this.#place++
  }

  /** Sees the next element. @returns whether it gives way to another with its id */
  isOlder(id: number): boolean {
    return this.isOlderAt(id, this.see(id))
  }

  /** Of an element that was seen. */
  isOlderAt(id: number, place: number): boolean {
    if (this.#newest === null) return false
    const rank = this.#ranks!.rankOf(id)
    return rank !== -1 && this.#newest[rank] !== place
  }

  /** Sees the next elements. @returns the place of the first */
  seeAll(ids: Float64Array, count: number): number {
    const place = this.#place
    this.#place += count
    if (count === 0) return place
    if (this.#last === Number.NEGATIVE_INFINITY) this.#first = ids[0]!
    let last = this.#last
    for (let i = 0; i < count; i++) {
      if (ids[i]! <= last) this.#rises = false
      last = ids[i]!
    }
    this.#last = last
    return place
  }

  /** Of an element just seen: takes its id, and its version where the id comes more than once. */
  record(id: number, place: number, version: () => number): void {
    this.#collector?.add(id)
    if (this.#ranks === null) return
    const rank = this.#ranks.rankOf(id)
    if (rank === -1) return
    this.#found.ranks.push(rank)
    this.#found.versions.push(version())
    this.#found.places.push(place)
  }

  /** Of the ids since the last time; null where there were none. */
  takeRange(): IdRange | null {
    if (this.#last === Number.NEGATIVE_INFINITY) return null
    const range = { first: this.#first, last: this.#last, rises: this.#rises }
    this.#last = Number.NEGATIVE_INFINITY
    this.#rises = true
    return range
  }

  takeOccurrences(): Occurrences {
    const take = (list: Numbers) => {
      const taken = list.values.slice(0, list.length)
      list.clear()
      return taken
    }
    const { ranks, versions, places } = this.#found
    return { ranks: take(ranks), versions: take(versions), places: take(places) }
  }

  /** The ids that were collected, and those of them that came more than once. */
  takeIds(): { readonly seen: IdSet; readonly repeated: IdSet } {
    const collector = this.#collector ?? new IdCollector({ repeats: true })
    this.#collector = null
    return { seen: collector.take(), repeated: collector.takeRepeated() }
  }
}
