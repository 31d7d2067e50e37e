import { InputError, type Storage, seededFraction, sha256, type Tags } from '@skyscript/core'
import { parse } from 'csv-parse/sync'
import { type BenchmarkRecord, parseBenchmarkText, recordPaths, setCsv } from '../../benchmarks/index.ts'
import { Lowest } from '../../lowest.ts'
import { LOCK } from '../../names.ts'
import { changed, type FinishedDataset, type Manifest, openManifest, type Row } from '../dataset.ts'

/** A benchmark set of a finished dataset, and what its record says. */
export interface BenchmarkSet {
  /** Relative to the dataset. */
  readonly folder: string
  readonly record: BenchmarkRecord
}

/** An image of a set with its fields in the set's CSV, and what an export needs of the manifest. */
export interface SetRow {
  readonly filepath: string
  readonly fields: Readonly<Record<string, string>>
  readonly sha256: string
  readonly source: string
  /** Metres per pixel. */
  readonly gsd: number
  readonly licence: string
  readonly credit: string
}

/** A set with its rows in the order of its CSV. */
export interface OpenSet extends BenchmarkSet {
  /** Columns of the CSV. */
  readonly columns: readonly string[]
  readonly rows: readonly SetRow[]
  /** Training images that show the set's classes, with their labels as fields; empty if they are not asked for. */
  readonly training: readonly SetRow[]
}

/** The labels of an object with these tags in a set, by column; null if it shows none of its classes, or several. */
export type LabelObject = (set: BenchmarkSet, tags: Tags) => readonly string[] | null

type Files = Pick<FinishedDataset, 'storage' | 'lock'>

/**
 * The benchmark sets of a dataset, by folder.
 *
 * @throws InputError `file-changed` if a record is not as the lock says
 */
export async function benchmarksOf(dataset: Files): Promise<BenchmarkSet[]> {
  const sets: BenchmarkSet[] = []
  for (const { folder, path } of recordPaths(dataset.lock.files)) {
    const checked = parseBenchmarkText(await readListed(dataset, path))
    if ('faults' in checked)
      throw new InputError(
        'bad-benchmark',
        `${path} of ${dataset.storage.url} is not valid (${checked.faults[0]}); run skyscript benchmark again.`,
      )
    sets.push({ folder, record: checked.value })
  }
  return sets
}

/**
 * The sets of these names, or all of them without names.
 *
 * @throws InputError `no-benchmarks`; `unknown-set` that lists those there are
 */
export async function chooseBenchmarks(dataset: Files, names: readonly string[]): Promise<readonly BenchmarkSet[]> {
  const sets = await benchmarksOf(dataset)
  const { url } = dataset.storage
  if (sets.length === 0)
    throw new InputError('no-benchmarks', `${url} has no benchmark sets; make them with skyscript benchmark ${url}.`)
  if (names.length === 0) return sets
  const chosen = names.map((name) => {
    const set = sets.find(({ folder, record }) => folder === name || record.name === name)
    if (set !== undefined) return set
    const known = sets.map(({ record }) => record.name).join(', ')
    throw new InputError('unknown-set', `The dataset has no benchmark set "${name}"; choose from ${known}.`)
  })
  return [...new Set(chosen)]
}

const COLUMNS = ['filepath', 'sha256', 'source', 'gsd', 'licence', 'credit'] as const

/** Training images of a class, drawn at random: as many as the original's sets have. */
const TRAINING_PER_CLASS = 100

/**
 * Reads the rows of sets. Memory: all of them.
 *
 * @param labelObject labels training images, so that they are read too
 * @throws InputError `file-changed`
 */
export async function openSets(
  dataset: FinishedDataset,
  sets: readonly BenchmarkSet[],
  labelObject?: LabelObject,
): Promise<OpenSet[]> {
  const read = []
  for (const set of sets) read.push({ set, ...(await readSetCsv(dataset, set)) })
  const wanted = new Set(read.flatMap(({ rows }) => rows.map(({ filepath }) => filepath!)))
  const images = new Map<string, Row>()
  const drawn = sets.map(() => new Map<string, Lowest<DrawnRow>>())
  const manifest = await openManifest(dataset)
  try {
    for await (const row of manifest.read(COLUMNS, (filepath) => wanted.has(filepath)))
      images.set(String(row.filepath), row)
    if (labelObject !== undefined) await drawTraining(dataset, manifest, sets, labelObject, drawn)
  } finally {
    await manifest.close()
  }
  return read.map(({ set, columns, rows }, i) => ({
    ...{ ...set, columns, training: inOrder(drawn[i]!) },
    rows: rows.map((fields) => {
      const filepath = fields.filepath!
      const image = images.get(filepath)
      if (image !== undefined) return { ...(image as unknown as Omit<SetRow, 'fields'>), fields }
      const message = `${set.folder}/${setCsv(set.folder)} lists ${filepath}, which the manifest does not have; run skyscript benchmark again.`
      throw new InputError('file-changed', message)
    }),
  }))
}

