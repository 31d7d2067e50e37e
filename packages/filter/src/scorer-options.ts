import type { Device, Progress } from '@skyscript/core'
import type { ModelServer } from './scorers/remote-clip.ts'

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
  /** Where the model runs; default: `cpu`. */
  readonly device?: Device
  /** Images per model run; default: measured. */
  readonly batch?: number | null
  /** A server that runs the model; `model` then needs no more than the tokenizer and the preprocessing. */
  readonly server?: ModelServer | null
  /** Base URL of the hub; else the environment's HF_ENDPOINT, else https://huggingface.co. */
  readonly hub?: string
}
