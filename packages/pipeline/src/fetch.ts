import { getJson, type ImageRecord, type PlannedImage, putJson, ServiceError, type Storage } from '@skyscript/core'
import { type EarlierImages, type FetchOutcome, fetchImages, type ImageFinding } from '@skyscript/gee-fetch'
import { getResult } from './content-check.ts'
import type { RunContext } from './context.ts'
import { leavesOverlap, overlapping } from './leaves.ts'
import { requestsKey } from './run.ts'
import { type Job, resultKey } from './runner/runner.ts'

/**
 * What superseded jobs of a leaf left; only ever a hint: files are checked by hash before they are used, and what another
 * version of this code wrote may lack either.
 */
interface Leftovers {
  readonly images?: readonly ImageRecord[]
  readonly findings?: readonly ImageFinding[]
}

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
  const outcome = await fetchImages(planned, {
    imagery: context.imagery,
    sources: context.sources,
    checks: run.config.imagery.checks,
    storage,
    seed: run.config.seed,
    earlier: await earlierImages(storage, job),
    tile: run.config.imagery.earthEngine.grouping ? job.shard.split('/')[0]! : null,
    signal,
  })
  await putJson(storage, resultKey(job), outcome)
}

async function retireOthers(storage: Storage, job: Job): Promise<void> {
  for (const key of await overlapping(storage, 'work/fetch', job.shard)) {
    const [, , tile, leaf] = key.split('/')
    if (key === resultKey(job) || !leavesOverlap(leaf!, job.shard.split('/')[1]!)) continue
    const outcome = await getResult<Partial<FetchOutcome>>(storage, key)
    if (outcome === null) continue
    const hint = reuseKey(`${tile}/${leaf}`)
    const known = await getResult<Leftovers>(storage, hint)
    const images = new Map([...(known?.images ?? []), ...(outcome.kept ?? [])].map((record) => [record.id, record]))
    const findings = new Map(
      [...(known?.findings ?? []), ...(outcome.findings ?? [])].map((each) => [each.request, each]),
    )
    await putJson(storage, hint, { images: [...images.values()], findings: [...findings.values()] } satisfies Leftovers)
    await storage.delete(key)
  }
}

/** What earlier jobs know of the ground of this one, of older settings or unfinished. */
export async function earlierImages(storage: Storage, job: Job): Promise<EarlierImages> {
  const records = new Map<string, ImageRecord>()
  const findings = new Map<string, ImageFinding>()
  const take = (images: readonly ImageRecord[] = [], found: readonly ImageFinding[] = []) => {
    for (const record of images) records.set(record.id, record)
    for (const each of found) findings.set(each.request, each)
  }
  for (const key of await overlapping(storage, 'work/reuse', job.shard)) {
    const left = await getResult<Leftovers>(storage, key)
    if (left !== null) take(left.images, left.findings)
  }
  for (const key of await overlapping(storage, 'work/fetch', job.shard)) {
    const outcome = await getResult<Partial<FetchOutcome>>(storage, key)
    if (outcome !== null) take(outcome.kept, outcome.findings)
  }
  return { records, findings }
}
