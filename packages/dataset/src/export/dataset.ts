import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { getJson, InputError, type Storage, sha256OfStream } from '@skyscript/core'
import { localFile } from '../local-file.ts'
import { type DatasetLock, parseLock } from '../lock.ts'
import { type ManifestFile, openManifestFile } from '../manifest-file.ts'
import { LOCK, MANIFEST, parseRowsPath, partName } from '../names.ts'
import { CsvFormatError, readCsv } from '../verify/csv-reader.ts'

const PARTS = ['train', 'val', 'test'] as const

/** The pairs of one CSV. */
export interface PairSet {
  /** `train_unfiltered`, `train_top30pct_openai`, `val_openai`. */
  readonly name: string
  readonly part: (typeof PARTS)[number]
  readonly csv: string
  readonly rows: number
  /** Null for the unfiltered file. */
  readonly scorer: string | null
}

/** A dataset that a build or a cut finished. */
export interface FinishedDataset {
  readonly storage: Storage
  readonly lock: DatasetLock
  /** Training sets first, then val and test, each sorted by name. */
  readonly sets: readonly PairSet[]
}

/**
 * Opens a dataset for an export.
 *
 * @throws InputError `unfinished-dataset` if there is no lock, `bad-lock` if it is not a valid one
 */
export async function openFinished(storage: Storage): Promise<FinishedDataset> {
  const json = await getJson<unknown>(storage, LOCK).catch((error: unknown) => {
    if (error instanceof SyntaxError) throw badLock(storage, 'is not JSON')
    throw error
  })
  if (json === null)
    throw new InputError(
      'unfinished-dataset',
      `${storage.url} is no finished dataset (there is no ${LOCK}); run skyscript build to its end, then skyscript verify.`,
    )
  const checked = parseLock(json)
  if ('faults' in checked) throw badLock(storage, `is not a valid lock (${checked.faults[0]})`)
  return { storage, lock: checked.value, sets: setsOf(checked.value) }
}

const badLock = (storage: Storage, why: string) =>
  new InputError('bad-lock', `${LOCK} of ${storage.url} ${why}; run skyscript build again.`)

/** The pairs' CSVs among a dataset's files. */
export function setsOf({ config, files, rows }: Pick<DatasetLock, 'config' | 'files' | 'rows'>): PairSet[] {
  const sets: PairSet[] = []
  for (const csv of Object.keys(files)) {
    const file = parseRowsPath(config.name, csv)
    if (file?.kind !== 'pairs') continue
    const { part, scorer } = file.set
    sets.push({
      name: scorer === null ? partName(file.set) : `${partName(file.set)}_${scorer}`,
      part: part === 'val' || part === 'test' ? part : 'train',
      ...{ scorer, csv, rows: rows[csv] ?? 0 },
    })
  }
  const rank = ({ part, scorer }: PairSet) => PARTS.indexOf(part) + (scorer === null ? 0 : 0.5)
  return sets.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
}

/**
 * The sets of the given names; without names every training pair, and val and test by the first scorer where they have
 * pairs. Names may leave out the first scorer, and `train_`: `val`, `top30pct`.
 *
 * @throws InputError `unknown-set` that lists the sets there are
 */
export function chooseSets({ lock, sets }: FinishedDataset, names: readonly string[]): readonly PairSet[] {
  const scorer = lock.config.filter.scorers[0]!.name
  const find = (name: string) =>
    [
      name,
      `${name}_${scorer}`,
      `train_${name}`,
      `train_${name}_${scorer}`,
      ...(name === 'train' ? ['train_unfiltered'] : []),
    ]
      .map((each) => sets.find((set) => set.name === each))
      .find((set) => set !== undefined)
  if (names.length === 0) return PARTS.map(find).filter((set) => set !== undefined)
  return names
    .map((name) => {
      const set = find(name)
      if (set !== undefined) return set
      const isEmpty = (['val', 'test'] as const).some((part) => name === part || name.startsWith(`${part}_`))
      const why = isEmpty ? 'no pairs in' : 'no'
      const known = sets.map((each) => each.name).join(', ')
      throw new InputError('unknown-set', `The dataset has ${why} set "${name}"; choose from ${known}.`)
    })
    .filter((set, i, all) => all.indexOf(set) === i)
}

