import { type Config, count } from '@skyscript/core'
import {
  ALL_TRAINING,
  CAPTION_COLUMNS,
  type CsvSet,
  captionsPath,
  csvPath,
  EXCLUDED_CSV,
  pairColumns,
  partName,
  recordsPath,
  SIMILAR_COLUMNS,
  SIMILAR_CSV,
} from '@skyscript/dataset'
import { type Chosen, chooseBalanced, type Limits } from './balance/choose.ts'
import type { Balance } from './balance/index.ts'
import { blendOf, partsOf } from './blend.ts'
import type { FileRows } from './cut-group.ts'
import type { Ranking } from './cuts/cut.ts'
import { CUTS } from './cuts/index.ts'
import type { BenchmarkImages } from './duplicates/benchmark-images.ts'
import { type Drawn, drawEvaluation } from './evaluation.ts'
import type { Groups } from './groups.ts'
import type { PairTable } from './pair-table.ts'
import { limitGroups, rank } from './ranking.ts'
import type { Embeddings } from './semantic/embeddings-file.ts'
import { findSimilar, type SimilarRows } from './semantic/find-similar.ts'
import { shared } from './shared-arrays.ts'
import { PARTS } from './splits/criterion.ts'

/**
 * Split by block, `train`, `val`, `test` and `benchmark` say which ground a pair shows, and only pairs drawn from val and test
 * are in their files. Split by image, `val` and `test` are the pairs in these files. `held-out`: the image overlaps the ground
 * of several parts. `excluded`: it looks like a benchmark image. `benchmark`: it may be in benchmark sets, and is in no other file.
 */
export type Split = 'train' | 'val' | 'test' | 'held-out' | 'excluded' | 'benchmark'

export const SPLITS = ['train', 'val', 'test', 'held-out', 'excluded', 'benchmark'] as const satisfies readonly Split[]
const [TRAIN, VAL, TEST, HELD_OUT, EXCLUDED, BENCHMARK] = [0, 1, 2, 3, 4, 5]

export interface PlanInput {
  /** Prefix of every CSV's name. */
  readonly name: string
  /** Names of scorers with stored scores. */
  readonly scorers: readonly string[]
  readonly filter: Omit<Config['filter'], 'scorers' | 'exclude'>
  readonly seed: number
  /** Images that must be in no file; null for none. */
  readonly exclude: BenchmarkImages | null
  readonly signal?: AbortSignal
}

/** Everything that ranking and splitting need of the pairs. */
export interface Survey {
  readonly table: PairTable
  readonly balance: Balance
  readonly tags: Groups | null
  readonly titles: Groups | null
  /** By row: index of the matching benchmark image, or -1. */
  readonly excluded: Int32Array | null
  /** For `filter.semanticDuplicates`. */
  readonly embeddings: Embeddings | null
}

export interface FilePlan extends FileRows {
  readonly path: string
  /** Columns of a CSV; null for JSON lines. */
  readonly columns: readonly string[] | null
}

export interface Plan {
  readonly files: readonly FilePlan[]
  /** By row: index into SPLITS. */
  readonly splits: Uint8Array
  readonly notes: readonly string[]
}

/** A scorer's ranking, or a blend's. */
interface Ranked extends Ranking {
  /** Before applying `filter.maxPerTag`. */
  readonly listed: Uint32Array
}

