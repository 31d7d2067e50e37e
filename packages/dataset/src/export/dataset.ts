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
  /** Those to train with first, each kind in the order of their names. */
  readonly sets: readonly PairSet[]
}

/**
 * Opens a dataset to be exported.
 *
 * @throws InputError `unfinished-dataset` where there is no lock, `bad-lock` where it doesn't say what is needed
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
  const { lock, faults } = parseLock(json)
  if (lock === null) throw badLock(storage, `has a fault: ${faults[0]}`)
  return { storage, lock, sets: setsOf(lock) }
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

/** What a set has, to be asked about by path. Memory: 8 bytes a pair. */
export interface Members {
  readonly size: number
  has(filepath: string): boolean
}

/**
 * Reads the paths of a set's CSV, whose bytes must be those that the lock knows.
 *
 * @throws InputError `file-changed`
 */
export async function readMembers({ storage, lock }: FinishedDataset, { csv }: PairSet): Promise<Members> {
  const digest = createHash('sha256')
  let keys = new BigUint64Array(1024)
  let size = -1
  try {
    for await (const { fields } of readCsv(storage, csv, (chunk) => digest.update(chunk))) {
      // The header is the first record.
      if (size >= 0) {
        if (size === keys.length) {
          const grown = new BigUint64Array(2 * size)
          grown.set(keys)
          keys = grown
        }
        keys[size] = keyOf(fields[0] ?? '')
      }
      size++
    }
  } catch (error) {
    if (error instanceof CsvFormatError) throw changed(storage, csv)
    throw error
  }
  if (digest.digest('hex') !== lock.files[csv]) throw changed(storage, csv)
  const sorted = keys.subarray(0, Math.max(0, size)).sort()
  return { size: sorted.length, has: (filepath) => contains(sorted, keyOf(filepath)) }
}

/** 64 bits: among 5.2 million paths the chance that any two are taken for one is below 1 in a million. */
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

/** Of a file that the lock knows by another hash. */
export const changed = (storage: Storage, path: string) =>
  new InputError(
    'file-changed',
    `${path} of ${storage.url} is not as ${LOCK} knows it; run skyscript verify, then skyscript build.`,
  )

/** A manifest row by the names of its columns. */
export type Row = Readonly<Record<string, unknown>>

export interface Manifest extends Pick<ManifestFile, 'rows' | 'scorers'> {
  /** In the order of the file. */
  readonly columns: readonly string[]
  /**
   * The rows with these columns, in the order of the file. Memory: one row group.
   *
   * @param wanted decides by the path of a row's image; groups of none but others are not read further
   */
  read(columns: readonly string[], wanted?: (filepath: string) => boolean): AsyncGenerator<Row>
  close(): Promise<void>
}

/**
 * Opens the manifest, whose bytes must be those that the lock knows. Out of a bucket it is copied to the system's folder
 * for temporary files.
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
