import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson, InputError, sha256 } from '@skyscript/core'
import pMap from 'p-map'
import { normalised } from '../clip/clip-model.ts'
import { fixedInputSize } from '../clip/preprocess.ts'
import type { Preprocessing } from '../clip/preprocessor-config.ts'
import { CONTEXT_LENGTH, createTokenizer } from '../clip/tokens.ts'
import type { Embedder } from '../embedder.ts'
import { LOCAL_FILES, type ModelFolder } from '../model/model-folder.ts'
import type { ModelIdentity } from '../model/model-identity.ts'
import {
  type InferenceServer,
  openInferenceServer,
  type RemoteModel,
  type RemoteTensor,
} from '../model-server/inference-server.ts'
import type { ModelServer, ScorerOptions } from '../scorer-options.ts'
import type { Engine } from './engine.ts'

/** Images per request, and concurrent requests: enough to keep a GPU busy while the next ones are sent. */
const BATCH = 16
const REQUESTS = 4

/**
 * A CLIP on a server that speaks the Open Inference Protocol, version 2, such as Triton or KServe. Preprocessing and
 * tokenising are done here, so scores equal those of the same model on this machine except for the server's rounding.
 *
 * Opening it throws InputError `bad-model` if the server's models are not halves of a CLIP, and ServiceError
 * `model-server-failed`.
 */
export const remoteClip: Engine = {
  name: 'remote-clip',
  files: LOCAL_FILES,
  serves: ({ server }) => Boolean(server),
  async fingerprint({ identity }, { server }) {
    const { vision, text } = await openHalves(server!)
    return fingerprintOf(identity, vision, text)
  },
  open: openRemoteClip,
  checkWithout: null,
}

async function openRemoteClip(
  { folder, identity }: ModelFolder,
  preprocessing: Preprocessing,
  { server: names, batch = null }: ScorerOptions,
): Promise<Embedder> {
  const size = fixedInputSize(preprocessing, folder)
  const file = join(folder, 'tokenizer.json')
  const tokenizer = createTokenizer(await readFile(file, 'utf8'), file)
  const { server, vision, text } = await openHalves(names!)
  const limits = [vision.fixedBatch, vision.maxBatch, batch ?? BATCH].filter((limit) => limit !== null)
  const perRequest = vision.fixedBatch ?? Math.min(...limits)
  const { width, height } = size
  const image = 3 * width * height
  const context = text.input.shape[1] !== undefined && text.input.shape[1] > 0 ? text.input.shape[1] : CONTEXT_LENGTH
  let closed = false
  const ensureOpen = () => {
    if (closed) throw new Error('The scorer is closed.')
  }

  const request = async (samples: Float32Array): Promise<Float32Array[]> => {
    const count = samples.length / image
    const rows = vision.fixedBatch ?? count
    const padded = new Float32Array(rows * image)
    padded.set(samples)
    return (await infer(server, vision, [{ shape: [rows, 3, height, width], data: padded }])).slice(0, count)
  }

  return {
    fingerprint: fingerprintOf(identity, vision, text),
    model: identity,
    preprocessing,
    usesCores: false,
    captionsAtOnce: REQUESTS,
    batch: perRequest * REQUESTS,
    async embedImages(samples) {
      ensureOpen()
      const parts: Float32Array[] = []
      for (let at = 0; at < samples.length; at += perRequest * image) {
        parts.push(samples.subarray(at, at + perRequest * image))
      }
      return (await pMap(parts, request, { concurrency: REQUESTS })).flat()
    },
    async embedText(caption) {
      ensureOpen()
      const ids = new BigInt64Array(context)
      const used = tokenizer.encode(caption, ids)
      const mask = BigInt64Array.from(ids, (_, i) => (i < used ? 1n : 0n))
      const rows = text.fixedBatch ?? 1
      const repeated = (row: BigInt64Array) =>
        BigInt64Array.from({ length: rows * context }, (_, i) => row[i % context]!)
      const feeds = [{ shape: [rows, context], data: repeated(ids) }]
      if (text.mask !== null) feeds.push({ shape: [rows, context], data: repeated(mask) })
      return (await infer(server, text, feeds))[0]!
    },
    isCut: async (caption) => tokenizer.count(caption) > context,
    async close() {
      closed = true
    },
  }
}

async function openHalves(names: ModelServer) {
  const server = await openInferenceServer(names.url)
  const vision = halfOf(server, await server.model(names.vision), 'pixel_values', 'image_embeds', ['FP32', 'FP16'])
  const text = halfOf(server, await server.model(names.text), 'input_ids', 'text_embeds', ['INT64', 'INT32'])
  return { server, vision, text }
}

const fingerprintOf = ({ files }: ModelIdentity, vision: Half, text: Half): string =>
  sha256(canonicalJson(['open-inference', vision.version, text.version, files]))

interface Half {
  readonly name: string
  /** The version of the model that the server runs. */
  readonly version: unknown
  readonly input: RemoteTensor
  readonly mask: RemoteTensor | null
  readonly output: string
  /** Number of rows that a request must have; null if it may vary. */
  readonly fixedBatch: number | null
  readonly maxBatch: number | null
}

function halfOf(
  server: InferenceServer,
  model: RemoteModel,
  inputName: string,
  outputName: string,
  datatypes: readonly string[],
): Half {
  const mask = model.inputs.find(({ name }) => name === 'attention_mask') ?? null
  const others = model.inputs.filter((input) => input !== mask)
  const input = others.find(({ name }) => name === inputName) ?? others[0]
  const refuse = (what: string) =>
    new InputError(
      'bad-model',
      `${model.name} at ${server.host} ${what}; serve each half of a CLIP as a separate model.`,
    )
  if (input === undefined || others.length !== 1)
    throw refuse(`has the inputs ${model.inputs.map(({ name }) => name).join(', ')}, expected only ${inputName}`)
  if (!datatypes.includes(input.datatype))
    throw refuse(`takes ${input.datatype} for ${input.name}, not ${datatypes.join(' or ')}`)
  const output = model.outputs.find(({ name }) => name === outputName) ?? model.outputs[0]
  if (output === undefined) throw refuse('has no output')
  const [rows] = input.shape
  return {
    name: model.name,
    version: [model.name, model.versions, model.platform],
    input,
    mask,
    output: output.name,
    fixedBatch: rows !== undefined && rows > 0 ? rows : null,
    maxBatch: model.maxBatch,
  }
}

/** The rows of the output, each normalised. */
async function infer(
  server: InferenceServer,
  { name, input, mask, output }: Half,
  feeds: readonly { readonly shape: readonly number[]; readonly data: Float32Array | BigInt64Array }[],
): Promise<Float32Array[]> {
  const tensors = [input, ...(mask ? [mask] : [])]
  const rows = feeds[0]!.shape[0]!
  const { shape, data } = await server.infer(
    name,
    feeds.map((feed, i) => ({ ...tensors[i]!, ...feed })),
    output,
  )
  if (shape.length !== 2 || shape[0] !== rows || data.length !== shape[0] * shape[1]!) {
    const message = `${name} at ${server.host} gives ${shape.join(' x ')} numbers as ${output}, expected ${rows} embeddings; serve the model with its projection layer.`
    throw new InputError('bad-model', message)
  }
  const length = shape[1]!
  return Array.from({ length: rows }, (_, row) => normalised(data.slice(row * length, (row + 1) * length)))
}
