import { type Box, type Config, InputError, type Storage } from '@skyscript/core'
import {
  ALL_TRAINING,
  CAPTION_COLUMNS,
  type CsvSet,
  captionsPath,
  csvPath,
  EXCLUDED_CSV,
  localFile,
  MANIFEST,
  type ManifestFile,
  openManifestFile,
  pairColumns,
  recordsPath,
} from '@skyscript/dataset'
import { createCsv, createRecords } from './csv-files.ts'
import type { FileRows } from './cut-group.ts'
import { type CutWorkers, openCutWorkers } from './cut-workers.ts'
import { CUTS } from './cuts/index.ts'
import type { BenchmarkImages } from './duplicates/benchmark-images.ts'
import { createHashColumn } from './duplicates/hashes.ts'
import { matchAgainst } from './duplicates/near-duplicates.ts'
import { type Drawn, drawEvaluation } from './evaluation.ts'
import { createTagGroups, createTextGroups, type Groups } from './groups.ts'
import { createSplitsWriter } from './manifest-splits.ts'
import { createPairTable, type PairTable } from './pair-table.ts'
import { limitGroups, rank } from './ranking.ts'
import { shared } from './shared-arrays.ts'
import { chooseLayout, extentOf } from './splits/choose-layout.ts'
import { PARTS } from './splits/criterion.ts'
import { type Layout, layoutsFor, sharesOf } from './splits/index.ts'

/**
 * Split by block, `train`, `val` and `test` say which ground a pair shows, and only pairs drawn from val and test are in
 * their files. Split by image, `val` and `test` are the pairs in these files. `held-out`: the image overlaps the ground of
 * several parts. `excluded`: it looks like a benchmark image.
 */
export type Split = 'train' | 'val' | 'test' | 'held-out' | 'excluded'

const SPLITS = ['train', 'val', 'test', 'held-out', 'excluded'] as const satisfies readonly Split[]
const [TRAIN, VAL, TEST, HELD_OUT, EXCLUDED] = [0, 1, 2, 3, 4]

export interface CutInput {
  /** Prefix of every CSV's name. */
  readonly name: string
  /** Names of scorers with stored scores. */
  readonly scorers: readonly string[]
  readonly filter: Omit<Config['filter'], 'scorers' | 'exclude'>
  readonly seed: number
  /**
   * For `filter.split.degrees: auto`: the region's extent as declared by its clip box or its extracts (degrees; null if not
   * declared), and the side of a typical image of a point or line (metres).
   */
  readonly region: { readonly declared: Box | null; readonly imageSide: number }
  /** Images that must be in no file; null for none. */
  readonly exclude: BenchmarkImages | null
  /** Holds the manifest that `storePairs` wrote. */
  readonly storage: Storage
  readonly signal?: AbortSignal
}

export interface CutFile {
  readonly path: string
  readonly rows: number
  readonly sha256: string
}

export interface CutSummary {
  readonly pairs: number
  /** CSVs and the manifest. */
  readonly files: readonly CutFile[]
  /** The CSVs of pairs, as JSON lines. */
  readonly records: readonly CutFile[]
  /** Number of pairs by value of the manifest's column `split`. */
  readonly splits: Readonly<Record<Split, number>>
  /** Messages for the user, such as fewer test pairs than requested. */
  readonly notes: readonly string[]
}

/** Everything that ranking and splitting need of the pairs. */
interface Survey {
  readonly table: PairTable
  readonly tags: Groups | null
  readonly titles: Groups | null
  /** By row: index of the matching benchmark image, or -1. */
  readonly excluded: Int32Array | null
}

/**
 * Ranks, cuts and splits the stored pairs, and rewrites the CSVs and the manifest. A set without pairs gets no file. Each
 * file appears once it is complete; if something fails, the manifest is unchanged.
 *
 * Memory: 30 bytes per pair and scorer, 1 byte per pair and file, and one row group of the manifest.
 *
 * @throws InputError `no-scores` if the manifest has no such scorer, `bad-manifest`; errors of `storage`
 */
