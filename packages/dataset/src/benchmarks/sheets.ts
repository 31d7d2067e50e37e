import { InputError, type Storage, seededFraction } from '@skyscript/core'
import { parse } from 'csv-parse/sync'
import { localFile } from '../local-file.ts'
import { Lowest } from '../lowest.ts'
import { openManifestFile } from '../manifest-file.ts'
import { MANIFEST, SIMILARITY } from '../names.ts'
import { createDoubts, type Doubt } from './doubt.ts'
import { BENCHMARK_RECORD, setCsv } from './names.ts'
import { type BenchmarkRecord, parseBenchmarkText } from './record.ts'

/** Images of each class on a contact sheet; of a set of captions, images. */
const PER_CLASS = 12
const CAPTIONED = 24
/** A set of many classes shows fewer of each, so that the page stays small. */
const MOST_IMAGES = 1200

/** A benchmark set for people to look at: what its record says, and some images of each class. */
export interface BenchmarkSheet {
  /** Relative to the dataset. */
  readonly folder: string
  readonly record: BenchmarkRecord
  /** By class of the first column of labels, in the order of its list; one entry for captions. */
  readonly samples: readonly ClassSample[]
}

export interface ClassSample {
  /** Null for captions. */
  readonly name: string | null
  /** Of all images of the class. */
  readonly images: number
  readonly rows: readonly SampledImage[]
}

export interface SampledImage {
  readonly filepath: string
  readonly title: string
  readonly doubt: Doubt
}

interface Row extends SampledImage {
  readonly draw: number
}

/**
 * Reads sets and draws a sample of each class, by seeded chance. Memory: the rows of one set, and the similarities of the pairs on its ground.
 *
 * @param folders of the sets
 * @param scorers whose similarities tell doubtful images
 * @throws InputError `bad-benchmark`
 */
export async function readSheets(
  storage: Storage,
  folders: readonly string[],
  { scorers, seed }: { readonly scorers: readonly string[]; readonly seed: number },
): Promise<BenchmarkSheet[]> {
  const records = new Map<string, BenchmarkRecord>()
  for (const folder of folders) records.set(folder, await readRecord(storage, folder))
  const doubtOf = await readDoubts(storage, new Set([...records.values()].map(({ from }) => from)), scorers)
  const sheets: BenchmarkSheet[] = []
  for (const [folder, record] of records) {
    const text = await textOf(storage, `${folder}/${setCsv(folder)}`)
    const lines = parse(text, { columns: true }) as Record<string, string>[]
    const rows = lines.map(({ filepath = '', title = '', ...labels }) => ({
      ...{ filepath, title, labels, doubt: doubtOf(filepath) },
      draw: seededFraction(seed, 'benchmark-sheet', filepath),
    }))
    sheets.push({ folder, record, samples: samplesOf(record, rows) })
  }
  return sheets
}

function samplesOf(
  { labels }: BenchmarkRecord,
  rows: readonly (Row & { readonly labels: Readonly<Record<string, string>> })[],
): ClassSample[] {
  const [first] = labels
  if (first === undefined) return [{ name: null, images: rows.length, rows: drawn(rows, CAPTIONED) }]
  const size = Math.max(2, Math.min(PER_CLASS, Math.floor(MOST_IMAGES / first.classes.length)))
  const byClass = Map.groupBy(rows, (row) => row.labels[first.column])
  return first.classes.map(({ name }) => {
    const all = byClass.get(name) ?? []
    return { name, images: all.length, rows: drawn(all, size) }
  })
}

function drawn(rows: readonly Row[], size: number): SampledImage[] {
  const lowest = new Lowest<Row>(size, (a, b) => a.draw < b.draw || (a.draw === b.draw && a.filepath < b.filepath))
  for (const row of rows) lowest.offer(row)
  return lowest.items.map(({ filepath, title, doubt }) => ({ filepath, title, doubt }))
}

async function readRecord(storage: Storage, folder: string): Promise<BenchmarkRecord> {
  const path = `${folder}/${BENCHMARK_RECORD}`
  const checked = parseBenchmarkText(await textOf(storage, path))
  if ('value' in checked) return checked.value
  throw new InputError('bad-benchmark', `${path} is not valid (${checked.faults[0]}); run skyscript benchmark again.`)
}

async function textOf(storage: Storage, path: string): Promise<string> {
  const bytes = await storage.get(path)
  if (bytes !== null) return Buffer.from(bytes).toString('utf8')
  throw new InputError('bad-benchmark', `${path} is not in ${storage.url}; run skyscript benchmark again.`)
}

/** The doubt about each image on the ground of some splits. */
async function readDoubts(
  storage: Storage,
  splits: ReadonlySet<string>,
  scorers: readonly string[],
): Promise<(filepath: string) => Doubt> {
  const columns = scorers.map((scorer) => SIMILARITY + scorer)
  const bySplit = new Map([...splits].map((split) => [split, new Map<string, number[]>()]))
  const file = await localFile(storage, MANIFEST)
  try {
    const manifest = await openManifestFile(file.path)
    try {
      for (const group of manifest.groups.keys()) {
        const { split } = await manifest.readGroup(group, ['split'])
        if (!split!.some((each) => bySplit.has(each as string))) continue
        const read = await manifest.readGroup(group, ['filepath', ...columns])
        for (const [i, each] of split!.entries())
          bySplit.get(each as string)?.set(
            read.filepath![i] as string,
            columns.map((name) => read[name]![i] as number),
          )
      }
    } finally {
      await manifest.close()
    }
  } finally {
    await file.release()
  }
  const doubts = new Map<string, Doubt>()
  for (const pairs of bySplit.values()) {
    const doubtOf = createDoubts([...pairs.values()])
    for (const [filepath, similarities] of pairs) doubts.set(filepath, doubtOf(similarities))
  }
  return (filepath) => doubts.get(filepath) ?? 'none'
}
