import {
  getJson,
  type ImageRecord,
  type Outcome,
  type PlannedImage,
  putJson,
  ServiceError,
  type Storage,
} from '@skyscript/core'
import { fetchImages } from '@skyscript/gee-fetch'
import { type Job, resultKey } from '../runner/runner.ts'
import type { RunContext } from './context.ts'
import { leavesOverlap } from './leaves.ts'
import { requestsKey } from './run.ts'

/** Images that an unfinished or superseded job left, by leaf; only ever a hint, checked by hash before it is used. */
const reuseKey = (leaf: string): string => `work/reuse/${leaf}.json`

/**
 * Fetch job: the planned images of one leaf -> JPEGs in images{N}/ and a record of each.
 *
 * Image files are named by object, source and year, not by fingerprint, so a result of other settings may describe a
 * file that this job is about to replace. Such results are retired first: a result that is there always describes the
 * files as they are.
 */
export async function fetchJob(job: Job, context: RunContext, signal: AbortSignal): Promise<void> {
  const { storage, run } = context
  const planned = await getJson<PlannedImage[]>(storage, requestsKey(job.shard, job.input))
  if (planned === null) {
    throw new ServiceError(
      'missing-plan',
      `The plan of ${job.shard} is gone from ${storage.url}; run the build again.`,
      { retry: false },
    )
  }
  await retireOthers(storage, job)
  const previous = await previousImages(storage, job)
  const outcome = await fetchImages(planned, {
    ee: await context.earthEngine(),
    storage,
    seed: run.config.seed,
    previous,
    tile: run.config.imagery.earthEngine.grouping ? job.shard.split('/')[0]! : null,
    signal,
  })
  await putJson(storage, resultKey(job), outcome)
}

/** Keys of results or hints for leaves that share ground with this one. */
async function overlapping(storage: Storage, folder: string, shard: string): Promise<string[]> {
  const [tile, leaf] = shard.split('/') as [string, string]
  const keys: string[] = []
  for (let length = 1; length <= leaf.length; length++) {
    // The whole name is a prefix of its children's names too; a shorter one is matched exactly.
    const prefix = `${folder}/${tile}/${leaf.slice(0, length)}`
    for (const end of length === leaf.length ? [''] : ['/', '.']) {
      for await (const { key } of storage.list(prefix + end)) keys.push(key)
    }
  }
  return keys
}

async function retireOthers(storage: Storage, job: Job): Promise<void> {
  for (const key of await overlapping(storage, 'work/fetch', job.shard)) {
    const [, , tile, leaf] = key.split('/')
    if (key === resultKey(job) || !leavesOverlap(leaf!, job.shard.split('/')[1]!)) continue
    const outcome = await getJson<Outcome<ImageRecord>>(storage, key)
    if (outcome === null) continue
    const hint = reuseKey(`${tile}/${leaf}`)
    const known = (await getJson<ImageRecord[]>(storage, hint)) ?? []
    const merged = new Map([...known, ...outcome.kept].map((record) => [record.id, record]))
    await putJson(storage, hint, [...merged.values()])
    await storage.delete(key)
  }
}

async function previousImages(storage: Storage, job: Job): Promise<Map<string, ImageRecord>> {
  const previous = new Map<string, ImageRecord>()
  for (const key of await overlapping(storage, 'work/reuse', job.shard)) {
    for (const record of (await getJson<ImageRecord[]>(storage, key)) ?? []) previous.set(record.id, record)
  }
  const own = await getJson<Outcome<ImageRecord>>(storage, resultKey(job))
  for (const record of own?.kept ?? []) previous.set(record.id, record)
  return previous
}