export async function cutDataset(input: CutInput): Promise<CutSummary> {
  const { storage, scorers, filter, seed } = input
  const file = await localFile(storage, MANIFEST)
  let manifest: ManifestFile | undefined
  let workers: CutWorkers | undefined
  try {
    manifest = await openManifestFile(file.path)
    const missing = scorers.find((scorer) => !manifest!.scorers.includes(scorer))
    if (missing !== undefined)
      throw new InputError(
        'no-scores',
        `${MANIFEST} has no scores by "${missing}"; run skyscript build to compute them.`,
      )
    workers = await openCutWorkers(manifest, {
      ...{ scorers, seed, layout: await layoutOf(manifest, input) },
      tags: filter.maxPerTag !== null,
      titles: filter.maxSameCaption !== null,
      hashes: input.exclude !== null,
    })
    const survey = await surveyPairs(manifest, workers, input)
    const { files, splits, notes } = planFiles(survey, input, manifest.columns.has('more_captions'))
    const written = await writeFiles(manifest, workers, input, files, splits)
    const counts: Record<Split, number> = { train: 0, val: 0, test: 0, 'held-out': 0, excluded: 0 }
    for (const code of splits) counts[SPLITS[code]!]++
    const empty = survey.table.size === 0
    const unlisted = unlistedNote(files, splits, filter.split.by)
    return {
      pairs: survey.table.size,
      ...written,
      splits: counts,
      notes: empty ? [NO_PAIRS] : unlisted ? [...notes, unlisted] : notes,
    }
  } finally {
    await workers?.close()
    await manifest?.close()
    await file.release()
  }
}

async function layoutOf(manifest: ManifestFile, { filter, region, seed }: CutInput): Promise<Layout> {
  const extent = await extentOf(manifest, region.declared)
  const layouts = layoutsFor(filter, { extent, imageSide: region.imageSide }, seed)
  return chooseLayout(manifest, layouts, sharesOf(filter), seed)
}

const NO_PAIRS =
  'The dataset has no pairs: dropped.csv counts why; check that osm.clip is within the extract and that imagery.sources cover it.'

/** Why pairs are in no CSV, by their split. */
const UNLISTED: Readonly<Record<Split, string>> = {
  train: 'repeated titles (filter.maxSameCaption)',
  val: 'on the ground of val, but not among its best, or beyond filter.val',
  test: 'on the ground of test, but not among its best, or beyond filter.test',
  'held-out': 'images that overlap the ground of two splits',
  excluded: `like images of filter.exclude (${EXCLUDED_CSV})`,
}

/** How many pairs are in no CSV, why, and which setting changes that; null if every pair is in one. */
function unlistedNote(files: readonly FilePlan[], splits: Uint8Array, by: 'block' | 'image'): string | null {
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
  const held = [...counts.keys()].some((split) => split !== 'excluded' && split !== 'train')
  const advice =
    by === 'block' && held
      ? ' To use the pairs that are held out, set filter.split.by to image: it splits at random as the original did, so test images may show the ground of training images.'
      : ''
  return `Pairs in no CSV: ${total} of ${splits.length} (${percent} %). ${reasons.join('; ')}.${advice}`
}

async function surveyPairs(
  { rows }: ManifestFile,
  workers: CutWorkers,
  { scorers, filter, exclude, signal }: CutInput,
): Promise<Survey> {
  const table = createPairTable(scorers.length, rows)
  const tags = filter.maxPerTag === null ? null : createTagGroups(rows)
  const titles = filter.maxSameCaption === null ? null : createTextGroups(rows)
  const hashes = exclude === null ? null : createHashColumn(rows)
  for await (const group of workers.survey()) {
    signal?.throwIfAborted()
    table.add(group)
    for (const json of group.tags ?? []) tags!.add(json)
    for (const hash of group.titles ?? []) titles!.add(hash)
    for (const hash of group.hashes ?? []) hashes!.add(hash)
  }
  return {
    table: table.end(),
    tags: tags?.end() ?? null,
    titles: titles?.end() ?? null,
    excluded: exclude && hashes && matchAgainst(hashes.end(), exclude.hashes),
  }
}