interface DrawnRow {
  readonly draw: number
  readonly place: number
  readonly row: SetRow
}

/** Some training images of each class of the first column of labels. */
async function drawTraining(
  { lock }: FinishedDataset,
  manifest: Manifest,
  sets: readonly BenchmarkSet[],
  labelObject: LabelObject,
  drawn: readonly Map<string, Lowest<DrawnRow>>[],
): Promise<void> {
  let place = 0
  for await (const { split, center_tags, ...row } of manifest.read([...COLUMNS, 'split', 'center_tags'])) {
    place++
    if (split !== 'train') continue
    const tags = JSON.parse(String(center_tags)) as Tags
    for (const [i, set] of sets.entries()) {
      const labels = labelObject(set, tags)
      if (labels === null || !set.record.labels[0]?.classes.some(({ name }) => name === labels[0])) continue
      const image = row as unknown as Omit<SetRow, 'fields'>
      const fields = Object.fromEntries(set.record.labels.map(({ column }, at) => [column, labels[at]!]))
      const draw = seededFraction(lock.config.seed, `training-${set.record.name}`, image.filepath)
      const rows = drawn[i]!.get(labels[0]!) ?? new Lowest<DrawnRow>(TRAINING_PER_CLASS, (a, b) => a.draw < b.draw)
      rows.offer({ draw, place, row: { ...image, fields } })
      drawn[i]!.set(labels[0]!, rows)
    }
  }
}

const inOrder = (byClass: ReadonlyMap<string, Lowest<DrawnRow>>): SetRow[] =>
  [...byClass.values()]
    .flatMap(({ items }) => items)
    .sort((a, b) => a.place - b.place)
    .map(({ row }) => row)

/**
 * The rows of a set's CSV, by column.
 *
 * @throws InputError `file-changed`
 */
export async function readSetCsv(dataset: Files, { folder }: Pick<BenchmarkSet, 'folder'>) {
  const text = await readListed(dataset, `${folder}/${setCsv(folder)}`)
  const [columns = [], ...lines] = parse(text) as string[][]
  const rows = lines.map(
    (line): Record<string, string> => Object.fromEntries(columns.map((name, i) => [name, line[i]!])),
  )
  return { columns, rows }
}

/** The text of a file that the lock lists. */
async function readListed({ storage, lock }: Files, path: string): Promise<string> {
  const bytes = await storage.get(path)
  if (bytes === null) throw missing(storage, path)
  if (sha256(bytes) !== lock.files[path]) throw changed(storage, path)
  return Buffer.from(bytes).toString('utf8')
}

const missing = (storage: Storage, path: string) =>
  new InputError(
    'file-changed',
    `${path} is in ${LOCK} and not in ${storage.url}; run skyscript verify, then skyscript benchmark.`,
  )

/** A set as a classifier sees it: one label an image. */
export interface ClassView {
  /** The set's name, and for further columns of labels a suffix: `roof_shape`, `roof_shape_v2`. */
  readonly name: string
  readonly column: string
  /** In the order of the class list. */
  readonly classes: readonly string[]
  /** Images with a label, and its place among the classes. */
  readonly rows: readonly { readonly row: SetRow; readonly label: number }[]
}

/** A view for each column of labels. */
export function viewsOf({ record, rows }: Pick<OpenSet, 'record' | 'rows'>): ClassView[] {
  return record.labels.map(({ column, classes }, i) => {
    const names = classes.map(({ name }) => name)
    const places = new Map(names.map((name, place) => [name, place]))
    return {
      name: i === 0 ? record.name : `${record.name}_${column.replace(/^label_?/, '')}`,
      ...{ column, classes: names },
      rows: rows.flatMap((row) => {
        const label = places.get(row.fields[column] ?? '')
        return label === undefined ? [] : [{ row, label }]
      }),
    }
  })
}
