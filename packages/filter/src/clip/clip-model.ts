import { join } from 'node:path'
import { DEVICES, type Device, InputError, messageOf } from '@skyscript/core'
import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node'
import { CONTEXT_LENGTH } from './tokens.ts'

export interface ClipModelOptions {
  readonly folder: string
  /** onnxruntime's execution provider. */
  readonly device: Device
  /** Threads per operator, on a CPU. */
  readonly threads: number
  /** Model input size in pixels. */
  readonly width: number
  readonly height: number
}

/** The two halves of a CLIP. Embeddings are normalised to length 1; an embedding of length 0 becomes NaN. */
export interface ClipModel {
  /** Batch size that the model requires; null for any. Smaller batches are padded. */
  readonly fixedBatch: number | null
  /** In tokens. */
  readonly contextLength: number
  /** @param samples images one after the other (at most `fixedBatch`), each 3 x height x width */
  embedImages(samples: Float32Array): Promise<Float32Array[]>
  /** @param used number of ids that are not padding */
  embedText(ids: BigInt64Array, used: number): Promise<Float32Array>
}

/**
 * Opens the models of a folder. Names of inputs and outputs are read from the files, because exports differ.
 *
 * @throws InputError `bad-model` if a file is not an ONNX model, or its inputs or outputs are not those of a CLIP
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
  // Files don't declare all their outputs' shapes: a trial run with a black image and an empty caption shows them.
  const [picture] = await model.embedImages(new Float32Array(size))
  const words = await model.embedText(new BigInt64Array(model.contextLength), 1)
  if (picture!.length !== words.length) {
    const message = `${vision.file} gives ${picture!.length} numbers per image and ${TEXT_FILE} ${words.length} per caption; use the files of one model.`
    throw new InputError('bad-model', message)
  }
  return model
}

/** The half of a CLIP that embeds captions. */
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

/** @throws InputError `no-such-device` if this build of onnxruntime lacks the execution provider */
export function checkDevice(device: Device): void {
  const names = listSupportedBackends().map(({ name }) => name)
  if (names.includes(device)) return
  const others = names.filter((name) => DEVICES.some((known) => known === name)).join(', ')
  const how =
    device === 'cuda' && process.platform === 'linux'
      ? 'install its CUDA libraries with: ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node'
      : `it supports ${others}`
  throw new InputError('no-such-device', `onnxruntime on this machine can't run models on ${device}; ${how}.`)
}

/** onnxruntime's messages contain line breaks and may end with a full stop. */
const sentenceOf = (error: unknown) =>
  messageOf(error)
    .replace(/\s+/g, ' ')
    .replace(/[. ]+$/, '')

interface Half {
  readonly file: string
  readonly session: InferenceSession
  readonly input: string
  readonly type: string
  /** A name instead of a number marks a variable size. */
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
    // Threads that spin between the operators of a run make it 4 % faster, but slow a second process on the same cores by a
    // quarter; between runs they sleep.
    extra: { session: { force_spinning_stop: '1', intra_op: { allow_spinning: '1' } } },
    // Optimizer warnings mean nothing to a user.
    logSeverityLevel: 3,
  }).catch((error: unknown) => {
    // A missing GPU driver or library, or too little memory, shows only here.
    if (device !== 'cpu')
      throw new InputError('no-such-device', `${file} can't be run on ${device} (${sentenceOf(error)}).`)
    throw new InputError('bad-model', `${file} is not a usable model (${sentenceOf(error)}); copy it again.`)
  })
  const inputs = session.inputMetadata.filter((input) => input.isTensor)
  const mask = inputs.find((input) => input.name === 'attention_mask') ?? null
  const others = inputs.filter((input) => input !== mask)
  const input = others.find((each) => each.name === inputName) ?? others[0]
  if (input === undefined || others.length !== 1) {
    const names = session.inputNames.join(', ')
    const message = `${file} has the inputs ${names}, expected only ${inputName}; export the vision and the text half of the model separately.`
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
  const message = `${file} gives ${tensor.type} of ${tensor.dims.length} dimensions as ${output}, expected one embedding per row; export it with its projection layer.`
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

/** Scales a vector to length 1, in place; NaN if its length is 0. */
export function normalised(vector: Float32Array): Float32Array {
  let squares = 0
  for (const value of vector) squares += value * value
  const scale = 1 / Math.sqrt(squares)
  // Infinity times 0 is NaN: a zero embedding has no direction.
  for (let i = 0; i < vector.length; i++) vector[i] = vector[i]! * scale
  return vector
}
