import type { DataFault, Progress } from '@skyscript/core'
import { findModel } from './model/find-model.ts'
import { openThreadedClip } from './scorers/threaded-clip.ts'

/** An image's bytes (JPEG or PNG) and the caption that it is compared with. */
export interface ScorePair {
  readonly image: Uint8Array
  readonly caption: string
}

/** Which model gave a score: enough to find it again. */
export interface ModelIdentity {
  /** Hub id, `owner/name`; of a folder its own name, so that no path of a machine gets into a dataset. */
  readonly id: string
  /** Commit at the hub, 40 hex digits; null for a folder. */
  readonly revision: string | null
  /** Names below the model's folder, sorted; sha256 in lower-case hex. */
  readonly files: readonly { readonly name: string; readonly sha256: string }[]
}

/** Image + caption -> similarity. */
export interface Scorer {
  /** Ends the column and file names: `similarity_CLIP_<name>`. */
  readonly name: string
  /** Of everything that decides a score: the model's files, the preprocessing, the inference engine. */
  readonly fingerprint: string
  readonly model: ModelIdentity
  /**
   * Similarities of pairs in their order: cosines in [-1, 1] as 32-bit floats. A pair that can't be scored gives its
   * own DataFault (`unreadable-image`, `empty-caption`, `similarity-not-a-number`), and the others are scored.
   *
   * @throws the signal's reason once it is aborted
   */
  score(pairs: readonly ScorePair[], signal?: AbortSignal): Promise<(number | DataFault)[]>
  /** Ends the threads and frees the model; calls that are under way fail. */
  close(): Promise<void>
}

export interface ScorerOptions {
  readonly name: string
  /**
   * A folder in the hub's layout, or a hub id `owner/name` or `owner/name@revision`. What looks like a hub id is one:
   * write `./owner/name` for a folder.
   */
  readonly model: string
  /** Where downloaded models are kept. */
  readonly cacheFolder: string
  /** Told of the bytes of a download. */
  readonly progress?: Progress
  /** Base URL of the hub; else the environment's HF_ENDPOINT, else https://huggingface.co. */
  readonly hub?: string
}

/**
 * Opens a scorer; a hub's model is downloaded at first use and taken from `cacheFolder`, without the network, from then
 * on.
 *
 * @throws InputError `missing-model-file` or `bad-model` where the folder can't be used, `unknown-model` where the hub
 * has no such model
 * @throws ServiceError `hub-unreachable`, `hub-error` or `hub-corrupt` where a download fails
 */
export async function openScorer(options: ScorerOptions): Promise<Scorer> {
  const model = await findModel(options)
  return openThreadedClip(options.name, model)
}
