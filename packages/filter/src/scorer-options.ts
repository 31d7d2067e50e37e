import type { Device, Progress } from '@skyscript/core'

/** A server that runs the two halves of a CLIP, each under its own name. */
export interface ModelServer {
  readonly url: string
  readonly vision: string
  readonly text: string
}

export interface ScorerOptions {
  readonly name: string
  /**
   * A folder in the hub's layout, or a hub id `owner/name` or `owner/name@revision`. A text that could be a hub id is taken
   * as one: write `./owner/name` for a folder.
   */
  readonly model: string
  /** Folder for downloaded models. */
  readonly cacheFolder: string
  /** Called with the progress of a download. */
  readonly progress?: Progress
  /** Where the model runs; default `cpu`. */
  readonly device?: Device
  /** Images per batch; default: found by trying. */
  readonly batch?: number | null
  /** A server that runs the model; `model` then needs only the tokenizer and the preprocessing. */
  readonly server?: ModelServer | null
  /** Base URL of the hub; default: the environment's HF_ENDPOINT, else https://huggingface.co. */
  readonly hub?: string
}
