import { getJson, type Storage, sha256OfStream } from '@skyscript/core'
import { type DatasetLock, parseLock } from '../lock.ts'
import { ATTRIBUTION, DROPPED_CSV, LOCK, MANIFEST, REPORT } from '../names.ts'
import { CsvFormatError, readCsv } from './csv-reader.ts'
import { type FaultList, quoted } from './faults.ts'

/** Files of every dataset, besides the CSVs, that the lock must list with their hashes. */
const LOCKED = [MANIFEST, ATTRIBUTION, DROPPED_CSV, REPORT] as const
/** Relative, and inside the dataset: a foreign lock must not make us read other files. */
const LOCKED_PATH = /^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/

/** Whether captions follow the original's form. */
export type CaptionForm = 'original' | 'other'

export const captionForm = ({ captions }: DatasetLock['config']): CaptionForm =>
  captions.templates[0] === 'skyscript' && captions.maxTokens === null ? 'original' : 'other'

/** Reads the lock; null (with faults) if it is missing or lacks what the other checks need. */
export async function readLock(storage: Storage, faults: FaultList): Promise<DatasetLock | null> {
  let json: unknown
  try {
    json = await getJson<unknown>(storage, LOCK)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    faults.add('lock', LOCK, 'is not JSON')
    return null
  }
  if (json === null) {
    faults.add('lock', LOCK, 'is not there: the build did not end, or this is not a dataset')
    return null
  }
  const checked = parseLock(json)
  if ('value' in checked) return checked.value
  for (const fault of checked.faults) faults.add('lock', LOCK, fault)
  return null
}

/**
 * Compares the hash of every file that the lock lists, and checks that it lists all files of a dataset.
 *
 * @param csvs paths of the CSVs that the settings produce
 * @param digests hashes of files that were already read
 * @returns number of files compared
 */
export async function checkFiles(
  storage: Storage,
  lock: DatasetLock,
  csvs: readonly string[],
  digests: ReadonlyMap<string, string>,
  faults: FaultList,
): Promise<number> {
  let compared = 0
  for (const path of [...LOCKED, ...csvs]) {
    if (!Object.hasOwn(lock.files, path)) faults.add('lock', LOCK, `does not list ${path}`)
  }
  for (const [path, expected] of Object.entries(lock.files)) {
    if (!LOCKED_PATH.test(path)) {
      faults.add('lock', LOCK, `lists ${quoted(path)}, which is not the path of a dataset file`)
      continue
    }
    const known = digests.get(path)
    if (known === undefined && !(await storage.has(path))) {
      faults.add('file-missing', path, 'is in the lock but not there')
      continue
    }
    const actual = known ?? (await sha256OfStream(storage.stream(path)))
    compared++
    if (actual !== expected) faults.add('file-hash', path, `sha256 is ${actual}, the lock says ${expected}`)
  }
  return compared
}

/** Checks that input = kept + dropped + failed, and that the lock, the manifest and dropped.csv agree. */
export async function checkCounts(storage: Storage, lock: DatasetLock, rows: number, faults: FaultList): Promise<void> {
  const { objects, kept, dropped, failed } = lock.counts
  const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((total, n) => total + n, 0)
  if (objects !== kept + sum(dropped) + sum(failed)) {
    const parts = `${kept} kept + ${sum(dropped)} dropped + ${sum(failed)} failed`
    faults.add('counts', LOCK, `counts ${objects} objects, but ${parts}`)
  }
  if (kept !== rows) faults.add('counts', LOCK, `counts ${kept} pairs, the manifest has ${rows}`)
  const told = await readDropped(storage, faults)
  if (told === null) return
  const due = new Map([
    ...Object.entries(dropped),
    ...Object.entries(failed).map(([code, n]) => [`failed:${code}`, n] as const),
  ])
  for (const reason of new Set([...due.keys(), ...told.keys()])) {
    if (due.get(reason) === told.get(reason)) continue
    const message = `says ${told.get(reason) ?? 'nothing'} for ${quoted(reason)}, the lock ${due.get(reason) ?? 'nothing'}`
    faults.add('counts', DROPPED_CSV, message)
  }
}

/** Counts by reason; null if the file is missing (checkFiles reports that) or is not such a table. */
async function readDropped(storage: Storage, faults: FaultList): Promise<Map<string, number> | null> {
  if (!(await storage.has(DROPPED_CSV))) return null
  const counts = new Map<string, number>()
  try {
    let isHeader = true
    for await (const { line, fields } of readCsv(storage, DROPPED_CSV, () => {})) {
      const [reason = '', count = ''] = fields
      if (isHeader) {
        isHeader = false
        if (fields.join() === 'reason,count') continue
        faults.add('counts', DROPPED_CSV, `has the columns ${quoted(fields)}, not reason, count`)
        return null
      }
      if (counts.has(reason)) faults.add('counts', DROPPED_CSV, `line ${line}: ${quoted(reason)} comes twice`)
      counts.set(reason, Number(count))
    }
    return counts
  } catch (error) {
    if (!(error instanceof CsvFormatError)) throw error
    faults.add('counts', DROPPED_CSV, error.message)
    return null
  }
}
