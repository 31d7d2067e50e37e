import { createHash } from 'node:crypto'
import type { Storage } from '@skyscript/core'
import type { DatasetLock } from '../lock.ts'
import { ALL_TRAINING, type CsvSet, csvPath, pairColumns } from '../names.ts'
import { CsvFormatError, readCsv } from './csv-reader.ts'
import { type FaultList, quoted } from './faults.ts'
import type { RowIndex } from './row-index.ts'

/** Python's csv module refuses longer fields (csv.field_size_limit), in characters. */
const FIELD_CHARACTERS = 131_072
/** Similarities are stored as text and as a Parquet number; the shortest text of a 32-bit float differs by up to this. */
const SIMILARITY_SLACK = 1e-6

/** A CSV that the dataset's settings produce. */
export interface CsvFile extends CsvSet {
  readonly path: string
  /** The scorer or blend that ranks it; for the unfiltered file the first one in the settings. */
  readonly scorer: string
}

/** A CSV that was read: `members` is 1 for every manifest row that it lists. */
export interface CsvContent extends CsvFile {
  readonly members: Uint8Array
  readonly rows: number
  /** Null if there is no file because the set has no pairs. */
  readonly sha256: string | null
}

/** The CSVs that a dataset with these settings has, unless they have no pairs. */
export function expectedCsvs({ name, filter }: DatasetLock['config']): CsvFile[] {
  const chosen = [...filter.scorers, ...(filter.blends ?? [])].flatMap(({ name: scorer }): CsvSet[] => [
    ...filter.top.map((size) => ({ part: 'top' as const, size, scorer })),
    ...filter.above.map((size) => ({ part: 'above' as const, size, scorer })),
    { part: 'val', size: filter.val, scorer },
    { part: 'test', size: filter.test, scorer },
  ])
  return [ALL_TRAINING, ...chosen].map((set) => ({
    ...set,
    path: csvPath(name, set),
    scorer: set.scorer ?? filter.scorers[0]!.name,
  }))
}

/**
 * Reads one CSV and checks every row against the manifest; null if it is missing or has other columns. A set without
 * pairs has no file: a file that neither exists nor is listed counts as empty.
 *
 * @param listed whether the lock lists the file
 */
export async function checkCsv(
  storage: Storage,
  file: CsvFile,
  index: RowIndex,
  listed: boolean,
  faults: FaultList,
): Promise<CsvContent | null> {
  if (!(await storage.has(file.path))) {
    if (!listed) return { ...file, members: new Uint8Array(index.size), rows: 0, sha256: null }
    faults.add('csv-missing', file.path, 'is not there')
    return null
  }
  const digest = createHash('sha256')
  const members = new Uint8Array(index.size)
  const columns = pairColumns(file.scorer)
  let rows = -1
  try {
    for await (const { line, fields } of readCsv(storage, file.path, (chunk) => digest.update(chunk))) {
      rows++
      if (rows === 0) {
        if (fields.join() === columns.join()) continue
        faults.add('csv-columns', file.path, `has the columns ${quoted(fields)}, not ${quoted(columns)}`)
        return null
      }
      const message = rowFault(fields, file, index, members)
      if (message !== null) faults.add('csv-row', file.path, `line ${line}: ${message}`)
    }
  } catch (error) {
    if (!(error instanceof CsvFormatError)) throw error
    faults.add('csv-format', file.path, error.message)
    return null
  }
  if (rows < 0) {
    faults.add('csv-columns', file.path, 'is empty')
    return null
  }
  return { ...file, members, rows, sha256: digest.digest('hex') }
}

/** Checks one row and marks it in `members`. */
function rowFault(fields: readonly string[], file: CsvFile, index: RowIndex, members: Uint8Array): string | null {
  if (fields.length !== 4) return `has ${fields.length} fields, not 4`
  const [filepath, title, titleMultiObjects, similarity] = fields as [string, string, string, string]
  if (fields.some((field) => field.length > FIELD_CHARACTERS)) return 'has a field that Python refuses to read'
  const row = index.find(filepath)
  if (row < 0) return `${quoted(filepath)} is not in the manifest`
  if (members[row] === 1) return `${filepath} is listed twice`
  members[row] = 1
  if (!index.saysOf(row, title, titleMultiObjects)) return `the captions of ${filepath} differ from the manifest`
  const due = index.similarity(row, file.scorer)
  const actual = similarity === '' ? Number.NaN : Number(similarity)
  if (!(Math.abs(actual - due) <= SIMILARITY_SLACK)) {
    return `the similarity of ${filepath} is ${quoted(similarity)}, the manifest says ${due}`
  }
  return null
}
