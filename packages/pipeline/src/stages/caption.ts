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
import { overlapping } from '../leaves.ts'
import { inputWithHead, resultKey } from '../results.ts'
import type { Job } from '../runner/job.ts'
import { countsOf, type Head, type Stage } from '../stage.ts'
import type { IndexedTile } from '../tiles.ts'
import type { FetchHead } from './fetch.ts'

export interface CaptionHead extends Head {
  /** Of ids and titles, which is all that scores depend on. */
  readonly titles: string
  /** Digest of the images that are captioned. */
  readonly images: string
}

interface CaptionResult extends Outcome<CaptionRecord> {
  /** Digest of the images that are captioned. */
  readonly images: string
}

/** Metas that are written at a time: enough to hide the latency of a disk or a bucket. */
const WRITES = 16

/** The images of one leaf and the objects around each -> captions, and a meta pickle in meta{N}/. */
export const caption: Stage<FetchHead, CaptionResult, CaptionHead> = {
  name: 'caption',
  after: 'fetch',
  unit: 'images',
  version: 4,
  concurrency: { embedded: 1, worker: 2 },
  publishes: true,

  decides(_leaf, { digest, tiles }, { index, captioner }) {
    const around = tiles.map((tile) => [tile, index.tiles[tile]?.sha256 ?? null])
    return [digest, around, captioner.fingerprint]
  },

  async run(job, context) {
    const { storage, captioner } = context
    const { head, result: images } = await inputWithHead<FetchHead, Outcome<ImageRecord>>(storage, fetchKey(job))
    const hasEarlier = await removeOthers(job, context)
    const kept: CaptionRecord[] = []
    const dropped: Dropped[] = []
    const metas: { readonly path: string; readonly bytes: Uint8Array }[] = []
    const breathe = breather()
    const tileAt = await tilesOf(images.kept, context)
    for (const image of images.kept) {
      await breathe()
      const { focus, around } = objectsAt(image, tileAt)
      const caption = captioner.captionImage(image, focus, around)
      if ('reason' in caption) {
        dropped.push({ id: image.id, reason: caption.reason })
        continue
      }
      const { box, time } = image
      const { centerTags, surroundingTags } = caption
      const bytes = metaPickle({ box, time, centerTags, surroundingTags })
      metas.push({ path: metaPath(image.filepath), bytes })
      kept.push(caption)
    }
    const store = async ({ path, bytes }: (typeof metas)[number]) => {
      // After a change of the map most metas are as they were, and a read costs much less than a write.
      const before = hasEarlier ? await storage.get(path) : null
      if (before === null || !Buffer.from(before.buffer, before.byteOffset, before.length).equals(bytes))
        await storage.put(path, bytes)
    }
    await pMap(metas, store, { concurrency: WRITES })
    return { kept, dropped, failed: [], images: head.digest }
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

/** The map tiles that images touch, each opened once. */
async function tilesOf(images: readonly ImageRecord[], context: RunContext): Promise<(name: string) => IndexedTile> {
  const tiles = new Map<string, IndexedTile>()
  for (const { box } of images)
    for (const name of mapTilesOf(box)) if (!tiles.has(name)) tiles.set(name, await context.tile(name))
  return (name) => tiles.get(name)!
}

/** An image's object, and the others that it may name, each once: an image may cross the edge of its tile. */
function objectsAt(
  { id, filepath, box, gsd }: ImageRecord,
  tileAt: (name: string) => IndexedTile,
): { focus: OsmObject; around: readonly OsmObject[] } {
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
 * Results that describe metas which this job is about to replace must not pass for done later.
 *
 * @returns whether there are results for this ground, and so metas
 */
async function removeOthers(job: Job, { storage }: RunContext): Promise<boolean> {
  const keys = await overlapping(storage, 'work/caption', job.shard)
  for (const key of keys) if (key !== resultKey(job)) await storage.delete(key)
  return keys.length > 0
}
