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
  /** Where the model runs; `cpu` unless told. */
  readonly device?: Device
  /** Images that go into the model at once; found by trying unless told. */
  readonly batch?: number | null
  /** A server that runs the model; `model` then needs no more than the tokenizer and the preprocessing. */
  readonly server?: ModelServer | null
  /** Base URL of the hub; else the environment's HF_ENDPOINT, else https://huggingface.co. */
  readonly hub?: string
}
