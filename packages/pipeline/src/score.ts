import {
  type CaptionRecord,
  type Dropped,
  getJson,
  type Outcome,
  putJson,
  type ScoreRecord,
  ServiceError,
  type Storage,
  sha256,
} from '@skyscript/core'
import { getResult } from './content-check.ts'
import type { RunContext } from './context.ts'
import { overlapping } from './leaves.ts'
import { type Job, resultKey } from './runner/runner.ts'

/** Result of a score job. */
export interface ScoreOutcome extends Outcome<ScoreRecord> {
  /** Fingerprints of the scorers, in the order of the similarities. */
  readonly scorers: readonly string[]
}

interface Pair {
  readonly id: string
  readonly image: Uint8Array
  readonly caption: string
  /** Of image and caption. */
  readonly key: string
}

/** What is known of a pair: similarities, or why there is none, by the scorers' fingerprints. */
interface Scored {
  phash: string | null
  readonly results: Map<string, number | string>
}

/**
 * Score job: the images and titles of one leaf -> cosine similarities by all scorers, and what each image looks like.
 * What earlier results say of a pair is taken over, so that a scorer that is added, or an object that changed, costs no
 * more than itself.
 */
export async function scoreJob(job: Job, context: RunContext, signal: AbortSignal): Promise<void> {
  const { storage } = context
  const pairs = await pairsOf(job, storage)
  const scoring = await context.scoring()
  const scored = await earlierScores(job, storage)
  const missing = ({ key }: Pair) =>
    scoring.scorers.filter(({ fingerprint }) => !scored.get(key)?.results.has(fingerprint)).map(({ name }) => name)
  for (const [names, some] of Map.groupBy(pairs, (pair) => missing(pair).join())) {
    if (names === '') continue
    const asked = scoring.scorers.filter(({ name }) => names.split(',').includes(name))
    const scores = await scoring.score(some, signal, names.split(','))
    for (const [i, { similarities, phash }] of scores.entries()) {
      const known = scored.get(some[i]!.key) ?? { phash, results: new Map() }
      for (const [j, result] of similarities.entries())
        known.results.set(asked[j]!.fingerprint, typeof result === 'number' ? result : result.code)
      scored.set(some[i]!.key, known)
    }
  }
  const kept: ScoreRecord[] = []
  const dropped: Dropped[] = []
  const scorers = scoring.scorers.map(({ fingerprint }) => fingerprint)
  for (const { id, key } of pairs) {
    const { results, phash } = scored.get(key)!
    const similarities = scorers.map((scorer) => results.get(scorer)!)
    const reason = similarities.find((result) => typeof result === 'string')
    if (reason !== undefined) dropped.push({ id, reason })
    else kept.push({ id, similarities: similarities as number[], phash: phash!, pair: key })
  }
  await putJson(storage, resultKey(job), { kept, dropped, failed: [], scorers } satisfies ScoreOutcome)
}

async function pairsOf(job: Job, storage: Storage): Promise<Pair[]> {
  const captions = await getJson<Outcome<CaptionRecord>>(storage, `work/caption/${job.shard}/${job.input}.json`)
  if (captions === null) {
    throw new ServiceError(
      'missing-captions',
      `The captions of ${job.shard} are gone from ${storage.url}; run the build again.`,
      { retry: false },
    )
  }
  const pairs: Pair[] = []
  for (const { id, filepath, title } of captions.kept) {
    const image = await storage.get(filepath)
    if (image === null)
      throw new ServiceError('missing-image', `${filepath} is gone from ${storage.url}; run the build again.`, {
        retry: false,
      })
    pairs.push({ id, image, caption: title, key: sha256(`${sha256(image)}\n${title}`).slice(0, 32) })
  }
  return pairs
}

/** What results for this ground say of pairs, of older settings or captions. Another version's may lack anything. */
async function earlierScores(job: Job, storage: Storage): Promise<Map<string, Scored>> {
  const known = new Map<string, Scored>()
  for (const key of await overlapping(storage, 'work/score', job.shard)) {
    const outcome = await getResult<Partial<ScoreOutcome>>(storage, key)
    for (const { pair, phash, similarities } of outcome?.kept ?? []) {
      if (pair === undefined || outcome?.scorers === undefined) continue
      const scored = known.get(pair) ?? { phash, results: new Map() }
      for (const [i, scorer] of outcome.scorers.entries()) scored.results.set(scorer, similarities[i]!)
      known.set(pair, scored)
    }
  }
  return known
}
