/**
 * What is kept of the published dataset while its files change, so that the build that publishes the next one can say what it
 * changed: `work/before/`, from the first change of a file until the next lock is written, whatever stops a build between.
 */
import { type ImageRecord, type Storage, seededFraction } from '@skyscript/core'
import { CHANGES, CHANGES_REPORT, type DatasetLock, idOfImage, LOCK, Lowest, MANIFEST } from '@skyscript/dataset'
import { openPairs, readMembers, type Side, type SideCsv, sideOfLock } from '@skyscript/dataset/diff'
import { setsOf } from '@skyscript/dataset/export'

export const BEFORE_FOLDER = 'work/before/'
/** Written last and removed first: with it, the rest is whole. `null` where there was no dataset. */
const BEFORE_LOCK = `${BEFORE_FOLDER}${LOCK}`
const BEFORE_MANIFEST = `${BEFORE_FOLDER}${MANIFEST}`
/** Sorted codes of the ids in a CSV, as doubles; none of a CSV that is missing or not as its lock says. */
const membersKey = (set: string) => `${BEFORE_FOLDER}sets/${set}.f64`
const IMAGES = `${BEFORE_FOLDER}images/`
const imageKey = (id: string) => `${IMAGES}${id}.jpg`

const RECORD = [CHANGES, CHANGES_REPORT]
const NOTHING = 'null'

/** What there was: its lock's text, null for nothing; undefined if no build has begun to change files. */
export async function lockBefore(storage: Storage): Promise<string | null | undefined> {
  const bytes = await storage.get(BEFORE_LOCK)
  if (bytes === null) return undefined
  const text = Buffer.from(bytes).toString('utf8')
  return text === NOTHING ? null : text
}

/** Keeps what the comparison needs of the published dataset, unless a build that was stopped has already kept it. */
export async function keepDataset(storage: Storage): Promise<void> {
  if (await storage.has(BEFORE_LOCK)) return
  await forgetBefore(storage)
  const lock = await storage.get(LOCK)
  for (const path of RECORD) if (await storage.has(path)) await storage.put(BEFORE_FOLDER + path, storage.stream(path))
  const isKept = lock !== null && (await keepPairs(storage, Buffer.from(lock).toString('utf8')))
  await storage.put(BEFORE_LOCK, isKept ? lock : NOTHING)
}

/** Puts back the record of what the last published build changed. */
export async function restoreRecord(storage: Storage): Promise<void> {
  for (const path of RECORD) {
    const kept = BEFORE_FOLDER + path
    if (await storage.has(kept)) await storage.put(path, storage.stream(kept))
    else await storage.delete(path)
  }
}

/** @returns false if there is no dataset of that lock to compare with: its files are damaged, or of an older format */
async function keepPairs(storage: Storage, text: string): Promise<boolean> {
  const lock = lockOf(text)
  if (lock === null || !(await storage.has(MANIFEST))) return false
  await storage.put(BEFORE_MANIFEST, storage.stream(MANIFEST))
  for (const { name, csv } of setsOf(lock)) {
    if (!(await storage.has(csv))) continue
    const { codes, sha256 } = await readMembers(storage.stream(csv))
    if (sha256 === lock.files[csv]) await storage.put(membersKey(name), new Uint8Array(codes.buffer))
  }
  return true
}

function lockOf(text: string): DatasetLock | null {
  try {
    return sideOfLock(text, LOCK).lock
  } catch {
    return null
  }
}

/**
 * The dataset that was kept, for a comparison; null if its lock can't be read.
 *
 * @throws InputError `file-missing`, `file-changed`, `bad-manifest`
 */
export async function openBefore(storage: Storage, text: string): Promise<Side | null> {
  const lock = lockOf(text)
  if (lock === null) return null
  const csvs = new Map<string, SideCsv>()
  for (const { name, csv } of setsOf(lock)) {
    const members = async () => new Float64Array(Uint8Array.from((await storage.get(membersKey(name)))!).buffer)
    if (await storage.has(membersKey(name))) csvs.set(name, { path: csv, members })
  }
  const name = `${storage.url} before the build`
  return { lock, ...(await openPairs(storage, BEFORE_MANIFEST, csvs, name, lock.files[MANIFEST])) }
}

/** Numbers of images of which a small picture is kept: those that a fetch job replaces, and those that a build removes. */
const KEPT = { replaced: 4, removed: 12 } as const

type Shown = Pick<ImageRecord, 'id' | 'filepath'>

/** Keeps small pictures of some images that a job is about to replace. */
export async function keepReplaced(storage: Storage, images: readonly Shown[], seed: number): Promise<void> {
  const chosen = createSample(seed, KEPT.replaced)
  for (const image of images) chosen.offer(image)
  await keepImages(storage, chosen.images())
}

/** Deletes images, and keeps small pictures of some of them. */
export async function removeImages(storage: Storage, keys: AsyncIterable<string>, seed: number): Promise<void> {
  const chosen = createSample(seed, KEPT.removed)
  for await (const key of keys) {
    const id = idOfImage(key)
    const other = id === null ? key : chosen.offer({ id, filepath: key })?.filepath
    if (other !== undefined) await storage.delete(other)
  }
  await keepImages(storage, chosen.images())
  for (const { filepath } of chosen.images()) await storage.delete(filepath)
}

/** Some of many images, by seeded chance. */
function createSample(seed: number, size: number) {
  const lowest = new Lowest<{ readonly rank: number; readonly image: Shown }>(
    size,
    (a, b) => a.rank < b.rank || (a.rank === b.rank && a.image.filepath < b.image.filepath),
  )
  return {
    /** @returns the image that is not among them, this one or an earlier one; undefined if all are */
    offer: (image: Shown): Shown | undefined =>
      lowest.offer({ rank: seededFraction(seed, 'image-before', image.id), image })?.image,
    images: () => lowest.items.map(({ image }) => image),
  }
}

/** Of an object's images the first one is kept: a later one was never published. */
async function keepImages(storage: Storage, images: readonly Shown[]): Promise<void> {
  if (images.length === 0 || !(await lockBefore(storage))) return
  const { thumbnail } = await import('@skyscript/dataset/report')
  for (const { id, filepath } of images) {
    const picture = await thumbnail(storage, filepath)
    if (picture !== null) await storage.putIfAbsent(imageKey(id), picture)
  }
}

/** Ids of the objects whose picture was kept. */
export async function keptImages(storage: Storage): Promise<Set<string>> {
  const ids = new Set<string>()
  for await (const { key } of storage.list(IMAGES)) ids.add(key.slice(IMAGES.length, -'.jpg'.length))
  return ids
}

export const keptImage = (storage: Storage, id: string): Promise<Uint8Array | null> => storage.get(imageKey(id))

export async function forgetBefore(storage: Storage): Promise<void> {
  await storage.delete(BEFORE_LOCK)
  for await (const { key } of storage.list(BEFORE_FOLDER)) await storage.delete(key)
}
