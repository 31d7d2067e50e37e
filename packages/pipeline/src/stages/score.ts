import {
  type CaptionRecord,
  type Config,
  type Dropped,
  fingerprint,
  type Outcome,
  type ScoreRecord,
  ServiceError,
  type Storage,
  sha256,
} from '@skyscript/core'
import { quantise, textOf } from '@skyscript/filter'
import { overlapping } from '../leaves.ts'
import { inputOf, readResult, resultKey } from '../results.ts'
import type { Job } from '../runner/job.ts'
import { countsOf, type Head, type Stage } from '../stage.ts'
import type { CaptionHead } from './caption.ts'

interface ScoreResult extends Outcome<ScoreRecord> {
  /** Fingerprints of the scorers, in the order of the similarities. */
  readonly scorers: readonly string[]
  /** Fingerprint of the scorer whose embeddings the records have, if any. */
  readonly embedded?: string
}

/** Name of the scorer whose image embeddings are kept; null for none. */
export const embeddedBy = ({
  semanticDuplicates: similar,
  scorers,
}: {
  readonly semanticDuplicates?: Config['filter']['semanticDuplicates']
  readonly scorers: readonly { readonly name: string }[]
}): string | null => (similar === undefined ? null : (similar.scorer ?? scorers[0]!.name))

/**
 * The images and titles of one leaf -> cosine similarities by all scorers, and what each image looks like. What earlier
 * results say of a pair is taken over, so that a scorer that is added, or an object that changed, costs no more than
 * itself.
 */
export const score: Stage<CaptionHead, ScoreResult, Head> = {
  name: 'score',
  after: 'caption',
  unit: 'pairs',
  version: 2,
  // A job keeps all cores busy: the model's threads are its own.
  concurrency: { embedded: 1, worker: 2 },
  publishes: false,

  decides(_leaf, { images, titles }, { scorers, run }) {
    const embedded = embeddedBy(run.config.filter)
    const models = scorers.map(({ name, fingerprint: model }) => [name, model])
    return [images, titles, models, ...(embedded === null ? [] : [{ embedded }])]
  },

  async preflight(context, isEmbedded) {
    if (isEmbedded) await context.checkScorers()
  },

  async run(job, context, signal) {
    const { storage } = context
    const pairs = await pairsOf(job, storage)
    const scoring = await context.scoring()
    const scored = await earlierScores(job, storage)
    const embedder = embeddedBy(context.run.config.filter)
    const embedded = scoring.scorers.find(({ name }) => name === embedder)?.fingerprint
    const isKnown = (model: string, known: Scored | undefined) =>
      known?.results.has(model) &&
      (model !== embedded || typeof known.results.get(model) === 'string' || known.embeddings.has(model))
    const missing = ({ key }: Pair) =>
      scoring.scorers.filter(({ fingerprint }) => !isKnown(fingerprint, scored.get(key))).map(({ name }) => name)
    for (const [names, some] of Map.groupBy(pairs, (pair) => missing(pair).join())) {
      if (names === '') continue
      const asked = scoring.scorers.filter(({ name }) => names.split(',').includes(name))
      const scores = await scoring.score(some, signal, names.split(','))
      for (const [i, { similarities, embeddings, phash }] of scores.entries()) {
        const known = scored.get(some[i]!.key) ?? { phash, results: new Map(), embeddings: new Map() }
        for (const [j, result] of similarities.entries()) {
          const model = asked[j]!.fingerprint
          const embedding = embeddings[j]!
          known.results.set(model, typeof result === 'number' ? result : result.code)
          if (model === embedded && embedding instanceof Float32Array)
            known.embeddings.set(model, textOf(quantise(embedding)))
        }
        scored.set(some[i]!.key, known)
      }
    }
    const kept: ScoreRecord[] = []
    const dropped: Dropped[] = []
    const scorers = scoring.scorers.map(({ fingerprint }) => fingerprint)
    for (const { id, key } of pairs) {
      const { results, embeddings, phash } = scored.get(key)!
      const similarities = scorers.map((scorer) => results.get(scorer)!)
      const reason = similarities.find((result) => typeof result === 'string')
      if (reason !== undefined) dropped.push({ id, reason })
      else
        kept.push({
          ...{ id, similarities: similarities as number[], phash: phash!, pair: key },
          ...(embedded !== undefined && { embedding: embeddings.get(embedded)! }),
        })
    }
    return { kept, dropped, failed: [], scorers, ...(embedded !== undefined && { embedded }) }
  },

  head: (outcome) => ({ ...countsOf(outcome), digest: fingerprint(outcome.kept) }),
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
  /** By the scorers' fingerprints. */
  readonly embeddings: Map<string, string>
}

async function pairsOf({ shard, input }: Job, storage: Storage): Promise<Pair[]> {
  const key = resultKey({ stage: 'caption', shard, fingerprint: input })
  const captions = await inputOf<Outcome<CaptionRecord>>(storage, key)
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
    const outcome = await readResult<Partial<ScoreResult>>(storage, key)
    for (const { pair, phash, similarities, embedding } of outcome?.kept ?? []) {
      if (pair === undefined || outcome?.scorers === undefined) continue
      const scored = known.get(pair) ?? { phash, results: new Map(), embeddings: new Map() }
      for (const [i, scorer] of outcome.scorers.entries()) scored.results.set(scorer, similarities[i]!)
      if (outcome.embedded !== undefined && embedding !== undefined) scored.embeddings.set(outcome.embedded, embedding)
      known.set(pair, scored)
    }
  }
  return known
}
