import { join } from 'node:path'
import { DEVICES, type Device, InputError, messageOf } from '@skyscript/core'
import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node'
import { CONTEXT_LENGTH } from './tokens.ts'

export interface ClipModelOptions {
  readonly folder: string
  /** onnxruntime's execution provider. */
  readonly device: Device
  /** Threads of one operator, on a CPU. */
  readonly threads: number
  /** Pixels of the model's input. */
  readonly width: number
  readonly height: number
}

/** The two halves of a CLIP. Embeddings come normalised to length 1; one of length 0 comes as NaN. */
export interface ClipModel {
  /** Images that must go in at once; null where any number may. Fewer are filled up. */
  readonly fixedBatch: number | null
  /** Tokens. */
  readonly contextLength: number
  /** `samples` of images (no more than `fixedBatch`), each 3 x height x width. */
  embedImages(samples: Float32Array): Promise<Float32Array[]>
  /** `used` of the ids are no filling. */
  embedText(ids: BigInt64Array, used: number): Promise<Float32Array>
}

/**
 * Opens the models of a folder. Names of inputs and outputs are read from the files: exports differ in them.
 *
 * @throws InputError `bad-model` where a file is no ONNX model, or has other inputs or outputs than a CLIP
 */
export async function openClipModel(options: ClipModelOptions): Promise<ClipModel> {
  const vision = await openHalf(options, 'vision_model.onnx', 'pixel_values', 'image_embeds')
  const text = await openTextModel(options)
  const { width, height } = options
  const size = 3 * width * height
  const [batch] = vision.shape
  const fixedBatch = typeof batch === 'number' ? batch : null
  for (const [axis, pixels] of [height, width].entries()) {
    const due = vision.shape[axis + 2]
    if (typeof due === 'number' && due !== pixels) {
      const message = `${vision.file} takes images of ${vision.shape.slice(2).join(' x ')} pixels, but preprocessor_config.json makes ${height} x ${width}; take the files of one model.`
      throw new InputError('bad-model', message)
    }
  }
  const model: ClipModel = {
    fixedBatch,
    contextLength: text.contextLength,
    async embedImages(samples) {
      const count = samples.length / size
      const padded = fixedBatch !== null && count < fixedBatch ? padTo(samples, fixedBatch * size) : samples
      const input = new Tensor('float32', padded, [padded.length / size, 3, height, width])
      return rowsOf(await run(vision, { [vision.input]: input }), vision.file).slice(0, count)
    },
    embedText: text.embedText,
  }
  // Files tell little of what they give: one black image and one empty caption show it before any work is done.
  const [picture] = await model.embedImages(new Float32Array(size))
  const words = await model.embedText(new BigInt64Array(model.contextLength), 1)
  if (picture!.length !== words.length) {
    const message = `${vision.file} gives ${picture!.length} numbers an image and ${TEXT_FILE} ${words.length} a caption; take the files of one model.`
    throw new InputError('bad-model', message)
  }
  return model
}

/** The half that reads captions. */
export type TextModel = Pick<ClipModel, 'contextLength' | 'embedText'>

const TEXT_FILE = 'text_model.onnx'

/** @throws InputError `bad-model` as `openClipModel` */
export async function openTextModel(
  options: Pick<ClipModelOptions, 'folder' | 'device' | 'threads'>,
): Promise<TextModel> {
  const text = await openHalf(options, TEXT_FILE, 'input_ids', 'text_embeds')
  const fixedLength = text.shape[1]
  return {
    contextLength: typeof fixedLength === 'number' ? fixedLength : CONTEXT_LENGTH,
    async embedText(ids, used) {
      const feeds = { [text.input]: idTensor(ids, text.type) }
      if (text.mask !== null) {
        const mask = BigInt64Array.from({ length: ids.length }, (_, i) => (i < used ? 1n : 0n))
        feeds[text.mask.name] = idTensor(mask, text.mask.type)
      }
      return rowsOf(await run(text, feeds), text.file)[0]!
    },
  }
}

function padTo(samples: Float32Array, length: number): Float32Array {
  const padded = new Float32Array(length)
  padded.set(samples)
  return padded
}

/** @throws InputError `no-such-device` where this build of onnxruntime has no such execution provider */
export function checkDevice(device: Device): void {
  const names = listSupportedBackends().map(({ name }) => name)
  if (names.includes(device)) return
  const others = names.filter((name) => DEVICES.some((known) => known === name)).join(', ')
  const how =
    device === 'cuda' && process.platform === 'linux'
      ? 'its CUDA libraries come with: ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node'
      : `here it has ${others}`
  throw new InputError('no-such-device', `onnxruntime on this machine can't run models on ${device}; ${how}.`)
}

