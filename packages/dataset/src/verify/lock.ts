import { getJson, type Storage, sha256OfStream } from '@skyscript/core'
import { ATTRIBUTION, DROPPED_CSV, LOCK, MANIFEST, REPORT } from '../names.ts'
import { CsvFormatError, readCsv } from './csv-reader.ts'
import { type FaultList, quoted } from './faults.ts'

/** Files of every dataset, beside the CSVs, that the lock must know by hash. */
const LOCKED = [MANIFEST, ATTRIBUTION, DROPPED_CSV, REPORT] as const
/** Relative, and within the dataset: a lock from elsewhere shall not make us read other files. */
const LOCKED_PATH = /^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/

/** The settings that say which files a dataset has. */
export interface DatasetConfig {
  readonly name: string
  /** Whether captions are as the original writes them. */
  readonly captions: 'original' | 'other'
  readonly filter: {
    readonly scorers: readonly string[]
    readonly top: readonly number[]
    readonly above: readonly number[]
    readonly maxPerTag: number | null
    readonly maxSameCaption: number | null
    /** Whether images of benchmarks were left out. */
    readonly excludes: boolean
    readonly val: number
    readonly test: number
    readonly splitBy: 'block' | 'image'
  }
}

/** What is used of dataset.lock.json. */
export interface Lock {
  readonly config: DatasetConfig
  /** sha256 by path. */
  readonly files: ReadonlyMap<string, string>
  readonly counts: {
    readonly objects: number
    readonly kept: number
    readonly dropped: ReadonlyMap<string, number>
    readonly failed: ReadonlyMap<string, number>
  }
}

class LockError extends Error {}

/** Reads the lock; null, with a fault, where it is missing or doesn't say what is needed to check the rest. */
export async function readLock(storage: Storage, faults: FaultList): Promise<Lock | null> {
  let json: unknown
  try {
    json = await getJson<unknown>(storage, LOCK)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    faults.add('lock', LOCK, 'is not JSON')
    return null
  }
  if (json === null) {
    faults.add('lock', LOCK, 'is not there: the build did not end, or this is no dataset')
    return null
  }
  try {
    const config = at(json, 'config')
    const filter = at(config, 'filter')
    const counts = at(json, 'counts')
    return {
      config: {
        name: asText(at(config, 'name')),
        captions: isOriginal(at(config, 'captions')) ? 'original' : 'other',
        filter: {
          scorers: asList(at(filter, 'scorers')).map((scorer) => asText(at(scorer, 'name'))),
          top: asList(at(filter, 'top')).map(asCount),
          above: asList(optional(filter, 'above') ?? []).map(asNumber),
          maxPerTag: asOptionalCount(optional(filter, 'maxPerTag')),
          maxSameCaption: asOptionalCount(optional(filter, 'maxSameCaption')),
          excludes: optional(filter, 'exclude') !== null,
          val: asCount(at(filter, 'val')),
          test: asCount(at(filter, 'test')),
          splitBy: asText(at(at(filter, 'split'), 'by')) === 'image' ? 'image' : 'block',
        },
      },
      files: asMap(at(json, 'files'), asText),
      counts: {
        objects: asCount(at(counts, 'objects')),
        kept: asCount(at(counts, 'kept')),
        dropped: asMap(at(counts, 'dropped'), asCount),
        failed: asMap(at(counts, 'failed'), asCount),
      },
    }
  } catch (error) {
    if (!(error instanceof LockError)) throw error
    faults.add('lock', LOCK, error.message)
    return null
  }
}

/** Older datasets, which knew no other captions, say nothing of styles. */
function isOriginal(captions: unknown): boolean {
  if (typeof captions === 'object' && captions !== null && !Object.hasOwn(captions, 'templates')) return true
  const [style] = asList(at(captions, 'templates'))
  return style === 'skyscript' && at(captions, 'maxTokens') === null
}

function at(value: unknown, key: string): unknown {
  const member =
    typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
  if (member === undefined) throw new LockError(`lacks the member "${key}"`)
  return member
}

/** A setting that older datasets don't have. */
function optional(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : null
}

function asNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw new LockError(`holds ${quoted(value)} where a number is due`)
  }
  return value
}

const asOptionalCount = (value: unknown): number | null => (value === null ? null : asCount(value))

function asText(value: unknown): string {
  if (typeof value !== 'string') throw new LockError(`holds ${quoted(value)} where a text is due`)
  return value
}

function asCount(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new LockError(`holds ${quoted(value)} where a count is due`)
  }
  return value
}

function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new LockError(`holds ${quoted(value)} where a list is due`)
  return value
}

function asMap<T>(value: unknown, read: (member: unknown) => T): Map<string, T> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LockError(`holds ${quoted(value)} where an object is due`)
  }
  return new Map(Object.entries(value).map(([key, member]) => [key, read(member)]))
}

/**
 * Compares the hash of every file that the lock lists, and asks that it lists all files of a dataset.
 *
 * @param csvs paths of the CSVs that the settings ask for
 * @param digests hashes of files that were read already
 * @returns how many files were compared
 */
export async function checkFiles(
  storage: Storage,
  lock: Lock,
  csvs: readonly string[],
  digests: ReadonlyMap<string, string>,
  faults: FaultList,
): Promise<number> {
  let compared = 0
  for (const path of [...LOCKED, ...csvs]) {
    if (!lock.files.has(path)) faults.add('lock', LOCK, `does not list ${path}`)
  }
  for (const [path, expected] of lock.files) {
    if (!LOCKED_PATH.test(path)) {
      faults.add('lock', LOCK, `lists ${quoted(path)}, which is no path of a dataset`)
      continue
    }
    const known = digests.get(path)
    if (known === undefined && !(await storage.has(path))) {
      faults.add('file-missing', path, 'is in the lock and not there')
      continue
    }
    const actual = known ?? (await sha256OfStream(storage.stream(path)))
    compared++
    if (actual !== expected) faults.add('file-hash', path, `sha256 is ${actual}, the lock says ${expected}`)
  }
  return compared
}

/** input = kept + dropped + failed, the same in the lock, in the manifest and in dropped.csv. */
export async function checkCounts(storage: Storage, lock: Lock, rows: number, faults: FaultList): Promise<void> {
  const { objects, kept, dropped, failed } = lock.counts
  const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((total, n) => total + n, 0)
  if (objects !== kept + sum(dropped) + sum(failed)) {
    const parts = `${kept} kept + ${sum(dropped)} dropped + ${sum(failed)} failed`
    faults.add('counts', LOCK, `counts ${objects} objects, but ${parts}`)
  }
  if (kept !== rows) faults.add('counts', LOCK, `counts ${kept} pairs, the manifest has ${rows}`)
  const told = await readDropped(storage, faults)
  if (told === null) return
  const due = new Map([...dropped, ...[...failed].map(([code, n]) => [`failed:${code}`, n] as const)])
  for (const reason of new Set([...due.keys(), ...told.keys()])) {
    if (due.get(reason) === told.get(reason)) continue
    const message = `says ${told.get(reason) ?? 'nothing'} for ${quoted(reason)}, the lock ${due.get(reason) ?? 'nothing'}`
    faults.add('counts', DROPPED_CSV, message)
  }
}

/** Counts by reason; null where the file is missing, which the lock's list of files tells, or no such table. */
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
