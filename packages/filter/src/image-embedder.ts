import { borrowThread, canonicalJson, DataFault } from '@skyscript/core'
import { type ImageFormat, NETWORK_FORMATS } from './clip/preprocess.ts'
import type { Preprocessing } from './clip/preprocessor-config.ts'
import type { Embedder } from './embedder.ts'
import type { PixelsAnswer, PixelsQuestion } from './threads/pixels-thread.ts'

/** Batches preprocessed ahead while the models compute: enough to hide decoding; 20 MB per batch of 32 images. */
const AHEAD = 2

export interface NamedEmbedder {
  readonly name: string
  readonly embedder: Embedder
}

/** An image as each embedder sees it. */
export interface EmbeddedImage {
  /** In the order of the embedders: unit vectors, or why there is none. */
  readonly embeddings: readonly (Float32Array | DataFault)[]
  /** The image's perceptual hash, 16 hex digits; null if it can't be read. See `perceptualHash`. */
  readonly phash: string | null
}

export interface ImageEmbedder {
  /**
   * @param images in one of the formats
   * @param asked some of the embedders
   * @throws the signal's reason once it is aborted
   */
  embed(images: readonly Uint8Array[], asked: readonly NamedEmbedder[], signal?: AbortSignal): Promise<EmbeddedImage[]>
  /** Ends the thread; the embedders stay open. */
  close(): Promise<void>
}

/**
 * Embeds images with several models. One thread decodes the next images and makes samples of them while the models compute
 * on the previous ones; models with the same preprocessing share samples.
 *
 * @param formats that images may have; TIFF only where they are the user's own files
 */
export function createImageEmbedder(
  embedders: readonly NamedEmbedder[],
  formats: readonly ImageFormat[] = NETWORK_FORMATS,
): ImageEmbedder {
  const pixels = borrowThread(new URL('./threads/pixels-thread.ts', import.meta.url))
  const places = preparations(embedders)
  return {
    async embed(images, asked, signal) {
      const preprocessings = [...new Set(asked.map(({ name }) => places.get(name)!))]
      const results: EmbeddedImage[] = []
      const prepared: Promise<PixelsAnswer>[] = []
      let next = 0
      const prepare = () => {
        while (next < images.length && prepared.length < AHEAD) {
          const batch = Math.max(...asked.map(({ embedder }) => embedder.batch))
          const busy = asked.some(({ embedder }) => embedder.usesCores)
          const some = images.slice(next, next + batch)
          const question: PixelsQuestion = { images: some, formats, preprocessings, alone: !busy }
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
    },
    close: () => pixels.close(),
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
