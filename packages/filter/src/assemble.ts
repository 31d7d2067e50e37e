import { type CaptionRecord, type Config, type ImageRecord, type Storage, seededFraction } from '@skyscript/core'
import { type CsvWriter, createCsv, sizeName } from './csv-files.ts'
import { type Cut, cutRanking } from './cut.ts'
import { createManifest, MANIFEST } from './manifest.ts'
import { createSplitter, type Split } from './splits.ts'

/** One image-text pair with all that is known of it. */
export interface DatasetRow {
  readonly image: ImageRecord
  readonly caption: CaptionRecord
  /** In the order of the scorers. */
  readonly similarities: readonly number[]
}

export interface AssembleInput {
  /** The pairs; asked twice, and both times in the same order. */
  rows(): AsyncIterable<DatasetRow>
  /** Begins every CSV's name. */
  readonly name: string
  readonly scorers: readonly string[]
  readonly filter: Config['filter']
  readonly seed: number
  attribution(row: DatasetRow): { readonly collection: string; readonly licence: string; readonly credit: string }
  readonly storage: Storage
}

export interface AssembleSummary {
  /** CSVs and the manifest, with their rows. */
  readonly files: readonly { readonly path: string; readonly rows: number }[]
  readonly splits: Readonly<Record<Split, number>>
  /** What a user should know, such as fewer test pairs than asked. */
  readonly notes: readonly string[]
}

/** Digits after the point of a similarity: what CLIP's own arithmetic repeats from one machine to another. */
const DIGITS = 6
const rounded = (similarity: number) => Number(similarity.toFixed(DIGITS))

/** The cut that val and test come from, as in the original. */
const EVALUATION_PERCENT = 30

/**
 * Ranks, cuts and splits the pairs, and writes the CSVs and the manifest.
 *
 * Memory: for each pair its id, some bytes, and 8 bytes for each scorer.
 */
export async function assemble(input: AssembleInput): Promise<AssembleSummary> {
  const table = await survey(input)
  const { scorers, filter, name, storage } = input
  const percents = [...new Set(filter.top)].sort((a, b) => a - b)
  const evaluated = percents.includes(EVALUATION_PERCENT) ? EVALUATION_PERCENT : percents[0]!
  const notes: string[] = []
  const sets = scorers.map((scorer, i) => {
    const cuts = cutRanking(table.similarities[i]!, table.ids, percents)
    const top = cuts.find(({ percent }) => percent === evaluated)!
    const by = `filtered_by_CLIP_${scorer}`
    return {
      cuts: cuts.map((cut) => ({ cut, csv: createCsv(storage, `${name}_train_top${cut.percent}pct_${by}.csv`, scorer) })),
      val: { rows: choose('val', filter.val, top, table, input, notes, scorer), csv: createCsv(storage, `${name}_val_${sizeName(filter.val)}_${by}.csv`, scorer) },
      test: { rows: choose('test', filter.test, top, table, input, notes, scorer), csv: createCsv(storage, `${name}_test_${sizeName(filter.test)}_${by}.csv`, scorer) },
    }
  })
  const unfiltered = createCsv(storage, `${name}_train_unfiltered_5M.csv`, scorers[0]!)
  const manifest = await createManifest(storage, scorers)
  try {
    let i = 0
    for await (const row of input.rows()) {
      const split = SPLITS[table.splits[i]!]!
      const similarities = row.similarities.map(rounded)
      manifest.add({ ...row, similarities }, { split, ...input.attribution(row) })
      const { filepath, title, titleMultiObjects } = row.caption
      const write = (csv: CsvWriter, scorer: number) => csv.add([filepath, title, titleMultiObjects, similarities[scorer]!])
      if (split === 'train') await write(unfiltered, 0)
      for (const [scorer, { cuts, val, test }] of sets.entries()) {
        if (split === 'train') for (const { cut, csv } of cuts) if (cut.members[i] === 1) await write(csv, scorer)
        if (split === 'val' && val.rows.has(i)) await write(val.csv, scorer)
        if (split === 'test' && test.rows.has(i)) await write(test.csv, scorer)
      }
      i++
    }
    const csvs = [unfiltered, ...sets.flatMap(({ cuts, val, test }) => [...cuts.map(({ csv }) => csv), val.csv, test.csv])]
    for (const csv of csvs) await csv.end()
    const rows = await manifest.end()
    const splits = countSplits(table.splits)
    if (splits['held-out'] > 0) {
      notes.push(`${splits['held-out']} pairs reach over the edge of a block of another split and are in no CSV.`)
    }
    return { files: [...csvs.map(({ path, rows: n }) => ({ path, rows: n })), { path: MANIFEST, rows }], splits, notes }
  } finally {
    await manifest.discard()
  }
}

const SPLITS: readonly Split[] = ['train', 'val', 'test', 'held-out']

interface Table {
  readonly ids: string[]
  /** By scorer. */
  readonly similarities: Float64Array[]
  /** Index into SPLITS. */
  readonly splits: Uint8Array
}

async function survey({ rows, scorers, filter, seed }: AssembleInput): Promise<Table> {
  const splitOf = createSplitter(filter.split, seed)
  const ids: string[] = []
  const splits: number[] = []
  const similarities: number[][] = scorers.map(() => [])
  for await (const { image, similarities: values } of rows()) {
    ids.push(image.id)
    splits.push(SPLITS.indexOf(splitOf(image.id, image.box)))
    for (const [i, value] of values.entries()) similarities[i]!.push(rounded(value))
  }
  return { ids, splits: Uint8Array.from(splits), similarities: similarities.map((values) => Float64Array.from(values)) }
}

/** The rows of a val or test set: those of the split that are in the cut, `asked` of them by seeded order. */
function choose(split: 'val' | 'test', asked: number, top: Cut, table: Table, { seed, filter }: AssembleInput, notes: string[], scorer: string): Set<number> {
  const code = SPLITS.indexOf(split)
  const rows: { row: number; draw: number }[] = []
  for (const [row, id] of table.ids.entries()) {
    if (table.splits[row] === code && top.members[row] === 1) rows.push({ row, draw: seededFraction(seed, `choose-${split}`, id) })
  }
  rows.sort((a, b) => a.draw - b.draw || a.row - b.row)
  if (rows.length < asked) {
    const blocks = filter.split.by === 'block' ? ' Smaller blocks (filter.split.degrees) spread them more evenly over the splits.' : ''
    notes.push(`${split} (${scorer}) has ${rows.length} of ${asked} asked: that is all of the top ${top.percent} % on its part of the ground.${blocks}`)
  }
  return new Set(rows.slice(0, asked).map(({ row }) => row))
}

function countSplits(codes: Uint8Array): Record<Split, number> {
  const counts = { train: 0, val: 0, test: 0, 'held-out': 0 }
  for (const code of codes) counts[SPLITS[code]!]++
  return counts
}
