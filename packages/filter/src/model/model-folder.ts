import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError, sha256OfStream } from '@skyscript/core'
import type { ModelIdentity } from './model-identity.ts'

/** A CLIP in the hub's layout, as `optimum` exports it and transformers.js reads it. */
export const MODEL_FILES = [
  'onnx/text_model.onnx',
  'onnx/vision_model.onnx',
  'preprocessor_config.json',
  'tokenizer.json',
] as const

/** The files needed of a CLIP that runs on a server. */
export const LOCAL_FILES = ['preprocessor_config.json', 'tokenizer.json'] as const

/** Weights may be in a file next to the model, as they must be beyond protobuf's 2 GB. `.data` is what PyTorch names it. */
export const OPTIONAL_MODEL_FILES = [
  'onnx/text_model.onnx_data',
  'onnx/text_model.onnx.data',
  'onnx/vision_model.onnx_data',
  'onnx/vision_model.onnx.data',
] as const

/** Files that a model may have in addition to the needed ones. */
export const optionalFiles = (needed: readonly string[]): readonly string[] =>
  OPTIONAL_MODEL_FILES.filter((name) => needed.includes(name.replace(/[._]data$/, '')))

export function isModelFile(name: string): boolean {
  return [...MODEL_FILES, ...OPTIONAL_MODEL_FILES].some((known) => known === name)
}

/** A model whose files are all local. */
export interface ModelFolder {
  readonly folder: string
  readonly identity: ModelIdentity
}

/**
 * Identifies the model in a folder.
 *
 * @throws InputError `missing-model-file` that lists all missing files
 */
export async function readModelFolder(
  folder: string,
  source: Pick<ModelIdentity, 'id' | 'revision'>,
  needed: readonly string[],
): Promise<ModelFolder> {
  const missing: string[] = []
  for (const name of needed) if (!(await isFile(join(folder, name)))) missing.push(name)
  if (missing.length > 0) throw missingFiles(`The model folder ${folder}`, missing)
  const names: string[] = [...needed]
  for (const name of optionalFiles(needed)) if (await isFile(join(folder, name))) names.push(name)
  const files: { name: string; sha256: string }[] = []
  for (const name of names.sort()) files.push({ name, sha256: await sha256OfFile(join(folder, name)) })
  return { folder, identity: { ...source, files } }
}

export function missingFiles(where: string, missing: readonly string[]): InputError {
  return new InputError(
    'missing-model-file',
    `${where} lacks ${missing.join(', ')}; take a CLIP exported to ONNX in the hub's layout, such as Xenova/clip-vit-base-patch32.`,
  )
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

export function sha256OfFile(path: string): Promise<string> {
  return sha256OfStream(createReadStream(path, { highWaterMark: 1 << 20 }))
}
