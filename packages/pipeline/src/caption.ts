import { metaPickle } from '@skyscript/captioner'
import {
  type CaptionRecord,
  type Dropped,
  getJson,
  type ImageRecord,
  mapTilesOf,
  metaPath,
  type OsmObject,
  type Outcome,
  putJson,
  ServiceError,
} from '@skyscript/core'
import type { RunContext } from './context.ts'
import { leavesOverlap } from './leaves.ts'
import { type Job, resultKey } from './runner/runner.ts'

/** Caption job: the images of one leaf and the objects around each -> captions, and a meta pickle in meta{N}/. */
export async function captionJob(job: Job, context: RunContext): Promise<void> {
  const { storage, captioner } = context
  const images = await getJson<Outcome<ImageRecord>>(storage, `work/fetch/${job.shard}/${job.input}.json`)
  if (images === null) {
    throw new ServiceError(
      'missing-images',
      `The image records of ${job.shard} are gone from ${storage.url}; run the build again.`,
      { retry: false },
    )
  }
  await removeOthers(job, context)
  const kept: CaptionRecord[] = []
  const dropped: Dropped[] = []
  for (const image of images.kept) {
    const { focus, around } = await objectsAt(image, context)
    const caption = captioner.captionImage(image, focus, around)
    if ('reason' in caption) {
      dropped.push({ id: image.id, reason: caption.reason })
      continue
    }
    const { box, time } = image
    const { centerTags, surroundingTags } = caption
    await storage.put(metaPath(image.filepath), metaPickle({ box, time, centerTags, surroundingTags }))
    kept.push(caption)
  }
  await putJson(storage, resultKey(job), { kept, dropped, failed: [] } satisfies Outcome<CaptionRecord>)
}

/** An image may reach over the edge of its map tile: objects of all tiles that it touches, each once. */
async function objectsAt(image: ImageRecord, context: RunContext): Promise<{ focus: OsmObject; around: OsmObject[] }> {
  const objects = new Map<string, OsmObject>()
  for (const name of mapTilesOf(image.box)) {
    const tile = await context.tile(name)
    for (const object of tile.search(image.box)) objects.set(object.id, object)
  }
  const focus = objects.get(image.id)
  if (!focus)
    throw new TypeError(`${image.filepath} does not show its own object; this is a fault in the box of the image.`)
  objects.delete(image.id)
  return { focus, around: [...objects.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) }
}

/** Results that describe metas which this job is about to replace must not pass for done later. */
async function removeOthers(job: Job, { storage }: RunContext): Promise<void> {
  const [tile, leaf] = job.shard.split('/') as [string, string]
  for await (const { key } of storage.list(`work/caption/${tile}/`)) {
    if (key !== resultKey(job) && leavesOverlap(key.split('/')[3]!, leaf)) await storage.delete(key)
  }
}
