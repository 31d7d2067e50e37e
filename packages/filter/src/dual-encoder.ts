import { DataFault, InputError } from '@skyscript/core'
import { FILE_FORMATS } from './clip/preprocess.ts'
import { createImageEmbedder } from './image-embedder.ts'
import type { ModelIdentity } from './model/model-identity.ts'
import { checkModelLogin } from './model-server/model-login.ts'
import { openEmbedder } from './scorer.ts'
import type { ScorerOptions } from './scorer-options.ts'
import { scorerFingerprint } from './scoring.ts'

/** A CLIP as two functions: images and texts -> unit vectors of one space. */
export interface DualEncoder {
  readonly model: ModelIdentity
  /** Of everything that decides an embedding: the model's files, the preprocessing, the engine. */
  readonly fingerprint: string
  /** Best number of concurrent calls of `embedText`. */
  readonly textsAtOnce: number
  /**
   * Unit vectors in the order of the images (JPEG, PNG, TIFF or WebP), or a DataFault: `unreadable-image`, `embedding-not-a-number`.
   *
   * @throws ServiceError if a server that runs the model fails
   */
  embedImages(images: readonly Uint8Array[]): Promise<(Float32Array | DataFault)[]>
  /**
   * A unit vector.
   *
   * @throws InputError `bad-model` if the model returns a zero vector or NaN
   * @throws ServiceError if a server that runs the model fails
   */
  embedText(text: string): Promise<Float32Array>
  /** Whether a text has more tokens than the model reads, so that its end is left out (the end token is kept). */
  isCut(text: string): Promise<boolean>
  /** Ends the threads and frees the model; calls in progress fail. */
  close(): Promise<void>
}

/**
 * Opens a model to embed images and texts with; preprocessing, tokens and engine are those of `openScorer`.
 *
 * @throws as `openScorer`
 */
export async function openDualEncoder(options: ScorerOptions): Promise<DualEncoder> {
  checkModelLogin(options.server ? [options.server.url] : [])
  const named = { name: options.name, embedder: await openEmbedder(options) }
  const { embedder } = named
  const images = createImageEmbedder([named], FILE_FORMATS)
  return {
    model: embedder.model,
    fingerprint: scorerFingerprint(embedder.preprocessing, embedder.fingerprint),
    textsAtOnce: embedder.captionsAtOnce,
    async embedImages(files) {
      const embedded = await images.embed(files, [named])
      return embedded.map(({ embeddings: [embedding] }) =>
        embedding instanceof DataFault || embedding!.every(Number.isFinite)
          ? embedding!
          : new DataFault('embedding-not-a-number', 'The model gives no embedding for this image.'),
      )
    },
    async embedText(text) {
      const embedding = await embedder.embedText(text)
      if (embedding.every(Number.isFinite)) return embedding
      throw new InputError('bad-model', `The model gives no embedding for the text "${text}"; use another model.`)
    },
    isCut: (text) => embedder.isCut(text),
    async close() {
      await Promise.all([images.close(), embedder.close()])
    },
  }
}
