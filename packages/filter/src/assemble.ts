import type { CaptionRecord, Config, ImageRecord, Storage } from '@skyscript/core'
import { CAPTION_COLUMNS, type CsvWriter, createCsv, pairColumns, sizeName } from './csv-files.ts'
import { type Cut, cutRanking } from './cut.ts'
import { type Drawn, drawEvaluation, evaluationPercent, type Split } from './evaluation.ts'
import { createManifest, MANIFEST } from './manifest.ts'
import { createPairTable, fromMicro, type PairTable, toMicro } from './pair-table.ts'
import { type ScoreStatistics, scoreStatistics } from './score-statistics.ts'
import { createSplitter, PARTS } from './splits.ts'

/** One image-text pair with all that is known of it. */
export interface DatasetRow {
  readonly image: ImageRecord
  readonly caption: CaptionRecord
  /** In the order of the scorers. */
  readonly similarities: readonly number[]
}

export interface AssembleInput {
  /** The pairs; asked twice, and both times in the same order, which becomes that of the files' rows. */
  rows(): AsyncIterable<DatasetRow>
  /** Begins every CSV's name. */
  readonly name: string
  readonly scorers: readonly string[]
  readonly filter: Config['filter']
  readonly seed: number
  /** Whether images have further captions: the manifest has a column, and each training file a second one with a row for each caption. */
  readonly moreCaptions?: boolean
  attribution(row: DatasetRow): { readonly collection: string; readonly licence: string; readonly credit: string }
  readonly storage: Storage
}

export interface AssembleSummary {
  /** CSVs and the manifest, with their rows. */
  readonly files: readonly { readonly path: string; readonly rows: number }[]
  /** Pairs by the manifest's column `split`. */
  readonly splits: Readonly<Record<Split, number>>
  /** Why pairs are held out; the two add up to `splits['held-out']`. */
  readonly heldOut: {
    /** The image reaches over blocks of different parts. */
    readonly straddling: number
    /** On ground of val or test, and in no scorer's file. */
    readonly notDrawn: number
  }
  /** What a user should know, such as fewer test pairs than asked. */
  readonly notes: readonly string[]
  /** One for each scorer. */
  readonly scores: readonly ScoreStatistics[]
}

/** The sets of one scorer. */
interface Sets {
  readonly cuts: readonly Cut[]
  readonly val: Drawn
  readonly test: Drawn
}

/**
 * Ranks, cuts and splits the pairs, and writes the CSVs and the manifest. Each file appears when it is whole; where
 * something fails none of them does that was not whole already.
 *
 * @throws what `rows` and `storage` throw
 */
export async function assemble(input: AssembleInput): Promise<AssembleSummary> {
  const { scorers, filter, seed } = input
  const table = await survey(input)
  const percents = [...new Set(filter.top)].sort((a, b) => a - b)
  const evaluated = evaluationPercent(percents)
  const sets = scorers.map((scorer, i): Sets => {
    const cuts = cutRanking(table.similarities[i]!, table.id, percents)
    const top = cuts.find(({ percent }) => percent === evaluated)!
    const draw = (part: 'val' | 'test') => drawEvaluation({ part, scorer, top, table, filter, seed })
    return { cuts, val: draw('val'), test: draw('test') }
  })
  const splits = splitRows(table, sets, filter.split.by)
  const files = await writeFiles(input, table, sets, splits)
  return summarise(input, table, sets, splits, files)
}

async function survey({ rows, scorers, filter, seed }: AssembleInput): Promise<PairTable> {
  const partOf = createSplitter(filter.split, seed)
  const table = createPairTable(scorers.length)
  for await (const { image, similarities } of rows()) {
    if (similarities.length !== scorers.length || !similarities.every((value) => Math.abs(value) <= 1)) {
      throw new TypeError(`${image.id} has the similarities ${similarities.join(', ')}, not ${scorers.length} cosines.`)
    }
    table.add(image.id, similarities.map(toMicro), PARTS.indexOf(partOf(image.id, image.box)))
  }
  return table.end()
}

const SPLITS = ['train', 'val', 'test', 'held-out'] as const satisfies readonly Split[]
const [TRAIN, VAL, TEST, HELD_OUT] = [0, 1, 2, 3]

