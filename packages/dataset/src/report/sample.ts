import { type CaptionRecord, type ImageRecord, seededFraction } from '@skyscript/core'
import { Lowest } from '../lowest.ts'

/** One pair with its data for the report; `similarities` are in the order of the scorers. */
export interface ReportRow {
  readonly image: ImageRecord
  readonly caption: CaptionRecord
  readonly similarities: readonly number[]
}

/** Pairs kept per source and tag key, so that a hundred thousand buildings don't crowd out the one windmill. */
const KEPT_PER_KEY = 4

interface Ranked {
  readonly rank: number
  readonly row: ReportRow
}

/** By rank; ties by id. */
const before = (a: Ranked, b: Ranked) => a.rank < b.rank || (a.rank === b.rank && a.row.image.id < b.row.image.id)

interface SourceSample {
  readonly byKey: Map<string, Lowest<Ranked>>
  readonly any: Lowest<Ranked>
}

/**
 * The pairs of the contact sheet, chosen in one pass, independent of the order of the rows. Every pair gets a seeded random
 * rank. Sources take turns by name; within a source the keys of the first center tag take turns, the key with the lowest
 * rank first, each giving its lowest-ranked pair; when the keys have given all they kept, the source continues by rank.
 */
export class PairSample {
  readonly #seed: number
  readonly #size: number
  readonly #sources = new Map<string, SourceSample>()

  constructor(seed: number, size: number) {
    this.#seed = seed
    this.#size = size
  }

  add(row: ReportRow): void {
    const item = { rank: seededFraction(this.#seed, 'contact-sheet', row.image.id), row }
    let source = this.#sources.get(row.image.source)
    if (source === undefined) {
      source = { byKey: new Map(), any: new Lowest(this.#size, before) }
      this.#sources.set(row.image.source, source)
    }
    source.any.offer(item)
    const key = Object.keys(row.caption.centerTags)[0] ?? ''
    const kept = source.byKey.get(key) ?? new Lowest(KEPT_PER_KEY, before)
    source.byKey.set(key, kept)
    kept.offer(item)
  }

  rows(): ReportRow[] {
    const queues = [...this.#sources].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, source]) => orderOf(source))
    const chosen: ReportRow[] = []
    for (let turn = 0; chosen.length < this.#size && queues.some((queue) => turn < queue.length); turn++) {
      for (const queue of queues) {
        const row = queue[turn]
        if (row !== undefined && chosen.length < this.#size) chosen.push(row)
      }
    }
    return chosen
  }
}

function orderOf({ byKey, any }: SourceSample): ReportRow[] {
  const keys = [...byKey.values()].map(({ items }) => items).sort((a, b) => (before(a[0]!, b[0]!) ? -1 : 1))
  const order = new Set<ReportRow>()
  for (let turn = 0; turn < KEPT_PER_KEY; turn++) {
    for (const items of keys) {
      const item = items[turn]
      if (item !== undefined) order.add(item.row)
    }
  }
  for (const { row } of any.items) order.add(row)
  return [...order]
}
