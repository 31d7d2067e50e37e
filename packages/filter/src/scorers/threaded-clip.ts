import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { canonicalJson, DataFault, InputError, sha256 } from '@skyscript/core'
import { inputSize, PREPROCESSING_VERSION } from '../clip/preprocess.ts'
import { parsePreprocessing } from '../clip/preprocessor-config.ts'
import type { ModelFolder } from '../model/model-folder.ts'
import type { ScorePair, Scorer } from '../scorer.ts'
import type { OpenAnswer, OpenQuestion } from '../threads/model-thread.ts'
import type { PixelsAnswer, PixelsQuestion } from '../threads/pixels-thread.ts'
import { startThread } from '../threads/thread.ts'

// onnxruntime reports its use to its makers unless told not to; nobody who scores images agreed to that. It reads the
// environment of the process, which threads have no way to change.
process.env.ORT_DISABLE_TELEMETRY ??= '1'

/** Captions repeat all over a dataset. Of ViT-L/14 these take 50 MB. */
const CAPTIONS_AT_HAND = 16_384

/**
 * A CLIP in ONNX, run on this machine's CPU. Two threads, so that decoding hides behind inference and the caller's event
 * loop stays free: one makes samples of the next images while the other runs the model on the last ones.
 *
 * Captions go through the text half one by one, so that an embedding never depends on what else was asked.
 */
export async function openThreadedClip(name: string, { folder, identity }: ModelFolder): Promise<Scorer> {
  const configFile = join(folder, 'preprocessor_config.json')
  const preprocessing = parsePreprocessing(await readFile(configFile, 'utf8'), configFile)
  const size = inputSize(preprocessing)
  if (size === null) {
    const message = `${configFile} gives images of many shapes; set "do_center_crop" to true or both sides of "size".`
    throw new InputError('bad-model', message)
  }
  const model = startThread(new URL('../threads/model-thread.ts', import.meta.url))
  const pixels = startThread(new URL('../threads/pixels-thread.ts', import.meta.url))
  const close = async () => {
    await Promise.all([model.close(), pixels.close()])
  }
  const question: OpenQuestion = { folder, threads: availableParallelism(), ...size }
  const { batch, engine } = await model.ask<OpenAnswer>('open', question).catch(async (error: unknown) => {
    await close()
    throw error
  })
  const captions = new Map<string, Promise<Float32Array>>()

  const embedCaption = (caption: string): Promise<Float32Array> => {
    const known = captions.get(caption)
    if (known) {
      captions.delete(caption)
      captions.set(caption, known)
      return known
    }
    const embedding = model.ask<Float32Array>('text', caption)
    embedding.catch(() => captions.delete(caption))
    captions.set(caption, embedding)
    if (captions.size > CAPTIONS_AT_HAND) captions.delete(captions.keys().next().value!)
    return embedding
  }

  /** Embeddings of the images, or their faults, in their order. */
  const embedImages = async (
    images: readonly Uint8Array[],
    signal: AbortSignal | undefined,
  ): Promise<(Float32Array | DataFault)[]> => {
    const samplesOf = (start: number) => {
      const samples = pixels.ask<PixelsAnswer>('pixels', {
        images: images.slice(start, start + batch),
        preprocessing,
      } satisfies PixelsQuestion)
      // Awaited a batch later: a failure until then is no unhandled one.
      samples.catch(() => undefined)
      return samples
    }
    const results: (Float32Array | DataFault)[] = []
    let next = images.length > 0 ? samplesOf(0) : null
    for (let start = batch; next !== null; start += batch) {
      const { samples, faults }: PixelsAnswer = await next
      signal?.throwIfAborted()
      next = start < images.length ? samplesOf(start) : null
      const embeddings = samples.length > 0 ? await model.ask<Float32Array[]>('images', samples, [samples.buffer]) : []
      let row = 0
      for (const fault of faults) {
        results.push(fault === null ? embeddings[row++]! : new DataFault('unreadable-image', fault))
      }
      signal?.throwIfAborted()
    }
    return results
  }

  return {
    name,
    // A hash of what decides a score; batch and threads decide none.
    fingerprint: sha256(canonicalJson(['onnx-clip', PREPROCESSING_VERSION, engine, identity.files])),
    model: identity,
    async score(pairs, signal) {
      signal?.throwIfAborted()
      const images = await embedImages(
        pairs.map((pair) => pair.image),
        signal,
      )
      const results: (number | DataFault)[] = []
      for (const [i, pair] of pairs.entries()) {
        results.push(await similarity(pair, images[i]!, embedCaption))
        signal?.throwIfAborted()
      }
      return results
    },
    close,
  }
}

async function similarity(
  { caption }: ScorePair,
  image: Float32Array | DataFault,
  embedCaption: (caption: string) => Promise<Float32Array>,
): Promise<number | DataFault> {
  if (image instanceof DataFault) return image
  if (caption.trim() === '') return new DataFault('empty-caption', 'The caption is empty.')
  const cosine = dot(image, await embedCaption(caption))
  if (Number.isFinite(cosine)) return cosine
  return new DataFault('similarity-not-a-number', `The model gives ${cosine} as similarity.`)
}

/** Of vectors of length 1; rounding may lead a little beyond 1, which no cosine is. */
function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  // `+ 0` makes -0 a 0.
  return Math.fround(Math.max(-1, Math.min(1, sum))) + 0
}