/** onnxruntime's messages have line ends, and full stops where they end. */
const sentenceOf = (error: unknown) =>
  messageOf(error)
    .replace(/\s+/g, ' ')
    .replace(/[. ]+$/, '')

interface Half {
  readonly file: string
  readonly session: InferenceSession
  readonly input: string
  readonly type: string
  /** A name where the size is free. */
  readonly shape: readonly (number | string)[]
  readonly mask: { readonly name: string; readonly type: string } | null
  readonly output: string
}

async function openHalf(
  { folder, device, threads }: Pick<ClipModelOptions, 'folder' | 'device' | 'threads'>,
  name: string,
  inputName: string,
  outputName: string,
): Promise<Half> {
  const file = join(folder, 'onnx', name)
  checkDevice(device)
  const session = await InferenceSession.create(file, {
    executionProviders: [device],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    executionMode: 'sequential',
    // Between its operators onnxruntime's threads wait busily, which gives 4 % of speed and takes a quarter of it from a
    // second process on the same cores; between two runs they sleep.
    extra: { session: { force_spinning_stop: '1', intra_op: { allow_spinning: '1' } } },
    // Warnings of the optimizer say nothing to a user.
    logSeverityLevel: 3,
  }).catch((error: unknown) => {
    // What a GPU lacks shows only here: its driver, its libraries, its memory.
    if (device !== 'cpu')
      throw new InputError('no-such-device', `${file} can't be run on ${device} (${sentenceOf(error)}).`)
    throw new InputError('bad-model', `${file} is no model that can be run (${sentenceOf(error)}); copy it again.`)
  })
  const inputs = session.inputMetadata.filter((input) => input.isTensor)
  const mask = inputs.find((input) => input.name === 'attention_mask') ?? null
  const others = inputs.filter((input) => input !== mask)
  const input = others.find((each) => each.name === inputName) ?? others[0]
  if (input === undefined || others.length !== 1) {
    const names = session.inputNames.join(', ')
    const message = `${file} has the inputs ${names}, not only ${inputName}; export the vision and the text half of the model separately.`
    throw new InputError('bad-model', message)
  }
  const wanted = inputName === 'pixel_values' ? ['float32'] : ['int64', 'int32']
  if (!wanted.includes(input.type)) {
    const message = `${file} takes ${input.type} for ${input.name}, not ${wanted.join(' or ')}; export it with such inputs.`
    throw new InputError('bad-model', message)
  }
  const output = session.outputNames.includes(outputName) ? outputName : session.outputNames[0]!
  return { file, session, input: input.name, type: input.type, shape: input.shape, mask, output }
}

function idTensor(ids: BigInt64Array, type: string): Tensor {
  return type === 'int32'
    ? new Tensor('int32', Int32Array.from(ids, Number), [1, ids.length])
    : new Tensor('int64', ids, [1, ids.length])
}

async function run({ session, output, file }: Half, feeds: Record<string, Tensor>): Promise<Tensor> {
  const results = await session.run(feeds, [output]).catch((error: unknown) => {
    throw new InputError('bad-model', `${file} can't be run (${sentenceOf(error)}); check that it is a half of a CLIP.`)
  })
  const tensor = results[output]!
  if (tensor.type === 'float32' && tensor.dims.length === 2) return tensor
  const message = `${file} gives ${tensor.type} of ${tensor.dims.length} dimensions as ${output}, not one embedding a row; export it with its projection.`
  throw new InputError('bad-model', message)
}

/** The rows of a matrix, each normalised. */
function rowsOf({ data, dims }: Tensor, file: string): Float32Array[] {
  const [count, length] = dims as [number, number]
  if (length === 0) throw new InputError('bad-model', `${file} gives empty embeddings; copy it again.`)
  return Array.from({ length: count }, (_, row) =>
    normalised((data as Float32Array).slice(row * length, (row + 1) * length)),
  )
}

/** Scales a vector, in its place, to length 1; NaN where it has none. */
export function normalised(vector: Float32Array): Float32Array {
  let squares = 0
  for (const value of vector) squares += value * value
  const scale = 1 / Math.sqrt(squares)
  // Infinity times 0 is NaN: an embedding of zeros has no direction.
  for (let i = 0; i < vector.length; i++) vector[i] = vector[i]! * scale
  return vector
}
