import type { Preprocessing } from './clip/preprocessor-config.ts'
import type { ModelIdentity } from './model/model-identity.ts'

/** A CLIP, local or remote: samples and captions -> embeddings. Each file in `scorers/` implements one kind. */
export interface Embedder {
  /** A fingerprint of everything that decides an embedding except image preprocessing: the model and its engine. */
  readonly fingerprint: string
  readonly model: ModelIdentity
  readonly preprocessing: Preprocessing
  /** Whether it computes on this machine's cores, which it then shares with decoding. */
  readonly usesCores: boolean
  /** Best number of concurrent caption requests. */
  readonly captionsAtOnce: number
  /** Best number of images per call; may change between calls. */
  readonly batch: number
  /**
   * Embeddings of images as unit vectors; NaN if the model returns a zero vector.
   *
   * @param samples images one after the other, as `toSamples` makes them; other embedders may share the buffer
   */
  embedImages(samples: Float32Array<ArrayBuffer>): Promise<Float32Array[]>
  /** A unit vector; NaN if the model returns a zero vector. */
  embedText(caption: string): Promise<Float32Array>
  /** Whether a text has more tokens than the model reads, so that its end is left out (the end token is kept). */
  isCut(text: string): Promise<boolean>
  /** Frees the model; calls in progress fail. */
  close(): Promise<void>
}
