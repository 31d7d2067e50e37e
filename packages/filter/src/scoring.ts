import { canonicalJson, DataFault, sha256 } from '@skyscript/core'
import { LRUCache } from 'lru-cache'
import pMap from 'p-map'
import { PREPROCESSING_VERSION } from './clip/preprocess.ts'
import type { Preprocessing } from './clip/preprocessor-config.ts'
import type { Embedder } from './embedder.ts'
import type { ModelIdentity } from './model/model-identity.ts'
import { borrowThread } from './threads/borrow-thread.ts'
import type { PixelsAnswer, PixelsQuestion } from './threads/pixels-thread.ts'

/** An image's bytes (JPEG or PNG) and the caption to compare it with. */
export interface ScorePair {
  readonly image: Uint8Array
  readonly caption: string
}

/** Cached caption embeddings; captions repeat throughout a dataset. 50 MB for ViT-L/14. */
const CAPTIONS_AT_HAND = 16_384
/** Batches preprocessed ahead while the models compute: enough to hide decoding; 20 MB per batch of 32 images. */
const AHEAD = 2

/** The scores of one pair by all requested scorers. */
export interface PairScores {
  /** In the order of the requested scorers: cosines in [-1, 1] as 32-bit floats, or why there is none. */
  readonly similarities: readonly (number | DataFault)[]
  /** The image's perceptual hash, 16 hex digits; null if it can't be read. See `perceptualHash`. */
  readonly phash: string | null
}

export interface NamedEmbedder {
  readonly name: string
  readonly embedder: Embedder
}

/** Several scorers over the same pairs: each image is decoded once. */
export interface Scoring {
  readonly scorers: readonly ScorerIdentity[]
  /**
   * @param asked names of the scorers; default: all
   * @throws the signal's reason once it is aborted
   */
  score(pairs: readonly ScorePair[], signal?: AbortSignal, asked?: readonly string[]): Promise<PairScores[]>
  /** Ends the threads and frees the models; calls in progress fail. */
  close(): Promise<void>
}

/** What identifies a scorer, without its model. */
export interface ScorerIdentity {
  /** Suffix of column and file names: `similarity_CLIP_<name>`. */
  readonly name: string
  /** A fingerprint of everything that decides a score: the model's files, the preprocessing, the inference engine. */
  readonly fingerprint: string
  readonly model: ModelIdentity
}

/** @param model fingerprint of the embedder */
export const scorerFingerprint = (preprocessing: Preprocessing, model: string): string =>
  sha256(canonicalJson([PREPROCESSING_VERSION, preprocessing, model]))

/**
 * Scores pairs with several models. One thread decodes the next images and makes samples of them while the models compute
 * on the previous ones; models with the same preprocessing share samples. Caption embeddings are cached.
 */