interface FilePlan extends FileRows {
  readonly path: string
  /** Columns of a CSV; null for JSON lines. */
  readonly columns: readonly string[] | null
}

interface Plan {
  readonly files: readonly FilePlan[]
  /** By row: index into SPLITS. */
  readonly splits: Uint8Array
  readonly notes: readonly string[]
}

function planFiles(survey: Survey, input: CutInput, moreCaptions: boolean): Plan {
  const { table } = survey
  const { name, scorers, filter, seed, exclude } = input
  const rankings = scorers.map((_, i) => {
    const all = rank(table.similarities[i]!, table.compareIds)
    const listed = survey.excluded === null ? all : all.filter((row) => survey.excluded![row]! < 0)
    const { tags } = survey
    return { listed, best: tags === null ? listed : limitGroups(listed, tags.of, tags.count, filter.maxPerTag!) }
  })
  const sets = scorers.map((scorer, i) => {
    const { best, listed } = rankings[i]!
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
    const scorer = set.scorer ?? scorers[0]!
    const similarities = table.similarities[scorers.indexOf(scorer)]!
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
  const notes: string[] = []
  for (const [i, { best }] of rankings.entries()) {
    const scorer = scorers[i]!
    const ranking = { scorer, best, similarities: table.similarities[i]! }
    for (const { part, sizes, take } of CUTS) {
      for (const size of [...new Set(sizes(filter))].sort((a, b) => a - b)) {
        const { count, note } = take(size, ranking)
        if (note !== null) notes.push(note)
        add({ part, size, scorer }, training(best.subarray(0, count)))
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
  return { files, splits, notes }
}

function splitRows(
  { table, excluded }: Survey,
  sets: readonly { readonly val: Drawn; readonly test: Drawn }[],
  by: 'block' | 'image',
): Uint8Array {
  const codes = PARTS.map((part) => (part === 'straddling' ? HELD_OUT : SPLITS.indexOf(part)))
  const splits = Uint8Array.from(table.parts, (part) => (by === 'block' ? codes[part]! : TRAIN))
  if (by === 'image') {
    for (const { val, test } of sets) {
      for (const row of val.rows) splits[row] = VAL
      for (const row of test.rows) splits[row] = TEST
    }
  }
  if (excluded !== null) for (const [row, match] of excluded.entries()) if (match >= 0) splits[row] = EXCLUDED
  return splits
}

async function writeFiles(
  manifest: ManifestFile,
  workers: CutWorkers,
  { storage, signal }: CutInput,
  plans: readonly FilePlan[],
  splits: Uint8Array,
): Promise<Pick<CutSummary, 'files' | 'records'>> {
  const writer = createSplitsWriter(storage, manifest)
  const outputs = plans.map(({ path, columns }) =>
    columns === null ? createRecords(storage, path) : createCsv(storage, path, columns),
  )
  try {
    let group = 0
    for await (const texts of workers.format(plans.map(({ members, of }) => ({ members, of })))) {
      signal?.throwIfAborted()
      const { from, to } = manifest.groups[group++]!
      await writer.add(Array.from(splits.subarray(from, to), (code) => SPLITS[code]!))
      for (const [i, { text, rows }] of texts.entries()) await outputs[i]!.add(text, rows)
    }
    for (const output of outputs) await output.end()
    await writer.end()
  } catch (error) {
    await Promise.all([writer.abort(error), ...outputs.map((output) => output.abort(error))])
    throw error
  }
  const written = outputs.map(({ path, rows, sha256 }) => ({ path, rows, sha256 }))
  const [records, files] = [true, false].map((isRecords) =>
    written.filter((_, i) => (plans[i]!.columns === null) === isRecords),
  ) as [CutFile[], CutFile[]]
  return { files: [...files, { path: MANIFEST, rows: manifest.rows, sha256: writer.sha256 }], records }
}