/** Decides which pairs are in which file. */
export async function planFiles(survey: Survey, input: PlanInput, moreCaptions: boolean): Promise<Plan> {
  const { table } = survey
  const { name, filter, seed, exclude } = input
  const rankings = rankingsOf(survey, input)
  const sets = rankings.map(({ scorer, best, listed }) => {
    const draw = (part: 'val' | 'test') => drawEvaluation({ part, scorer, ranked: best, listed, table, filter, seed })
    return { val: draw('val'), test: draw('test') }
  })
  const splits = splitRows(survey, sets, filter.split.by)

  const files: FilePlan[] = []
  const membersOf = (rows: Iterable<number>) => {
    const members = shared.bytes(table.size)
    for (const row of rows) members[row] = 1
    return members
  }
  /** A set without pairs gets no file: training code fails on a CSV without rows. */
  const add = (set: CsvSet, rows: Iterable<number>) => {
    const members = membersOf(rows)
    if (!members.includes(1)) return
    const { scorer, similarities } = rankings.find((each) => each.scorer === set.scorer) ?? rankings[0]!
    const path = csvPath(name, set)
    const columns = pairColumns(scorer)
    files.push({ path, columns, members, of: { kind: 'pairs', similarities } })
    const of = { kind: 'records', similarities, column: columns.at(-1)! } as const
    files.push({ path: recordsPath(path), columns: null, members, of })
    if (!moreCaptions || set.part === 'val' || set.part === 'test') return
    files.push({ path: captionsPath(path), columns: CAPTION_COLUMNS, members, of: { kind: 'captions' } })
  }
  /** The rows of a ranking's best that are used for training. */
  const training = (rows: Uint32Array) => {
    const train = rows.filter((row) => splits[row] === TRAIN)
    const { titles } = survey
    return titles === null ? train : limitGroups(train, titles.of, titles.count, filter.maxSameCaption!)
  }
  add(ALL_TRAINING, training(rankings[0]!.listed))
  const { limits } = survey.balance
  const similar = await similarRows(survey, input, rankings, splits)
  const notes = [...survey.balance.notes, ...(similar === null ? [] : [similar.note])]
  const isMixed = limits.length > 0 || similar !== null
  for (const [i, ranking] of rankings.entries()) {
    const { scorer, best } = ranking
    const distinct = (rows: Uint32Array) => (similar === null ? rows : rows.filter((row) => similar.like[row]! < 0))
    const trained = isMixed ? training(distinct(best)) : null
    for (const { part, sizes, take, fills } of CUTS) {
      for (const size of [...new Set(sizes(filter))].sort((a, b) => a - b)) {
        const { count, note } = take(size, ranking)
        if (note !== null) notes.push(note)
        const rows = training(best.subarray(0, count))
        const set = { part, size, scorer }
        if (trained === null) {
          add(set, rows)
          continue
        }
        const chosen = chooseBalanced(
          fills ? trained : training(distinct(best.subarray(0, count))),
          rows.length,
          limits,
        )
        notes.push(...balanceNotes(set, rows.length, chosen, limits))
        add(set, chosen.rows)
      }
    }
    add({ part: 'val', size: filter.val, scorer }, sets[i]!.val.rows)
    add({ part: 'test', size: filter.test, scorer }, sets[i]!.test.rows)
    notes.push(...[sets[i]!.val.note, sets[i]!.test.note].filter((note) => note !== null))
  }
  const { excluded } = survey
  if (exclude !== null && excluded !== null) {
    const rows = [...excluded.keys()].filter((row) => excluded[row]! >= 0)
    const of = { kind: 'matches', matches: excluded, names: exclude.files } as const
    files.push({ path: EXCLUDED_CSV, columns: ['filepath', 'benchmark_image'], members: membersOf(rows), of })
  }
  if (similar !== null) {
    const { like, cosines } = similar
    const rows = [...like.keys()].filter((row) => like[row]! >= 0)
    const of = { kind: 'similar', like, codes: table.codes, cosines } as const
    files.push({ path: SIMILAR_CSV, columns: SIMILAR_COLUMNS, members: membersOf(rows), of })
  }
  return { files, splits, notes }
}

/** Training pairs that look like a better one. */
async function similarRows(
  { embeddings }: Survey,
  { filter, scorers, signal }: PlanInput,
  rankings: readonly Ranked[],
  splits: Uint8Array,
): Promise<(SimilarRows & { readonly note: string }) | null> {
  const { semanticDuplicates: settings } = filter
  if (embeddings === null || settings === undefined) return null
  const scorer = settings.scorer ?? scorers[0]!
  const { listed } = rankings.find((each) => each.scorer === scorer)!
  const ranked = listed.filter((row) => splits[row] === TRAIN)
  const found = await findSimilar(embeddings, ranked, settings.above, signal)
  const total = found.like.reduce((sum, row) => sum + (row >= 0 ? 1 : 0), 0)
  const note = `${total} of ${ranked.length} training pairs look like a more similar pair (cosines of ${settings.above} or more by ${scorer}), and are in no file of top and above; ${SIMILAR_CSV} lists them.`
  return { ...found, note }
}

