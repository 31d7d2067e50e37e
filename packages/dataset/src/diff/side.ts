import { createReadStream } from 'node:fs'
import { InputError, type Storage, sha256OfStream } from '@skyscript/core'
import { changed, type FinishedDataset, openFinished } from '../export/dataset.ts'
import { localFile } from '../local-file.ts'
import { type DatasetLock, parseLock } from '../lock.ts'
import { type ManifestFile, openManifestFile } from '../manifest-file.ts'
import { LOCK, MANIFEST } from '../names.ts'
import { readMembers } from './members.ts'

/** One of two datasets that are compared. */
export interface Side {
  readonly lock: DatasetLock
  /** Null for a lock without its dataset. */
  readonly pairs: SidePairs | null
  close(): Promise<void>
}

export interface SidePairs {
  /** For messages. */
  readonly name: string
  readonly manifest: ManifestFile
  /** The CSVs of pairs by the name of their set, `train_top30pct_openai`. */
  readonly csvs: ReadonlyMap<string, SideCsv>
}

export interface SideCsv {
  readonly path: string
  /** Sorted codes of the ids of its pairs. */
  members(): Promise<Float64Array>
}

/**
 * Only a lock.
 *
 * @throws InputError `bad-lock`
 */
export function sideOfLock(text: string, file: string): Side {
  const fault = (why: string) => new InputError('bad-lock', `${file} ${why}; give a dataset's folder, or its ${LOCK}.`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw fault('is not JSON')
  }
  const checked = parseLock(json)
  if ('faults' in checked) throw fault(`is not the lock of a dataset (${checked.faults[0]})`)
  return { lock: checked.value, pairs: null, close: async () => {} }
}

/**
 * A finished dataset. Its files must be as the lock has them.
 *
 * @throws InputError `unfinished-dataset`, `bad-lock`, `file-missing`, `file-changed`, `bad-manifest`
 */
export const sideOfDataset = async (storage: Storage): Promise<Side> => sideOf(await openFinished(storage))

/** The same of a dataset that is open. */
export async function sideOf({ storage, lock, sets }: FinishedDataset): Promise<Side> {
  const members = async (csv: string) => {
    const { codes, sha256 } = await readMembers(storage.stream(csv))
    if (sha256 !== lock.files[csv]) throw changed(storage, csv)
    return codes
  }
  const csvs = new Map(sets.map(({ name, csv }) => [name, { path: csv, members: () => members(csv) }]))
  return { lock, ...(await openPairs(storage, MANIFEST, csvs, storage.url, lock.files[MANIFEST])) }
}

/** The pairs of a manifest that is stored under some key. */
export async function openPairs(
  storage: Storage,
  key: string,
  csvs: SidePairs['csvs'],
  name: string,
  sha256?: string,
): Promise<Pick<Side, 'pairs' | 'close'>> {
  if (!(await storage.has(key)))
    throw new InputError(
      'file-missing',
      `${key} is not in ${name}; run skyscript verify, then skyscript build, or compare the ${LOCK} of each.`,
    )
  const file = await localFile(storage, key)
  try {
    if (sha256 !== undefined && (await sha256OfStream(createReadStream(file.path))) !== sha256)
      throw changed(storage, key)
    const manifest = await openManifestFile(file.path)
    return {
      pairs: { name, manifest, csvs },
      async close() {
        await manifest.close()
        await file.release()
      },
    }
  } catch (error) {
    await file.release()
    throw error
  }
}