/** By row, an index into SPLITS. Split by image, what was not drawn trains; split by block, its ground is val's or test's. */
function splitRows({ size, parts }: PairTable, sets: readonly Sets[], by: 'block' | 'image'): Uint8Array {
  const train = PARTS.indexOf('train')
  const splits = new Uint8Array(size)
  for (let row = 0; row < size; row++) splits[row] = by === 'image' || parts[row] === train ? TRAIN : HELD_OUT
  for (const { val, test } of sets) {
    for (const row of val.rows) splits[row] = VAL
    for (const row of test.rows) splits[row] = TEST
  }
  return splits
}

type Files = AssembleSummary['files']

/** One CSV, the rows of the pair table that are in it, and what it says of each. */
interface CsvFile {
  readonly csv: CsvWriter
  readonly has: (row: number) => boolean
  readonly rowsOf: (caption: CaptionRecord, similarities: readonly number[]) => string[][]
}

async function writeFiles(
  input: AssembleInput,
  table: PairTable,
  sets: readonly Sets[],
  splits: Uint8Array,
): Promise<Files> {
  const { storage, name, scorers, filter, moreCaptions = false } = input
  const manifest = createManifest(storage, scorers, moreCaptions)
  const csvs: CsvFile[] = []
  const add = (file: string, scorer: number, has: CsvFile['has']) => {
    const columns = pairColumns(scorers[scorer]!)
    csvs.push({
      csv: createCsv(storage, `${name}_${file}.csv`, columns),
      has,
      rowsOf: ({ filepath, title, titleMultiObjects }, similarities) => [
        [filepath, title, titleMultiObjects, String(similarities[scorer])],
      ],
    })
    if (!moreCaptions || !file.startsWith('train')) return
    csvs.push({
      csv: createCsv(storage, `${name}_${file}_captions.csv`, CAPTION_COLUMNS),
      has,
      rowsOf: ({ filepath, title, titleMultiObjects, more = [] }) =>
        [...new Set([title, titleMultiObjects, ...more])].map((caption) => [filepath, caption]),
    })
  }
  add('train_unfiltered_5M', 0, (row) => splits[row] === TRAIN)
  for (const [i, { cuts, val, test }] of sets.entries()) {
    const by = `filtered_by_CLIP_${scorers[i]}`
    for (const { percent, members } of cuts) {
      add(`train_top${percent}pct_${by}`, i, (row) => splits[row] === TRAIN && members[row] === 1)
    }
    add(`val_${sizeName(filter.val)}_${by}`, i, (row) => val.rows.has(row))
    add(`test_${sizeName(filter.test)}_${by}`, i, (row) => test.rows.has(row))
  }
  try {
    let row = 0
    for await (const pair of input.rows()) {
      if (row === table.size || pair.image.id !== table.id(row)) throw otherRows()
      const similarities = table.similarities.map((column) => fromMicro(column[row]!))
      await manifest.add({ ...pair, similarities }, { split: SPLITS[splits[row]!]!, ...input.attribution(pair) })
      for (const { csv, has, rowsOf } of csvs) {
        if (has(row)) for (const fields of rowsOf(pair.caption, similarities)) await csv.add(fields)
      }
      row++
    }
    if (row !== table.size) throw otherRows()
    for (const { csv } of csvs) await csv.end()
    await manifest.end()
  } catch (error) {
    await Promise.all([manifest.abort(error), ...csvs.map(({ csv }) => csv.abort(error))])
    throw error
  }
  return [...csvs.map(({ csv: { path, rows } }) => ({ path, rows })), { path: MANIFEST, rows: manifest.rows }]
}

const otherRows = () => new Error('The pairs were others, or in another order, when they were read again.')

function summarise(
  { scorers }: AssembleInput,
  table: PairTable,
  sets: readonly Sets[],
  codes: Uint8Array,
  files: Files,
): AssembleSummary {
  const splits: Record<Split, number> = { train: 0, val: 0, test: 0, 'held-out': 0 }
  for (const code of codes) splits[SPLITS[code]!]++
  const straddles = PARTS.indexOf('straddling')
  const straddling = table.parts.reduce((sum, part) => sum + (part === straddles ? 1 : 0), 0)
  const heldOut = { straddling, notDrawn: splits['held-out'] - straddling }
  const notes = sets.flatMap(({ val, test }) => [val.note, test.note]).filter((note) => note !== null)
  if (straddling > 0) {
    notes.push(`${straddling} pairs are in no CSV: their images reach over blocks of different splits.`)
  }
  return {
    files,
    splits,
    heldOut,
    notes,
    scores: scorers.map((scorer, i) => scoreStatistics(scorer, table.similarities[i]!)),
  }
}