/** The images of a set, looked up by path. Memory: 8 bytes per pair. */
export interface Members {
  readonly size: number
  has(filepath: string): boolean
}

/**
 * Reads the rows of a set's CSV, and compares its bytes with the lock. The hash is known only at the end: a changed file
 * may yield rows before the error.
 *
 * @param columns names of the fields to read, in the order of the result
 * @throws InputError `file-changed`
 */
export async function* readPairs(
  { storage, lock }: FinishedDataset,
  { csv }: PairSet,
  columns: readonly string[],
): AsyncGenerator<string[]> {
  const digest = createHash('sha256')
  let places: readonly number[] | null = null
  try {
    for await (const { fields } of readCsv(storage, csv, (chunk) => digest.update(chunk))) {
      if (places !== null) yield places.map((place) => fields[place] ?? '')
      // The header is the first record.
      else places = columns.map((column) => fields.indexOf(column))
    }
  } catch (error) {
    if (error instanceof CsvFormatError) throw changed(storage, csv)
    throw error
  }
  if (digest.digest('hex') !== lock.files[csv]) throw changed(storage, csv)
}

/**
 * Reads the paths of a set's CSV.
 *
 * @throws InputError `file-changed`
 */
export async function readMembers(dataset: FinishedDataset, set: PairSet): Promise<Members> {
  let keys = new BigUint64Array(1024)
  let size = 0
  for await (const [filepath] of readPairs(dataset, set, ['filepath'])) {
    if (size === keys.length) {
      const grown = new BigUint64Array(2 * size)
      grown.set(keys)
      keys = grown
    }
    keys[size++] = keyOf(filepath!)
  }
  const sorted = keys.subarray(0, size).sort()
  return { size, has: (filepath) => contains(sorted, keyOf(filepath)) }
}

/** 64 bits: the chance that any two of 5.2 million paths collide is below 1 in a million. */
const keyOf = (filepath: string) => createHash('sha256').update(filepath).digest().readBigUInt64BE()

function contains(sorted: BigUint64Array, key: bigint): boolean {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < key) low = middle + 1
    else high = middle
  }
  return sorted[low] === key
}

/** For a file whose hash differs from the lock's. */
export const changed = (storage: Storage, path: string) =>
  new InputError(
    'file-changed',
    `${path} of ${storage.url} is not as ${LOCK} knows it; run skyscript verify, then skyscript build.`,
  )

/** A manifest row, by column name. */
export type Row = Readonly<Record<string, unknown>>

export interface Manifest extends Pick<ManifestFile, 'rows' | 'scorers'> {
  /** In the order of the file. */
  readonly columns: readonly string[]
  /**
   * The rows with these columns, in the order of the file. Memory: one row group.
   *
   * @param wanted selects rows by image path; of a group without any, only the paths are read
   */
  read(columns: readonly string[], wanted?: (filepath: string) => boolean): AsyncGenerator<Row>
  close(): Promise<void>
}

/**
 * Opens the manifest, and compares its bytes with the lock. From a bucket it is copied to the system's temporary folder.
 *
 * @throws InputError `file-changed`, `bad-manifest`
 */
export async function openManifest({ storage, lock }: FinishedDataset): Promise<Manifest> {
  const copy = await localFile(storage, MANIFEST)
  try {
    if ((await sha256OfStream(createReadStream(copy.path))) !== lock.files[MANIFEST]) throw changed(storage, MANIFEST)
    const file = await openManifestFile(copy.path)
    return {
      rows: file.rows,
      scorers: file.scorers,
      columns: [...file.columns],
      read: (columns, wanted) => readRows(file, columns, wanted),
      async close() {
        await file.close()
        await copy.release()
      },
    }
  } catch (error) {
    await copy.release()
    throw error
  }
}

async function* readRows(
  file: ManifestFile,
  names: readonly string[],
  wanted: (filepath: string) => boolean = () => true,
): AsyncGenerator<Row> {
  for (const group of file.groups.keys()) {
    const { filepath } = (await file.readGroup(group, ['filepath'])) as { filepath: string[] }
    const chosen = [...filepath.keys()].filter((row) => wanted(filepath[row]!))
    if (chosen.length === 0) continue
    const columns = await file.readGroup(group, names)
    for (const row of chosen) yield Object.fromEntries(names.map((name) => [name, columns[name]![row]]))
  }
}
