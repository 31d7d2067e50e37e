/**
 * What a storage says of a dataset's files, as sums: a finished build notes them, and the next one sees from a listing
 * which files may have changed, without a name of each in memory.
 */
import { type Listed, putJson, type Storage } from '@skyscript/core'
import pMap from 'p-map'
import { getWhole } from '../results.ts'
import { FNV_OFFSET, hash32, PathTable } from './path-table.ts'

export const SEAL = 'work/seal.json'

const BUCKETS = 65_536
/** Folders that are listed at a time. */
const LISTS = 16
/** A stamp is size * HASHES + a hash of the version: an exact integer up to files of 4 GiB. */
const HASHES = 2 ** 21

/** What a finished build left. */
export interface Seal {
  readonly version: 2
  /** Sum by number of bucket, of those that have files. */
  readonly sums: Readonly<Record<string, number>>
  /** By stage, the digest of its packed heads. */
  readonly heads: Readonly<Record<string, string>>
}

export interface Listing {
  /** Sizes of all files below work/, by key. */
  readonly work: ReadonlyMap<string, number>
  /** Of the dataset's files, by bucket. */
  readonly sums: Float64Array
  readonly counts: { readonly images: number; readonly metas: number }
}

export async function listStorage(storage: Storage): Promise<Listing> {
  const work = new Map<string, number>()
  const sums = new Float64Array(BUCKETS)
  const counts = { images: 0, metas: 0 }
  const note = ({ key, size, version = '' }: Listed) => {
    const bucket = bucketOf(key)
    sums[bucket] = (sums[bucket]! + hash32(` ${stampOf(size, version)}`, hash32(key))) % 2 ** 52
  }
  const noteAll = async (top: Listed) => {
    if (!top.key.endsWith('/')) note(top)
    else if (top.key === 'work/') for await (const { key, size } of storage.list(top.key)) work.set(key, size)
    else if (OF_DATASET.test(top.key)) {
      let files = 0
      for await (const each of storage.list(top.key)) {
        files++
        note(each)
      }
      if (IMAGE.test(top.key)) counts.images += files
      else if (META.test(top.key)) counts.metas += files
    }
  }
  const top = await Array.fromAsync(storage.list('', 'shallow'))
  // A bucket lists a thousand keys in a tenth of a second, so its folders are listed at the same time. A folder on disk is
  // read whole, and ten million names would take half a gigabyte.
  await pMap(top, noteAll, { concurrency: storage.localPath === undefined ? LISTS : 1 })
  return { work, sums, counts }
}

const IMAGE = /^images\d\//
const META = /^meta\d\//
const OF_DATASET = /^(?:images\d|meta\d|report|state)\//

const stampOf = (size: number, version: string) => (size % 2 ** 32) * HASHES + (hash32(version) % HASHES)
/** Bytes of a file, of its stamp. */
export const sizeOf = (stamp: number): number => Math.floor(stamp / HASHES)

/** An image and its meta share a bucket: neither `images` or `meta` nor the extension counts. */
export function bucketOf(path: string): number {
  const from = path.startsWith('images') ? 6 : path.startsWith('meta') ? 4 : 0
  const to = path.length - (path.endsWith('.jpg') ? 4 : path.endsWith('.pickle') ? 7 : 0)
  return hash32(path, FNV_OFFSET, from, to) % BUCKETS
}

/** The buckets of some files, each once, as text of 4 digits a bucket. */
export function bucketsText(paths: Iterable<string>): string {
  const buckets = new Set([...paths].map(bucketOf))
  return [...buckets]
    .sort((a, b) => a - b)
    .map((bucket) => bucket.toString(16).padStart(4, '0'))
    .join('')
}

export function* bucketsIn(text: string): Generator<number> {
  for (let at = 0; at < text.length; at += 4) yield Number.parseInt(text.slice(at, at + 4), 16)
}

export const readSeal = async (storage: Storage): Promise<Seal | null> => {
  const seal = await getWhole<Seal>(storage, SEAL)
  return seal?.version === 2 ? seal : null
}

/** Buckets whose files are not what was sealed; all of them without a seal. */
export function changedBuckets(seal: Seal | null, { sums }: Pick<Listing, 'sums'>): Uint8Array {
  const changed = new Uint8Array(BUCKETS)
  if (seal === null) return changed.fill(1)
  for (let bucket = 0; bucket < BUCKETS; bucket++) if ((seal.sums[bucket] ?? 0) !== sums[bucket]) changed[bucket] = 1
  return changed
}

/** Stamps of all images and metas. */
export async function readStamps(storage: Storage): Promise<PathTable> {
  const stamps = new PathTable()
  for (const prefix of ['images', 'meta'])
    for await (const { key, size, version = '' } of storage.list(prefix))
      if (IMAGE.test(key) || META.test(key)) stamps.set(key, stampOf(size, version))
  return stamps
}

/** Notes what the files of a dataset are like. */
export async function sealDataset(storage: Storage, heads: ReadonlyMap<string, string>): Promise<void> {
  const { sums } = await listStorage(storage)
  const there: Record<string, number> = {}
  for (let bucket = 0; bucket < BUCKETS; bucket++) if (sums[bucket] !== 0) there[bucket] = sums[bucket]!
  const seal: Seal = { version: 2, sums: there, heads: Object.fromEntries(heads) }
  await putJson(storage, SEAL, seal)
}
