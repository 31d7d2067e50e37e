import { canonicalJson, DataFault, sha256 } from '@skyscript/core'
import { LRUCache } from 'lru-cache'
import pMap from 'p-map'
import { PREPROCESSING_VERSION } from './clip/preprocess.ts'
import type { Preprocessing } from './clip/preprocessor-config.ts'
import type { Embedder } from './embedder.ts'
import { createImageEmbedder, type NamedEmbedder } from './image-embedder.ts'
import type { ModelIdentity } from './model/model-identity.ts'

/** An image's bytes (JPEG or PNG) and the caption to compare it with. */
export interface ScorePair {
  readonly image: Uint8Array
  readonly caption: string
}

/** Cached caption embeddings; captions repeat throughout a dataset. 50 MB for ViT-L/14. */
const CAPTIONS_AT_HAND = 16_384

/** The scores of one pair by all requested scorers. */
export interface PairScores {
  /** In the order of the requested scorers: cosines in [-1, 1] as 32-bit floats, or why there is none. */
  readonly similarities: readonly (number | DataFault)[]
  /** The image's embeddings by the same scorers: unit vectors, or why there is none. */
  readonly embeddings: readonly (Float32Array | DataFault)[]
  /** The image's perceptual hash, 16 hex digits; null if it can't be read. See `perceptualHash`. */
  readonly phash: string | null
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

/** Scores pairs with several models. Each image is decoded once for all; caption embeddings are cached. */
export function createScoring(scorers: readonly NamedEmbedder[]): Scoring {
  const images = createImageEmbedder(scorers)
  const captionsOf = new Map(scorers.map(({ name, embedder }) => [name, captionEmbedder(embedder)]))

  return {
    scorers: scorers.map(({ name, embedder }) => ({
      name,
      fingerprint: scorerFingerprint(embedder.preprocessing, embedder.fingerprint),
      model: embedder.model,
    })),
    async score(pairs, signal, asked = scorers.map(({ name }) => name)) {
      signal?.throwIfAborted()
      const chosen = asked.map((name) => scorers.find((each) => each.name === name)!)
      const embedded = await images.embed(
        pairs.map((pair) => pair.image),
        chosen,
        signal,
      )
      const atOnce = Math.max(...chosen.map(({ embedder }) => embedder.captionsAtOnce))
      const scored = async ({ caption }: ScorePair, i: number): Promise<PairScores> => {
        const { embeddings, phash } = embedded[i]!
        const similarities: (number | DataFault)[] = []
        for (const [place, { name }] of chosen.entries())
          similarities.push(await similarity(embeddings[place]!, caption, captionsOf.get(name)!))
        return { similarities, embeddings, phash }
      }
      return pMap(pairs, scored, { concurrency: atOnce, signal })
    },
    async close() {
      await Promise.all([images.close(), ...scorers.map(({ embedder }) => embedder.close())])
    },
  }
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
