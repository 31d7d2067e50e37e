import { compareCodes, decodeId } from '@skyscript/core'
import { without } from './members.ts'
import {
  createTagNames,
  FIELDS,
  type Field,
  indexPairs,
  missingFields,
  type Pairs,
  readPairs,
  tagsOf,
} from './pairs.ts'
import type { SidePairs } from './side.ts'

/** Why a pair that both datasets have counts as changed, in the order in which they are listed. */
export const REASONS = ['tags', 'geometry', 'surroundings', 'image', 'caption', 'score', 'split'] as const
export type Reason = (typeof REASONS)[number]
/** What of an image changed. */
export const IMAGE_PARTS = ['source', 'date', 'request', 'bytes', 'file'] as const
export type ImagePart = (typeof IMAGE_PARTS)[number]

/** Ids in their order, as numbers. */
export class Ids implements Iterable<string> {
  readonly #codes: Float64Array

  constructor(codes: readonly number[]) {
    this.#codes = Float64Array.from(codes).sort(compareCodes)
  }

  get size(): number {
    return this.#codes.length
  }

  *[Symbol.iterator](): Generator<string> {
    for (const code of this.#codes) yield decodeId(code)
  }
}

export interface ChangedPair {
  readonly id: string
  readonly reasons: readonly Reason[]
  /** Empty unless `image` is one of the reasons. */
  readonly image: readonly ImagePart[]
}

const FLAG = Object.fromEntries(FIELDS.map((field, i) => [field, 1 << i])) as Readonly<Record<Field, number>>
const TAGS = 1 << FIELDS.length
const IMAGE = IMAGE_PARTS.reduce((flags, part) => flags | FLAG[part], 0)

const REASON_FLAGS: readonly (readonly [Reason, number])[] = REASONS.map((reason) => [
  reason,
  reason === 'tags' ? TAGS : reason === 'image' ? IMAGE : FLAG[reason],
])

/** Changed pairs by id, 20 bytes each. */
export class ChangedPairs implements Iterable<ChangedPair> {
  readonly #codes: readonly number[]
  readonly #flags: readonly number[]
  readonly #order: Uint32Array

  constructor(codes: readonly number[], flags: readonly number[]) {
    this.#codes = codes
    this.#flags = flags
    this.#order = Uint32Array.from(codes.keys()).sort((a, b) => compareCodes(codes[a]!, codes[b]!))
  }

  get size(): number {
    return this.#codes.length
  }

