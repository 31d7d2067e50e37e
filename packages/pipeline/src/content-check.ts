import { metaPickle } from '@skyscript/captioner'
import {
  type CaptionRecord,
  getJson,
  type ImageRecord,
  metaPath,
  putJson,
  type Storage,
  sha256,
  sha256OfStream,
} from '@skyscript/core'

/**
 * Finds files of a dataset that are not what a build wrote, without reading them all: a finished build notes a sum over
 * what the storage says of its files (size, and time of change or ETag), in buckets by path. Where a bucket's sum is no
 * more the same, its files are compared by content.
 */
export const SEAL = 'work/seal.json'

const BUCKETS = 65_536
/** A stamp is size * HASHES + a hash of the version: an exact integer up to files of 4 GiB. */
const HASHES = 2 ** 21
/** Files that are compared at a time. */
const READS = 16

interface Seal {
  readonly version: 1
  /** Sum by number of bucket, of those that have files. */
  readonly sums: Readonly<Record<string, number>>
}

/** The keys of a storage, and what it says of the dataset's own files. */
export interface Listing {
  readonly existing: ReadonlySet<string>
  readonly stamps: ReadonlyMap<string, number>
}

export async function listStorage(storage: Storage): Promise<Listing> {
  const existing = new Set<string>()
  const stamps = new Map<string, number>()
  for await (const { key, size, version = '' } of storage.list('')) {
    existing.add(key)
    if (isOfDataset(key)) stamps.set(key, stampOf(size, version))
  }
  return { existing, stamps }
}

const isOfDataset = (key: string) => /^(?:images\d|meta\d|report|state)\//.test(key) || !key.includes('/')

const stampOf = (size: number, version: string) => (size % 2 ** 32) * HASHES + (hash(version) % HASHES)
const sizeOf = (stamp: number) => Math.floor(stamp / HASHES)

/** FNV-1a, 32 bits: it tells changes apart, not attackers. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}

function sumsOf(stamps: ReadonlyMap<string, number>): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const [path, stamp] of stamps) {
    const bucket = hash(path) % BUCKETS
    sums[bucket] = ((sums[bucket] ?? 0) + hash(`${path} ${stamp}`)) % 2 ** 52
  }
  return sums
}

export interface ContentCheck {
  /** Whether images are there as their records have them. */
  images(records: readonly ImageRecord[]): Promise<boolean>
  /** Whether metas are there as captions and images make them. */
  metas(captions: readonly CaptionRecord[], images: () => Promise<readonly ImageRecord[]>): Promise<boolean>
  /** Whether a file may have changed since the build that is sealed; every file without one. */
  isSuspect(path: string): boolean
  /** Images and metas that were listed. */
  readonly counts: { readonly images: number; readonly metas: number }
  /** Whether anything differs from what is sealed. */
  readonly differs: boolean
}

export async function createContentCheck(storage: Storage, { stamps }: Pick<Listing, 'stamps'>): Promise<ContentCheck> {
  const seal = await getResult<Seal>(storage, SEAL)
  const sums = sumsOf(stamps)
  const changed = new Set<number>()
  for (const bucket of new Set([...Object.keys(sums), ...Object.keys(seal?.sums ?? {})]))
    if (seal?.version !== 1 || seal.sums[bucket] !== sums[bucket]) changed.add(Number(bucket))
  const isSuspect = (path: string) => changed.has(hash(path) % BUCKETS)
  const counts = { images: 0, metas: 0 }
  for (const path of stamps.keys()) {
    if (/^images\d\//.test(path)) counts.images++
    else if (/^meta\d\//.test(path)) counts.metas++
  }
  return {
    isSuspect,
    counts,
    differs: changed.size > 0,
    async images(records) {
      const asSized = records.every(({ filepath, bytes }) => {
        const stamp = stamps.get(filepath)
        return stamp !== undefined && sizeOf(stamp) === bytes
      })
      // Images of a build that never came to its end are not sealed yet: their sizes must do.
      if (!asSized || seal === null) return asSized
      return every(records, async ({ filepath, sha256: wanted }) => {
        if (!isSuspect(filepath)) return true
        const bytes = await storage.get(filepath)
        return bytes !== null && sha256(bytes) === wanted
      })
    },
    async metas(captions, imagesOf) {
      const isThere = captions.every(({ filepath }) => (stamps.get(metaPath(filepath)) ?? 0) >= HASHES)
      if (!isThere || seal === null) return isThere
      const suspects = captions.filter(({ filepath }) => isSuspect(metaPath(filepath)))
      if (suspects.length === 0) return true
      const images = new Map((await imagesOf()).map((image) => [image.id, image]))
      return every(suspects, async ({ id, filepath, centerTags, surroundingTags }) => {
        const image = images.get(id)
        const bytes = await storage.get(metaPath(filepath))
        if (!image || bytes === null) return false
        const { box, time } = image
        return Buffer.from(metaPickle({ box, time, centerTags, surroundingTags })).equals(bytes)
      })
    },
  }
}

/** Notes what the files of a whole dataset are like. */
export async function sealDataset(storage: Storage): Promise<void> {
  const { stamps } = await listStorage(storage)
  await putJson(storage, SEAL, { version: 1, sums: sumsOf(stamps) } satisfies Seal)
}

/** Whether files have the sums that a lock gives them; those that are no suspects need only be there. */
export async function haveSums(
  storage: Storage,
  files: Readonly<Record<string, string>>,
  isSuspect: (path: string) => boolean,
): Promise<boolean> {
  for (const [path, wanted] of Object.entries(files)) {
    if (!(await storage.has(path))) return false
    if (isSuspect(path) && (await sha256OfStream(storage.stream(path))) !== wanted) return false
  }
  return true
}

/** As `getJson`, and null where the value is no JSON, such as a file that a power cut emptied: it can be made again. */
export async function getResult<T>(storage: Storage, key: string): Promise<T | null> {
  try {
    return await getJson<T>(storage, key)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

async function every<T>(items: readonly T[], test: (item: T) => Promise<boolean>): Promise<boolean> {
  for (let at = 0; at < items.length; at += READS)
    if (!(await Promise.all(items.slice(at, at + READS).map(test))).every(Boolean)) return false
  return true
}
