import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fingerprint } from '@skyscript/core'
import { openTextModel } from './clip/clip-model.ts'
import { createTokenizer } from './clip/tokens.ts'
import { findModel } from './model/find-model.ts'
import type { ModelFolder } from './model/model-folder.ts'
import type { ModelIdentity } from './model/model-identity.ts'
import type { ScorerOptions } from './scorer-options.ts'

// As in the scorer: turns off onnxruntime's usage reports, which are on by default.
process.env.ORT_DISABLE_TELEMETRY ??= '1'

/** The text half of a CLIP. */
export interface TextEmbedder {
  readonly model: Pick<ModelIdentity, 'id' | 'revision'> & {
    /** A fingerprint of the files that decide an embedding: text model and tokenizer. */
    readonly fingerprint: string
  }
  /** A unit vector with the model's number of dimensions. Runs the model on the calling thread. */
  embed(text: string): Promise<Float32Array>
}

/**
 * Opens the text half of a model, to embed single texts.
 *
 * @throws InputError and ServiceError as `openScorer`
 */
export async function openTextEmbedder(options: Omit<ScorerOptions, 'name'>): Promise<TextEmbedder> {
  const found = await findModel(options)
  const tokenizer = await tokenizerOf(found)
  const model = await openTextModel({ folder: found.folder, device: 'cpu', threads: availableParallelism() })
  const { id, revision, files } = found.identity
  return {
    model: { id, revision, fingerprint: fingerprint(files.filter(({ name }) => /text_model|tokenizer/.test(name))) },
    embed(text) {
      const ids = new BigInt64Array(model.contextLength)
      const used = tokenizer.encode(text, ids)
      return model.embedText(ids, used)
    },
  }
}

export interface TokenCounter {
  /** Number of tokens, start and end included. */
  count(text: string): number
  /** Fingerprint of the tokenizer's file. */
  readonly fingerprint: string
}

/** Opens a model's tokenizer, to count tokens as the model does. */
export async function openTokenCounter(options: Omit<ScorerOptions, 'name'>): Promise<TokenCounter> {
  const found = await findModel(options)
  const { count } = await tokenizerOf(found)
  return { count, fingerprint: fingerprint(found.identity.files.filter(({ name }) => name === 'tokenizer.json')) }
}

async function tokenizerOf({ folder }: ModelFolder) {
  const file = join(folder, 'tokenizer.json')
  return createTokenizer(await readFile(file, 'utf8'), file)
}
