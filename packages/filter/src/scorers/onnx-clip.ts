import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import { DataFault, InputError, messageOf } from '@skyscript/core'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Preprocessing } from './model-folder.ts'
import { imageToTensor } from './preprocess.ts'
import type { Pair } from './scorer.ts'

/** Images or texts in one run of a network. */
const BATCH = 16
/** CLIP reads so many tokens; a longer text is cut and keeps its end token. */
const TOKENS = 77
const START_TOKEN = '<|startoftext|>'
const END_TOKEN = '<|endoftext|>'
/** Text embeddings kept: captions repeat a lot. 50,000 x 768 floats are 150 MB. */
const TEXTS_IN_MEMORY = 50_000

export interface OnnxClip {
  score(pairs: readonly Pair[], signal?: AbortSignal): Promise<(number | DataFault)[]>
  close(): Promise<void>
}

interface Networks {
  readonly vision: InferenceSession
  readonly text: InferenceSession
  readonly tokenize: (caption: string) => bigint[]
}

/** CLIP's two towers as ONNX files, run on the CPU off the event loop. */
export function createOnnxClip({
  folder,
  preprocessing,
}: {
  readonly folder: string
  readonly preprocessing: Preprocessing
}): OnnxClip {
  let loading: Promise<Networks> | undefined
  const texts = new Map<string, Float32Array>()

  const embedTexts = async (networks: Networks, captions: readonly string[], signal?: AbortSignal) => {
    const missing = [...new Set(captions)].filter((caption) => !texts.has(caption))
    if (texts.size + missing.length > TEXTS_IN_MEMORY) {
      texts.clear()
      missing.splice(0, missing.length, ...new Set(captions))
    }
    for (const caption of missing) {
      signal?.throwIfAborted()
      // One by one: the last bits of an embedding depend on what shares its batch, and that on what is known already.
      texts.set(caption, await runText(networks, caption))
    }
  }

  return {
    async score(pairs, signal) {
      if (pairs.length === 0) return []
      loading ??= load(folder)
      const networks = await loading
      const results: (number | DataFault)[] = pairs.map(({ caption }) =>
        caption.trim() === '' ? new DataFault('empty-caption', 'The caption is empty.') : 0,
      )
      const scored = results.flatMap((result, i) => (result === 0 ? [i] : []))
      await embedTexts(
        networks,
        scored.map((i) => pairs[i]!.caption),
        signal,
      )
      // The next batch is decoded while the network works on this one.
      const batches = Array.from({ length: Math.ceil(scored.length / BATCH) }, (_, k) =>
        scored.slice(k * BATCH, (k + 1) * BATCH),
      )
      const prepare = (batch: readonly number[] | undefined) =>
        batch &&
        prepareImages(
          batch.map((i) => pairs[i]!.image),
          preprocessing,
        )
      let next = prepare(batches[0])
      for (const [k, batch] of batches.entries()) {
        signal?.throwIfAborted()
        const { pixels, faults } = await next!
        const embedding = runVision(networks, pixels, batch.length, preprocessing.crop)
        next = prepare(batches[k + 1])
        next?.catch(() => {})
        const images = await embedding
        for (const [j, i] of batch.entries()) {
          const similarity = cosine(images[j]!, texts.get(pairs[i]!.caption)!)
          results[i] =
            faults[j] ??
            (Number.isFinite(similarity) ? similarity : new DataFault('nan-score', 'The model gave no number.'))
        }
      }
      return results
    },
    async close() {
      const networks = await loading?.catch(() => undefined)
      loading = undefined
      texts.clear()
      await networks?.vision.release()
      await networks?.text.release()
    },
  }
}

