import type { Preprocessing } from './clip/preprocessor-config.ts'
import type { ModelIdentity } from './model/model-identity.ts'

/** A CLIP wherever it runs: samples and captions -> embeddings. One kind of it in each file of `scorers/`. */
export interface Embedder {
  /** Of everything that decides an embedding but the preprocessing of images: the model, and what computes it. */
  readonly fingerprint: string
  readonly model: ModelIdentity
  readonly preprocessing: Preprocessing
  /** Whether it computes on this machine's cores, which decoding would take from it. */
  readonly usesCores: boolean
  /** Captions that it is best asked for at the same time. */
  readonly captionsAtOnce: number
  /** Images that it is best given at once; may change from call to call. */
  readonly batch: number
  /**
   * Embeddings of images, normalized to length 1; NaN where the model gives none.
   *
   * @param samples of one image after the other, as `toSamples` makes them; they may be shared with other embedders
   */
  embedImages(samples: Float32Array<ArrayBuffer>): Promise<Float32Array[]>
  /** Of length 1; NaN where the model gives none. */
  embedText(caption: string): Promise<Float32Array>
  /** Frees the model; calls that are under way fail. */
  close(): Promise<void>
}
