import {
  type CaptionRecord,
  type Dropped,
  getJson,
  type Outcome,
  putJson,
  type ScoreRecord,
  ServiceError,
} from '@skyscript/core'
import { type Job, resultKey } from '../runner/runner.ts'
import type { RunContext } from './context.ts'

/** Score job: the images and titles of one leaf -> cosine similarity by one scorer. The shard is `<scorer>/<leaf>`. */
export async function scoreJob(job: Job, context: RunContext, signal: AbortSignal): Promise<void> {
  const { storage } = context
  const slash = job.shard.indexOf('/')
  const [name, leaf] = [job.shard.slice(0, slash), job.shard.slice(slash + 1)]
  const captions = await getJson<Outcome<CaptionRecord>>(storage, `work/caption/${leaf}/${job.input}.json`)
  if (captions === null) {
    throw new ServiceError(
      'missing-captions',
      `The captions of ${leaf} are gone from ${storage.url}; run the build again.`,
      { retry: false },
    )
  }
  const pairs: { id: string; image: Uint8Array; caption: string }[] = []
  for (const { id, filepath, title } of captions.kept) {
    const image = await storage.get(filepath)
    if (image === null)
      throw new ServiceError('missing-image', `${filepath} is gone from ${storage.url}; run the build again.`, {
        retry: false,
      })
    pairs.push({ id, image, caption: title })
  }
  const scorer = await context.scorer(name)
  const similarities = await scorer.score(pairs, signal)
  const kept: ScoreRecord[] = []
  const dropped: Dropped[] = []
  for (const [i, similarity] of similarities.entries()) {
    const { id } = pairs[i]!
    if (typeof similarity === 'number') kept.push({ id, similarity })
    else dropped.push({ id, reason: similarity.code })
  }
  await putJson(storage, resultKey(job), { kept, dropped, failed: [] } satisfies Outcome<ScoreRecord>)
}