async function load(folder: string): Promise<Networks> {
  const open = (name: string) =>
    InferenceSession.create(join(folder, name), { graphOptimizationLevel: 'all' }).catch((error) => {
      throw new InputError(
        'bad-model',
        `${join(folder, name)} is not an ONNX model that can be run here (${messageOf(error)}).`,
      )
    })
  const vision = await open('onnx/vision_model.onnx')
  const text = await open('onnx/text_model.onnx')
  for (const [session, input] of [
    [vision, 'pixel_values'],
    [text, 'input_ids'],
  ] as const) {
    if (!session.inputNames.includes(input)) {
      throw new InputError(
        'bad-model',
        `The model in ${folder} has no input ${input} (it has ${session.inputNames.join(', ')}); export it as CLIP's towers are exported on the hub.`,
      )
    }
  }
  return { vision, text, tokenize: await createTokenizer(folder) }
}

/** Token ids as OpenCLIP makes them: start, text, end, then zeros. */
async function createTokenizer(folder: string): Promise<(caption: string) => bigint[]> {
  const path = join(folder, 'tokenizer.json')
  let tokenizer: Tokenizer
  try {
    tokenizer = new Tokenizer(JSON.parse(await readFile(path, 'utf8')), {})
  } catch (error) {
    throw new InputError('bad-model', `${path} is not a tokenizer that can be read (${messageOf(error)}).`)
  }
  const [start, end] = [tokenizer.token_to_id(START_TOKEN), tokenizer.token_to_id(END_TOKEN)]
  if (start === undefined || end === undefined)
    throw new InputError('bad-model', `${path} has no ${START_TOKEN} and ${END_TOKEN}; it is not CLIP's.`)
  return (caption) => {
    const { ids } = tokenizer.encode(caption, { add_special_tokens: false })
    const all = [start, ...ids.slice(0, TOKENS - 2), end]
    return Array.from({ length: TOKENS }, (_, i) => BigInt(all[i] ?? 0))
  }
}

async function prepareImages(
  images: readonly Uint8Array[],
  preprocessing: Preprocessing,
): Promise<{ pixels: Float32Array; faults: (DataFault | undefined)[] }> {
  const each = 3 * preprocessing.crop ** 2
  const pixels = new Float32Array(images.length * each)
  const faults = await Promise.all(
    images.map((image, i) =>
      imageToTensor(image, preprocessing, pixels.subarray(i * each, (i + 1) * each)).then(
        () => undefined,
        (error) => {
          if (error instanceof DataFault) return error
          throw error
        },
      ),
    ),
  )
  return { pixels, faults }
}

async function runVision(
  { vision }: Networks,
  pixels: Float32Array,
  count: number,
  side: number,
): Promise<Float32Array[]> {
  const output = await vision.run({ pixel_values: new Tensor('float32', pixels, [count, 3, side, side]) })
  return rowsOf(output, vision, 'image_embeds', count)
}

async function runText({ text, tokenize }: Networks, caption: string): Promise<Float32Array> {
  const ids = BigInt64Array.from(tokenize(caption))
  const shape = [1, TOKENS]
  const feeds: Record<string, Tensor> = { input_ids: new Tensor('int64', ids, shape) }
  if (text.inputNames.includes('attention_mask'))
    feeds.attention_mask = new Tensor('int64', new BigInt64Array(ids.length).fill(1n), shape)
  const [embedding] = rowsOf(await text.run(feeds), text, 'text_embeds', 1)
  return embedding!
}

function rowsOf(
  output: InferenceSession.OnnxValueMapType,
  session: InferenceSession,
  name: string,
  count: number,
): Float32Array[] {
  const tensor = output[name] ?? output[session.outputNames[0]!]
  const data = tensor?.data
  if (!(data instanceof Float32Array) || tensor!.dims.length !== 2 || tensor!.dims[0] !== count) {
    throw new InputError(
      'bad-model',
      `The model's output ${name} is not one embedding of 32-bit floats for each input.`,
    )
  }
  const width = tensor!.dims[1]!
  return Array.from({ length: count }, (_, i) => data.slice(i * width, (i + 1) * width))
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!
    aa += a[i]! * a[i]!
    bb += b[i]! * b[i]!
  }
  return dot / Math.sqrt(aa * bb)
}
