import { metaPickle } from '@skyscript/captioner'
import {
  type CaptionRecord,
  type ImageRecord,
  metaPath,
  type Outcome,
  type Storage,
  sha256,
  sha256OfStream,
} from '@skyscript/core'
import type { PlannedOrigin } from '../origins.ts'
import { readResult } from '../results.ts'
import {
  bucketOf,
  bucketsIn,
  changedBuckets,
  type Listing,
  readSeal,
  readStamps,
  type Seal,
  sizeOf,
} from './listing.ts'
import type { PathTable } from './path-table.ts'

/** Files that are compared at a time. */
const READS = 16

/** Checks that the files which results describe exist and are unchanged, without reading all of them. */
export interface Presence {
  readonly listing: Listing
  /** Of the last build that ended; null without one. */
  readonly seal: Seal | null
  /** Whether any of the dataset's files differs from what is sealed. */
  readonly differs: boolean
  /** Whether a file may have changed since the last build that ended; every file without one. */
  isSuspect(path: string): boolean
  /** Whether files that a sealed result describes are as they were, going by sums: `bucketsText` of their paths. */
  areSealed(buckets: string): boolean
  /** Whether a key below work/ is there. */
  has(key: string): boolean
  /** Whether images are there as their records have them. */
  images(records: readonly ImageRecord[]): Promise<boolean>
  /** Whether metas are there as captions and the images of a result make them. */
  metas(captions: readonly CaptionRecord[], imagesKey: string): Promise<boolean>
  /** Whether images of catalogues are what they were when a map tile was planned. */
  origins(tile: string, planned: readonly PlannedOrigin[]): Promise<boolean>
}

/**
 * Memory: the keys below work/; 24 bytes a file of the dataset where files changed since the last build that ended, or
 * where it didn't end.
 */
export async function createPresence(
  storage: Storage,
  listing: Listing,
  origins: Presence['origins'],
): Promise<Presence> {
  const seal = await readSeal(storage)
  const changed = changedBuckets(seal, listing)
  const differs = changed.includes(1)
  let read: Promise<PathTable> | undefined
  /** Listed once more, and only where sums don't tell enough. */
  const stamps = () => (read ??= readStamps(storage))
  const isSuspect = (path: string) => changed[bucketOf(path)] === 1
  return {
    listing,
    seal,
    differs,
    isSuspect,
    areSealed: (buckets) => seal !== null && !bucketsIn(buckets).some((bucket) => changed[bucket] === 1),
    has: (key) => listing.work.has(key),
    async images(records) {
      const found = await stamps()
      const areSized = records.every(({ filepath, bytes }) => {
        const stamp = found.get(filepath)
        return stamp !== undefined && sizeOf(stamp) === bytes
      })
      // Images of a build that never came to its end are not sealed yet: their sizes must do.
      if (!areSized || seal === null) return areSized
      return every(records, async ({ filepath, sha256: wanted }) => {
        if (!isSuspect(filepath)) return true
        const bytes = await storage.get(filepath)
        return bytes !== null && sha256(bytes) === wanted
      })
    },
    async metas(captions, imagesKey) {
      const found = await stamps()
      const areThere = captions.every(({ filepath }) => sizeOf(found.get(metaPath(filepath)) ?? 0) > 0)
      if (!areThere || seal === null) return areThere
      const suspects = captions.filter(({ filepath }) => isSuspect(metaPath(filepath)))
      if (suspects.length === 0) return true
      const outcome = await readResult<Outcome<ImageRecord>>(storage, imagesKey)
      const images = new Map(outcome?.kept.map((image) => [image.id, image]))
      return every(suspects, async ({ id, filepath, centerTags, surroundingTags }) => {
        const image = images.get(id)
        const bytes = await storage.get(metaPath(filepath))
        if (!image || bytes === null) return false
        const { box, time } = image
        return Buffer.from(metaPickle({ box, time, centerTags, surroundingTags })).equals(bytes)
      })
    },
    origins,
  }
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

async function every<T>(items: readonly T[], test: (item: T) => Promise<boolean>): Promise<boolean> {
  for (let at = 0; at < items.length; at += READS)
    if (!(await Promise.all(items.slice(at, at + READS).map(test))).every(Boolean)) return false
  return true
}
