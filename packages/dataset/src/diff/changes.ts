import { type ChangedPair, comparePairs, type PairChanges } from './compare.ts'
import { compareLocks, isEmpty, type LockChanges, NO_LOCK_CHANGES } from './locks.ts'
import type { Side } from './side.ts'

/** What identifies one of the two datasets. */
export interface Described {
  readonly name: string
  /** Of everything that decided it, as in its lock. */
  readonly fingerprint: string
  readonly pairs: number
  /** Of its extracts: the last change of the map that they include, where they say. */
  readonly maps: readonly {
    readonly name: string
    readonly timestamp: string | null
    readonly sequence: number | null
  }[]
}

/** The differences between two datasets: the content of `changes.json` and of `skyscript diff --json`. */
export interface Changes extends LockChanges {
  /** Null: there was no dataset before. */
  readonly before: Described | null
  readonly after: Described
  /** Null if either side is only a lock. */
  readonly pairs: PairChanges | null
}

/**
 * Compares two datasets by their published files.
 *
 * @param before null: there was nothing
 * @throws InputError as `comparePairs`
 */
export async function compareDatasets(before: Side | null, after: Side): Promise<Changes> {
  const arePaired = after.pairs !== null && before?.pairs !== null
  return {
    before: before && describe(before),
    after: describe(after),
    ...(before === null ? NO_LOCK_CHANGES : compareLocks(before.lock, after.lock)),
    pairs: arePaired ? await comparePairs(before?.pairs ?? null, after.pairs) : null,
  }
}

const describe = ({ lock }: Side): Described => ({
  name: lock.config.name,
  fingerprint: lock.fingerprint,
  pairs: lock.counts.kept,
  maps: lock.inputs.map(({ name, replicationTimestamp, replicationSequence }) => ({
    ...{ name, timestamp: replicationTimestamp, sequence: replicationSequence },
  })),
})

/** Whether anything differs at all. */
export function differs(changes: Changes): boolean {
  if (changes.before === null) return true
  const { pairs } = changes
  if (pairs !== null && (hasDifferences(pairs) || pairs.csvs.length > 0 || pairs.counts.metadata > 0)) return true
  const { settings, inputs, models, tables, origins, tool, counts, rows, files } = changes
  return !isEmpty({ settings, inputs, models, tables, origins, tool, counts, rows, files })
}

const hasDifferences = ({ counts }: PairChanges) => counts.added + counts.removed + counts.changed > 0

/** Entries of a list that become one piece of the text. */
const PIECE = 5000

/**
 * The document as JSON, in pieces: lists of ids may have millions. Its members stand in a fixed order, one a line.
 * docs/reference/changes.md describes it.
 */
export async function* changesJson(changes: Changes): AsyncGenerator<string> {
  const { pairs, before, after, ...locks } = changes
  yield `{\n"format": "skyscript-changes",\n"version": 1,\n"differs": ${differs(changes)}`
  for (const [name, value] of Object.entries({ before, after, ...locks }))
    yield `,\n"${name}": ${JSON.stringify(value)}`
  if (pairs === null) {
    yield ',\n"pairs": null\n}\n'
    return
  }
  const { counts, reasons, image, notCompared, tags, csvs, added, removed, changed } = pairs
  yield ',\n"pairs": {'
  const small = { counts, reasons, image, notCompared, tags }
  for (const [i, [name, value]] of Object.entries(small).entries())
    yield `${i === 0 ? '' : ','}\n"${name}": ${JSON.stringify(value)}`
  yield ',\n"csvs": ['
  for (const [i, { entered, left, ...csv }] of csvs.entries()) {
    yield `${i === 0 ? '' : ','}\n${JSON.stringify(csv).slice(0, -1)},"entered":`
    yield* list(entered, '')
    yield ',"left":'
    yield* list(left, '')
    yield '}'
  }
  yield '],\n"added": '
  yield* list(added, '')
  yield ',\n"removed": '
  yield* list(removed, '')
  yield ',\n"changed": '
  yield* list<ChangedPair>(changed, '\n')
  yield '\n}\n}\n'
}

/** @param start of each entry */
async function* list<T>(entries: Iterable<T>, start: string): AsyncGenerator<string> {
  let piece: string[] = []
  let separator = '['
  for (const entry of entries) {
    piece.push(`${start}${JSON.stringify(entry)}`)
    if (piece.length < PIECE) continue
    yield separator + piece.join(',')
    separator = ','
    piece = []
  }
  if (piece.length > 0) {
    yield separator + piece.join(',')
    separator = ','
  }
  yield separator === '[' ? '[]' : ']'
}
