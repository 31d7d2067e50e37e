import { metaPickle } from '@skyscript/captioner'
import {
  breather,
  type CaptionRecord,
  type Dropped,
  fingerprint,
  type ImageRecord,
  mapTilesOf,
  metaPath,
  type OsmObject,
  type Outcome,
} from '@skyscript/core'
import pMap from 'p-map'
import type { RunContext } from '../context.ts'
import { leafOf, overlapping } from '../leaves.ts'
import { inputWithHead, readResult, resultKey } from '../results.ts'
import type { Job } from '../runner/job.ts'
import { countsOf, type Head, type Stage } from '../stage.ts'
import { contentDigest, type IndexedTile } from '../tiles.ts'
import type { FetchHead } from './fetch.ts'

export interface CaptionHead extends Head {
  /** Of ids and titles, which is all that scores depend on. */
  readonly titles: string
  /** Digest of the images that are captioned. */
  readonly images: string
}

/** What decides captions: where all of it is as it was, they are too. */
interface Deciding {
  /** Digest of the images that are captioned. */
  readonly images: string
  /** Digest of the objects that they may name. */
  readonly around: string
  readonly captioner: string
}

interface CaptionResult extends Outcome<CaptionRecord>, Deciding {}

/** Metas that are written at a time: enough to hide the latency of a disk or a bucket. */
const WRITES = 16

/** The images of one leaf and the objects around each -> captions, and a meta pickle in meta{N}/. */
export const caption: Stage<FetchHead, CaptionResult, CaptionHead> = {
  name: 'caption',
  after: 'fetch',
  unit: 'images',
  version: 5,
  concurrency: { embedded: 1, worker: 2 },
  publishes: true,

  decides(_leaf, { digest, tiles }, { index, captioner }) {
    const around = tiles.map((tile) => [tile, index.tiles[tile]?.sha256 ?? null])
    return [digest, around, captioner.fingerprint]
  },

  async run(job, context) {
    const { storage, captioner } = context
    const { head, result: images } = await inputWithHead<FetchHead, Outcome<ImageRecord>>(storage, fetchKey(job))
    const scenes = await scenesOf(images.kept, context)
    const around = digestOf(scenes)
    const deciding: Deciding = { images: head.digest, around, captioner: captioner.fingerprint }
    const earlier = await takeEarlier(job, context)
    // Most leaves of a map tile have nothing to do with what changed in it.
    const same = earlier.find((result): result is CaptionResult => isSame(result, deciding))
    const { kept, dropped } = same ?? (await captionAll(scenes, captioner))
    await storeMetas(kept, images.kept, earlier.length > 0, context)
    return { kept, dropped, failed: [], ...deciding }
  },

  head: (outcome) => ({
    ...countsOf(outcome),
    digest: fingerprint(outcome.kept),
    titles: fingerprint(outcome.kept.map(({ id, title }) => [id, title])),
    images: outcome.images,
  }),

  async stands({ job, isSealed, result }, { buckets }, presence) {
    if (isSealed && presence.areSealed(buckets)) return true
    return presence.metas((await result()).kept, fetchKey(job))
  },
}

const fetchKey = ({ shard, input }: Job) => resultKey({ stage: 'fetch', shard, fingerprint: input })

/** An image, its object, and the others that it may name, each once. */
interface Scene {
  readonly image: ImageRecord
  readonly focus: OsmObject
  readonly around: readonly OsmObject[]
}

async function scenesOf(images: readonly ImageRecord[], context: RunContext): Promise<Scene[]> {
  const tiles = new Map<string, IndexedTile>()
  for (const { box } of images)
    for (const name of mapTilesOf(box)) if (!tiles.has(name)) tiles.set(name, await context.tile(name))
  const breathe = breather()
  const scenes: Scene[] = []
  for (const image of images) {
    await breathe()
    scenes.push({ image, ...objectsAt(image, (name) => tiles.get(name)!) })
  }
  return scenes
}

function digestOf(scenes: readonly Scene[]): string {
  const objects = new Set(scenes.flatMap(({ focus, around }) => [focus, ...around]))
  // An object near the edge of a map tile is read with each tile that it touches.
  return fingerprint([...new Set([...objects].map(contentDigest))].sort())
}

const isSame = (result: Partial<CaptionResult>, { images, around, captioner }: Deciding): result is CaptionResult =>
  result.images === images && result.around === around && result.captioner === captioner

async function captionAll(
  scenes: readonly Scene[],
  captioner: RunContext['captioner'],
): Promise<Pick<CaptionResult, 'kept' | 'dropped'>> {
  const kept: CaptionRecord[] = []
  const dropped: Dropped[] = []
  const breathe = breather()
  for (const { image, focus, around } of scenes) {
    await breathe()
    const caption = captioner.captionImage(image, focus, around)
    if ('reason' in caption) dropped.push({ id: image.id, reason: caption.reason })
    else kept.push(caption)
  }
  return { kept, dropped }
}

/** @param hasEarlier whether there may be metas: most are as they were, and a read costs much less than a write */
async function storeMetas(
  captions: readonly CaptionRecord[],
  images: readonly ImageRecord[],
  hasEarlier: boolean,
  { storage }: RunContext,
): Promise<void> {
  const imageOf = new Map(images.map((image) => [image.id, image]))
  const store = async ({ id, filepath, centerTags, surroundingTags }: CaptionRecord) => {
    const { box, time } = imageOf.get(id)!
    const bytes = metaPickle({ box, time, centerTags, surroundingTags })
    const path = metaPath(filepath)
    const before = hasEarlier ? await storage.get(path) : null
    if (before === null || !Buffer.from(before.buffer, before.byteOffset, before.length).equals(bytes))
      await storage.put(path, bytes)
  }
  await pMap(captions, store, { concurrency: WRITES })
}

/** An image may cross the edge of its tile. */
function objectsAt(
  { id, filepath, box, gsd }: ImageRecord,
  tileAt: (name: string) => IndexedTile,
): Omit<Scene, 'image'> {
  const [first, ...others] = mapTilesOf(box).map(tileAt)
  const focus = first!.get(id) ?? others.find((tile) => tile.get(id))?.get(id)
  if (!focus) throw new TypeError(`${filepath} does not show its own object; this is a fault in the box of the image.`)
  const found = first!.search(box, gsd)
  if (others.length === 0) return { focus, around: found }
  const objects = new Map(found.map((object) => [object.id, object]))
  for (const tile of others) for (const object of tile.search(box, gsd)) objects.set(object.id, object)
  return { focus, around: [...objects.values()] }
}

/**
 * Reads the stored results for the ground of a leaf, and removes all but the job's own: they describe metas which it is about
 * to replace, and must not pass for done later.
 *
 * @returns one for each: there may be metas unless it is empty. Results of other leaves are returned without their contents,
 * and those of older versions may lack fields
 */
async function takeEarlier(job: Job, { storage }: RunContext): Promise<Partial<CaptionResult>[]> {
  const results: Partial<CaptionResult>[] = []
  for (const key of await overlapping(storage, 'work/caption', job.shard)) {
    const isOfLeaf = leafOf(key) === job.shard.split('/')[1]
    results.push((isOfLeaf && (await readResult<CaptionResult>(storage, key))) || {})
    if (key !== resultKey(job)) await storage.delete(key)
  }
  return results
}
