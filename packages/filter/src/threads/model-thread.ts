import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Device, serveThread } from '@skyscript/core'
import { type ClipModel, openClipModel } from '../clip/clip-model.ts'
import { type ClipTokenizer, createTokenizer } from '../clip/tokens.ts'

export interface OpenQuestion {
  readonly folder: string
  readonly device: Device
  /** Threads per operator. */
  readonly threads: number
  /** Model input size in pixels. */
  readonly width: number
  readonly height: number
}

export interface OpenAnswer {
  /** Batch size that the model requires; null for any. */
  readonly fixedBatch: number | null
}

interface Opened {
  readonly model: ClipModel
  readonly tokenizer: ClipTokenizer
}

let opened: Opened | undefined

async function openModel(question: OpenQuestion): Promise<Opened> {
  const file = join(question.folder, 'tokenizer.json')
  const tokenizer = createTokenizer(await readFile(file, 'utf8'), file)
  return { model: await openClipModel(question), tokenizer }
}

const use = () => {
  if (opened === undefined) throw new Error('The model was not opened.')
  return opened
}

/** The thread with the sessions: onnxruntime-node's `run` blocks the thread that calls it. */
serveThread({
  // A thread that is used again has its model open: it is borrowed for the same question only.
  async open(question: OpenQuestion) {
    opened ??= await openModel(question)
    return { value: { fixedBatch: opened.model.fixedBatch } satisfies OpenAnswer }
  },
  async images(samples: Float32Array) {
    return { value: await use().model.embedImages(samples) }
  },
  async text(text: string) {
    const { model, tokenizer } = use()
    const ids = new BigInt64Array(model.contextLength)
    const used = tokenizer.encode(text, ids)
    return { value: await model.embedText(ids, used) }
  },
  async isCut(text: string) {
    const { model, tokenizer } = use()
    return { value: tokenizer.count(text) > model.contextLength }
  },
})
