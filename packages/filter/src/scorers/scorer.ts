import { basename } from 'node:path'
import { type DataFault, fingerprint, type Progress, silentProgress } from '@skyscript/core'
import { downloadModel } from './hub.ts'
import { readModelFolder } from './model-folder.ts'
import { createOnnxClip } from './onnx-clip.ts'

/** Gives the similarity of images and captions. */
export interface Scorer {
  readonly name: string
  /** Of the model's files and of how images and texts are prepared for it. */
  readonly fingerprint: string
  readonly model: {
    /** The hub's id, or the name of the folder. */
    readonly id: string
    /** The hub's commit; null for a folder. */
    readonly revision: string | null
    readonly files: readonly { readonly name: string; readonly sha256: string }[]
  }
  /**
   * @param pairs JPEG or PNG bytes, and a caption
   * @returns for each pair the cosine of the embeddings in [-1, 1], or why there is none
   */
  score(pairs: readonly Pair[], signal?: AbortSignal): Promise<(number | DataFault)[]>
  close(): Promise<void>
}

export interface Pair {
  readonly image: Uint8Array
  readonly caption: string
}

export interface ScorerOptions {
  readonly name: string
  /** A folder in the hub's layout (starts with `.` or `/`), or a hub id `owner/name` or `owner/name@revision`. */
  readonly model: string
  /** Where downloaded models are kept. */
  readonly cacheFolder: string
  /** Bytes of a download. */
  readonly progress?: Progress
  /** Base URL of the hub. */
  readonly hub?: string
}

/** Raise when the same model and pair would give another similarity. */
const PREPARATION_VERSION = 1

/**
 * Finds a CLIP model, downloading it on first use, and reads its files' hashes; the networks are loaded at the first
 * `score`.
 *
 * @throws InputError `missing-model-file`, `bad-model`, `bad-model-name`; ServiceError `hub-unreachable`
 */
export async function openScorer(options: ScorerOptions): Promise<Scorer> {
  const { name, model, cacheFolder, progress = silentProgress } = options
  const isFolder = /^[./]/.test(model)
  const hub = options.hub ?? process.env.HF_ENDPOINT ?? 'https://huggingface.co'
  const downloaded = isFolder ? null : await downloadModel({ model, cacheFolder, progress, hub })
  const folder = downloaded?.folder ?? model
  const { files, preprocessing } = await readModelFolder(folder)
  const clip = createOnnxClip({ folder, preprocessing })
  return {
    name,
    fingerprint: fingerprint('onnx-clip', PREPARATION_VERSION, files),
    model: { id: downloaded?.id ?? basename(model), revision: downloaded?.revision ?? null, files },
    score: clip.score,
    close: clip.close,
  }
}