export function createScoring(scorers: readonly NamedEmbedder[]): Scoring {
  const pixels = borrowThread(new URL('./threads/pixels-thread.ts', import.meta.url))
  const places = preparations(scorers)
  const captionsOf = new Map(scorers.map(({ name, embedder }) => [name, captionEmbedder(embedder)]))

  /** The images' embeddings by each embedder, or why there are none, and the images' hashes. */
  const embedImages = async (
    images: readonly Uint8Array[],
    asked: readonly NamedEmbedder[],
    signal: AbortSignal | undefined,
  ) => {
    const preprocessings = [...new Set(asked.map(({ name }) => places.get(name)!))]
    const results: { embeddings: (Float32Array | DataFault)[]; phash: string | null }[] = []
    const prepared: Promise<PixelsAnswer>[] = []
    let next = 0
    const prepare = () => {
      while (next < images.length && prepared.length < AHEAD) {
        const batch = Math.max(...asked.map(({ embedder }) => embedder.batch))
        const busy = asked.some(({ embedder }) => embedder.usesCores)
        const question: PixelsQuestion = { images: images.slice(next, next + batch), preprocessings, alone: !busy }
        const answer = pixels.ask<PixelsAnswer>('pixels', question)
        // Awaited later; this keeps an earlier failure from being an unhandled rejection.
        answer.catch(() => undefined)
        prepared.push(answer)
        next += batch
      }
    }
    for (prepare(); prepared.length > 0; ) {
      const { samples, faults, hashes } = await prepared.shift()!
      signal?.throwIfAborted()
      prepare()
      const columns: Float32Array[][] = []
      for (const { name, embedder } of asked) {
        const own = samples[preprocessings.indexOf(places.get(name)!)]!
        columns.push(own.length > 0 ? await embedder.embedImages(own) : [])
        signal?.throwIfAborted()
      }
      let good = 0
      for (const [i, fault] of faults.entries()) {
        const embeddings =
          fault === null
            ? columns.map((column) => column[good]!)
            : asked.map(() => new DataFault('unreadable-image', fault))
        if (fault === null) good++
        results.push({ embeddings, phash: hashes[i]! })
      }
    }
    return results
  }

  return {
    scorers: scorers.map(({ name, embedder }) => ({
      name,
      fingerprint: scorerFingerprint(embedder.preprocessing, embedder.fingerprint),
      model: embedder.model,
    })),
    async score(pairs, signal, asked = scorers.map(({ name }) => name)) {
      signal?.throwIfAborted()
      const chosen = asked.map((name) => scorers.find((each) => each.name === name)!)
      const images = await embedImages(
        pairs.map((pair) => pair.image),
        chosen,
        signal,
      )
      const atOnce = Math.max(...chosen.map(({ embedder }) => embedder.captionsAtOnce))
      const scored = async ({ caption }: ScorePair, i: number): Promise<PairScores> => {
        const { embeddings, phash } = images[i]!
        const similarities: (number | DataFault)[] = []
        for (const [place, { name }] of chosen.entries())
          similarities.push(await similarity(embeddings[place]!, caption, captionsOf.get(name)!))
        return { similarities, phash }
      }
      return pMap(pairs, scored, { concurrency: atOnce, signal })
    },
    async close() {
      await Promise.all([pixels.close(), ...scorers.map(({ embedder }) => embedder.close())])
    },
  }
}

/** The preprocessing of each scorer, by name; equal ones are the same object. */
function preparations(scorers: readonly NamedEmbedder[]): Map<string, Preprocessing> {
  const distinct = new Map<string, Preprocessing>()
  return new Map(
    scorers.map(({ name, embedder: { preprocessing } }) => {
      const key = canonicalJson(preprocessing)
      const known = distinct.get(key) ?? preprocessing
      distinct.set(key, known)
      return [name, known]
    }),
  )
}

type EmbedCaption = (caption: string) => Promise<Float32Array>

function captionEmbedder(embedder: Embedder): EmbedCaption {
  const captions = new LRUCache<string, Promise<Float32Array>>({ max: CAPTIONS_AT_HAND })
  return (caption) => {
    const known = captions.get(caption)
    if (known) return known
    const embedding = embedder.embedText(caption)
    embedding.catch(() => captions.delete(caption))
    captions.set(caption, embedding)
    return embedding
  }
}

async function similarity(
  image: Float32Array | DataFault,
  caption: string,
  embedCaption: EmbedCaption,
): Promise<number | DataFault> {
  if (image instanceof DataFault) return image
  if (caption.trim() === '') return new DataFault('empty-caption', 'The caption is empty.')
  const cosine = dot(image, await embedCaption(caption))
  if (Number.isFinite(cosine)) return cosine
  return new DataFault('similarity-not-a-number', `The model gives ${cosine} as similarity.`)
}

/** Dot product of unit vectors; clamped, because rounding may exceed 1. */
function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  // `+ 0` turns -0 into 0.
  return Math.fround(Math.max(-1, Math.min(1, sum))) + 0
}