function rankingsOf({ table, tags, excluded }: Survey, { scorers, filter }: PlanInput): Ranked[] {
  const blends = (filter.blends ?? []).map((blend) => {
    const parts = partsOf(blend)
    const columns = parts.map(({ scorer }) => table.similarities[scorers.indexOf(scorer)]!)
    return { scorer: blend.name, similarities: blendOf(columns, parts.map(({ weight }) => weight)) } // biome-ignore format: one blend
  })
  const scored = scorers.map((scorer, i) => ({ scorer, similarities: table.similarities[i]! }))
  return [...scored, ...blends].map(({ scorer, similarities }) => {
    const all = rank(similarities, table.compareIds)
    const listed = excluded === null ? all : all.filter((row) => excluded[row]! < 0)
    const best = tags === null ? listed : limitGroups(listed, tags.of, tags.count, filter.maxPerTag!)
    return { scorer, similarities, listed, best }
  })
}

/**
 * How many pairs a file lost to `filter.balance`, by reason.
 *
 * @param due rows of the file without it
 */
function balanceNotes(set: CsvSet, due: number, { rows, leftOut }: Chosen, limits: readonly Limits[]): string[] {
  const reasons = new Map<string, number>()
  for (const [i, n] of leftOut.entries()) if (n > 0) count(reasons, limits[i]!.by, n)
  if (reasons.size === 0) return []
  const total = leftOut.reduce((sum, n) => sum + n, 0)
  const others = rows.length - (due - total)
  const listed = [...reasons].map(([by, n]) => `${by} ${n}`).join(', ')
  const places = others > 0 ? `; ${others} less similar ones are in their places` : ''
  const advice =
    rows.length > 0
      ? ''
      : ' No file has such shares: those of all values of a quota must add up to 1 or more; raise share or use most.'
  return [
    `${partName(set)} by ${set.scorer}: ${total} of ${due} pairs left out by filter.balance (${listed})${places}.${advice}`,
  ]
}

function splitRows(
  { table, excluded }: Survey,
  sets: readonly { readonly val: Drawn; readonly test: Drawn }[],
  by: 'block' | 'image',
): Uint8Array {
  const codes = PARTS.map((part) => (part === 'straddling' ? HELD_OUT : SPLITS.indexOf(part)))
  const codeOf = by === 'block' ? codes : codes.map((code) => (code === BENCHMARK ? BENCHMARK : TRAIN))
  const splits = Uint8Array.from(table.parts, (part) => codeOf[part]!)
  if (by === 'image') {
    for (const { val, test } of sets) {
      for (const row of val.rows) splits[row] = VAL
      for (const row of test.rows) splits[row] = TEST
    }
  }
  if (excluded !== null) for (const [row, match] of excluded.entries()) if (match >= 0) splits[row] = EXCLUDED
  return splits
}

/** Why pairs are in no CSV, by their split. */
const UNLISTED: Readonly<Record<Split, string>> = {
  train: 'repeated titles (filter.maxSameCaption)',
  val: 'on the ground of val, but not among its best, or beyond filter.val',
  test: 'on the ground of test, but not among its best, or beyond filter.test',
  'held-out': 'images that overlap the ground of two splits',
  benchmark: 'held out for benchmark sets',
  excluded: `like images of filter.exclude (${EXCLUDED_CSV})`,
}

/** How many pairs are in no CSV, why, and which setting changes that; null if every pair is in one. */
export function unlistedNote(files: readonly FilePlan[], splits: Uint8Array, by: 'block' | 'image'): string | null {
  const pairFiles = files.filter(({ of }) => of.kind === 'pairs')
  const counts = new Map<Split, number>()
  for (const [row, code] of splits.entries()) {
    if (pairFiles.some(({ members }) => members[row] === 1)) continue
    const split = SPLITS[code]!
    counts.set(split, (counts.get(split) ?? 0) + 1)
  }
  const total = [...counts.values()].reduce((sum, n) => sum + n, 0)
  if (total === 0) return null
  const reasons = SPLITS.flatMap((split) => (counts.has(split) ? [`${UNLISTED[split]}: ${counts.get(split)}`] : []))
  const percent = ((100 * total) / splits.length).toFixed(1)
  const held = (['val', 'test', 'held-out'] as const).some((split) => counts.has(split))
  const advice =
    by === 'block' && held
      ? ' To use the pairs that are held out, set filter.split.by to image: it splits at random as the original did, so test images may show the ground of training images.'
      : ''
  return `Pairs in no CSV: ${total} of ${splits.length} (${percent} %). ${reasons.join('; ')}.${advice}`
}