  *[Symbol.iterator](): Generator<ChangedPair> {
    for (const row of this.#order) {
      const flags = this.#flags[row]!
      yield {
        id: decodeId(this.#codes[row]!),
        reasons: REASON_FLAGS.filter(([, flag]) => (flags & flag) !== 0).map(([reason]) => reason),
        image: IMAGE_PARTS.filter((part) => (flags & FLAG[part]) !== 0),
      }
    }
  }
}

export interface TagChange {
  /** `key=value`. */
  readonly tag: string
  /** Pairs whose object has the tag; for changed ones, before or after. */
  readonly added: number
  readonly removed: number
  readonly changed: number
}

export interface CsvChange {
  /** `train_top30pct_openai`. */
  readonly set: string
  /** Its file; null where there is none. */
  readonly before: string | null
  readonly after: string | null
  readonly entered: Ids
  readonly left: Ids
}

/** The differences between the pairs of two datasets. */
export interface PairChanges {
  /** `metadata`: pairs among the `same` of which only metadata differs, such as versions, timestamps and credit lines. */
  readonly counts: Readonly<Record<'before' | 'after' | 'added' | 'removed' | 'changed' | 'same' | 'metadata', number>>
  /** Changed pairs by reason; one may have several. */
  readonly reasons: Readonly<Record<Reason, number>>
  readonly image: Readonly<Record<ImagePart, number>>
  /** Reasons that a dataset's manifest is too old for. */
  readonly notCompared: readonly Reason[]
  /** Those of most pairs first. */
  readonly tags: readonly TagChange[]
  /** Only those that differ, by set. */
  readonly csvs: readonly CsvChange[]
  readonly added: Ids
  readonly removed: Ids
  readonly changed: ChangedPairs
}

/**
 * Compares the contents of two datasets' pairs, matched by the id of their object. A version or timestamp changes no pair.
 *
 * Memory: 120 bytes for each pair of `before`, 8 for each row of a CSV and its counterpart, 20 for each difference, and a
 * row group of one manifest.
 *
 * @param before null: there was nothing
 * @throws InputError `old-manifest`
 */
export async function comparePairs(before: SidePairs | null, after: SidePairs): Promise<PairChanges> {
  const missing = new Set([before, after].flatMap((side) => (side ? missingFields(side.manifest, side.name) : [])))
  const scorers = after.manifest.scorers.filter((scorer) => before?.manifest.scorers.includes(scorer) ?? true)
  const names = createTagNames()
  const pairsOf = ({ manifest, name }: SidePairs) => readPairs(manifest, name, scorers, names)
  const index = await indexPairs(before ? pairsOf(before) : nothing(), before?.manifest.rows ?? 0)
  const compared = FIELDS.filter((field) => !missing.has(field))
  const counts = { added: createTally(), removed: createTally(), changed: createTally() }
  const seen = new Uint8Array(index.size)
  const added: number[] = []
  const changed = { codes: [] as number[], flags: [] as number[] }
  let metadata = 0
  for await (const batch of pairsOf(after)) {
    for (const [row, code] of batch.ids.entries()) {
      const old = index.find(code)
      if (old < 0) {
        added.push(code)
        counts.added.add(tagsOf(batch, row))
        continue
      }
      seen[old] = 1
      const flags = flagsOf(index, old, batch, row, compared)
      const content = flags & ~FLAG.metadata
      if (content === 0) {
        if (flags !== 0) metadata++
        continue
      }
      changed.codes.push(code)
      changed.flags.push(content)
      counts.changed.add(new Set([...tagsOf(batch, row), ...tagsOf(index, old)]))
    }
  }
  const removed: number[] = []
  for (const [row, isSeen] of seen.entries()) {
    if (isSeen === 1) continue
    removed.push(index.ids[row]!)
    counts.removed.add(tagsOf(index, row))
  }
  const flagged = (flag: number) => changed.flags.reduce((sum, flags) => sum + ((flags & flag) === 0 ? 0 : 1), 0)
  const sizes = { added: added.length, removed: removed.length, changed: changed.codes.length }
  return {
    counts: {
      ...{ before: index.size, after: after.manifest.rows, ...sizes },
      same: after.manifest.rows - sizes.added - sizes.changed,
      metadata,
    },
    reasons: Object.fromEntries(
      REASON_FLAGS.map(([reason, flag]) => [reason, flagged(flag)]),
    ) as PairChanges['reasons'],
    image: Object.fromEntries(IMAGE_PARTS.map((part) => [part, flagged(FLAG[part])])) as PairChanges['image'],
    notCompared: REASONS.filter((reason) => missing.has(reason as Field)),
    tags: tagChanges(names.names, counts),
    csvs: await compareCsvs(before?.csvs ?? new Map(), after.csvs),
    added: new Ids(added),
    removed: new Ids(removed),
    changed: new ChangedPairs(changed.codes, changed.flags),
  }
}

async function* nothing(): AsyncGenerator<Pairs> {}

function flagsOf(before: Pairs, old: number, after: Pairs, row: number, fields: readonly Field[]): number {
  let flags = 0
  for (const field of fields) if (before.fields[field][old] !== after.fields[field][row]) flags |= FLAG[field]
  return haveSameTags(before, old, after, row) ? flags : flags | TAGS
}

function haveSameTags(a: Pairs, rowA: number, b: Pairs, rowB: number): boolean {
  const [startA, startB] = [rowA === 0 ? 0 : a.tagEnds[rowA - 1]!, rowB === 0 ? 0 : b.tagEnds[rowB - 1]!]
  const count = a.tagEnds[rowA]! - startA
  if (b.tagEnds[rowB]! - startB !== count) return false
  for (let i = 0; i < count; i++) if (a.tags[startA + i] !== b.tags[startB + i]) return false
  return true
}

/** Numbers of pairs by code of a tag. */
interface Tally {
  add(codes: Iterable<number>): void
  of(code: number): number
}

function createTally(): Tally {
  const counts = new Map<number, number>()
  return {
    add(codes) {
      for (const code of codes) {
        counts.set(code, (counts.get(code) ?? 0) + 1)
      }
    },
    of: (code) => counts.get(code) ?? 0,
  }
}

function tagChanges(
  names: readonly string[],
  counts: Readonly<Record<'added' | 'removed' | 'changed', Tally>>,
): TagChange[] {
  const sum = ({ added, removed, changed }: TagChange) => added + removed + changed
  return names
    .map((tag, code) => ({
      ...{ tag, added: counts.added.of(code), removed: counts.removed.of(code) },
      changed: counts.changed.of(code),
    }))
    .filter((each) => sum(each) > 0)
    .sort((a, b) => sum(b) - sum(a) || (a.tag < b.tag ? -1 : 1))
}

async function compareCsvs(before: SidePairs['csvs'], after: SidePairs['csvs']): Promise<CsvChange[]> {
  const changes: CsvChange[] = []
  for (const set of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [old, now] = [before.get(set), after.get(set)]
    const members = [await old?.members(), await now?.members()].map((each) => each ?? new Float64Array())
    const [left, entered] = [without(members[0]!, members[1]!), without(members[1]!, members[0]!)]
    if (old && now && left.length === 0 && entered.length === 0) continue
    changes.push({
      ...{ set, before: old?.path ?? null, after: now?.path ?? null },
      entered: new Ids(entered),
      left: new Ids(left),
    })
  }
  return changes
}
