/**
 * Counts in how many of 10,000 pairs a different number of threads, graph optimization, or batch size changes the sixth
 * digit of a similarity, and how many pairs move into or out of the top 30 %. This approximates other processors, whose
 * kernels also sum in other orders.
 *
 *   npm run bench:last-bits -- [--model folder] [--images 100] [--captions 100]
 *
 * Without --model, uses one of the size of ViT-B/32 with random weights.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { seededFraction } from '@skyscript/core'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { normalised } from '../src/clip/clip-model.ts'
import type { RgbImage } from '../src/clip/pillow-resize.ts'
import { inputSize, toSamples } from '../src/clip/preprocess.ts'
import { parsePreprocessing } from '../src/clip/preprocessor-config.ts'
import { CONTEXT_LENGTH, createTokenizer } from '../src/clip/tokens.ts'
import { PREPROCESSING, textModel, visionModel } from './vit.ts'

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    images: { type: 'string', default: '100' },
    captions: { type: 'string', default: '100' },
  },
})
const DEMO = fileURLToPath(new URL('../../../examples/demo/model', import.meta.url))
const cores = Math.max(2, availableParallelism())

type Level = NonNullable<InferenceSession.SessionOptions['graphOptimizationLevel']>
interface Variant {
  readonly name: string
  readonly threads: number
  readonly level: Level
  readonly batch: number
}

const SHIPPED: Variant = { name: 'as shipped', threads: cores, level: 'all', batch: 8 }
const OTHERS: readonly Variant[] = [
  { ...SHIPPED, name: 'as shipped, again' },
  { ...SHIPPED, name: '1 thread', threads: 1 },
  { ...SHIPPED, name: `${2 * cores} threads`, threads: 2 * cores },
  { ...SHIPPED, name: 'one image at a time', batch: 1 },
  { ...SHIPPED, name: 'basic optimization', level: 'basic' },
  { ...SHIPPED, name: '1 thread, no optimization', threads: 1, level: 'disabled' },
]

/** Fields of many colours and sizes, so that embeddings differ in every dimension. */
function pictureOf(i: number): RgbImage {
  const [width, height] = [200 + (i % 7) * 30, 180 + (i % 5) * 40]
  const data = new Uint8Array(width * height * 3)
  const draw = (name: string) => seededFraction(51, name, String(i))
  const [across, down, tilt] = [8 + 60 * draw('across'), 8 + 60 * draw('down'), draw('tilt')]
  for (let at = 0; at < width * height; at++) {
    const [x, y] = [at % width, Math.floor(at / width)]
    const field = (Math.floor((x + tilt * y) / across) * 7 + Math.floor(y / down) * 13 + i) % 11
    for (let channel = 0; channel < 3; channel++) {
      data[3 * at + channel] = (draw(`colour ${field} ${channel}`) * 220 + ((x * 31 + y * 17) % 29)) & 255
    }
  }
  return { data, width, height }
}

const KINDS = ['building of house', 'natural water', 'road of residential', 'landuse of farmland', 'golf bunker']
const MORE = ['surface of asphalt', 'roof shape of flat', 'lanes of 2', 'oneway', 'leaf type is mixed', 'water of lake']
const captionOf = (i: number) =>
  `a satellite image of ${KINDS[i % 5]}, ${MORE[Math.floor(i / 5) % 6]}, ${KINDS[(i * 7) % 5]} ${Math.floor(i / 30)}`

async function models(): Promise<{ vision: string | Uint8Array; text: string | Uint8Array; folder: string }> {
  if (values.model !== undefined) {
    const file = (name: string) => join(values.model!, 'onnx', name)
    return { vision: file('vision_model.onnx'), text: file('text_model.onnx'), folder: values.model }
  }
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-last-bits-'))
  await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify(PREPROCESSING))
  await writeFile(join(folder, 'tokenizer.json'), await readFile(join(DEMO, 'tokenizer.json')))
  return { vision: visionModel(), text: textModel(), folder }
}

const { vision, text, folder } = await models()
const configFile = join(folder, 'preprocessor_config.json')
const preprocessing = parsePreprocessing(await readFile(configFile, 'utf8'), configFile)
const tokenizer = createTokenizer(await readFile(join(folder, 'tokenizer.json'), 'utf8'), 'tokenizer.json')
if (values.model === undefined) await rm(folder, { recursive: true })
const { width, height } = inputSize(preprocessing)!
const size = 3 * width * height
const samples = Array.from({ length: Number(values.images) }, (_, i) => {
  const out = new Float32Array(size)
  toSamples(pictureOf(i), preprocessing, out)
  return out
})

function open(model: string | Uint8Array, { threads, level }: Variant): Promise<InferenceSession> {
  const options = { graphOptimizationLevel: level, intraOpNumThreads: threads, executionMode: 'sequential' } as const
  return typeof model === 'string'
    ? InferenceSession.create(model, { ...options, logSeverityLevel: 3 })
    : InferenceSession.create(model, { ...options, logSeverityLevel: 3 })
}

function rows(tensor: Tensor): Float32Array[] {
  const [count, length] = tensor.dims as [number, number]
  return Array.from({ length: count }, (_, i) =>
    normalised((tensor.data as Float32Array).slice(i * length, (i + 1) * length)),
  )
}

/** Similarities of every image with every caption. */
async function similarities(variant: Variant): Promise<Float64Array> {
  const seeing = await open(vision, variant)
  const images: Float32Array[] = []
  const name = seeing.inputNames.find((each) => each === 'pixel_values') ?? seeing.inputNames[0]!
  const [fixed] = seeing.inputMetadata[0]!.isTensor ? seeing.inputMetadata[0]!.shape : []
  const batch = typeof fixed === 'number' ? fixed : variant.batch
  for (let at = 0; at < samples.length; at += batch) {
    const some = samples.slice(at, at + batch)
    const input = new Float32Array(batch * size)
    for (const [i, each] of some.entries()) input.set(each, i * size)
    const output = await seeing.run({ [name]: new Tensor('float32', input, [batch, 3, height, width]) })
    images.push(
      ...rows(output[seeing.outputNames.find((each) => each === 'image_embeds') ?? seeing.outputNames[0]!]!).slice(
        0,
        some.length,
      ),
    )
  }
  await seeing.release()
  const reading = await open(text, variant)
  const captions: Float32Array[] = []
  for (let i = 0; i < Number(values.captions); i++) {
    const ids = new BigInt64Array(CONTEXT_LENGTH)
    const used = tokenizer.encode(captionOf(i), ids)
    const feeds: Record<string, Tensor> = {}
    for (const input of reading.inputMetadata) {
      const isMask = input.name === 'attention_mask'
      const numbers = isMask ? ids.map((_, at) => (at < used ? 1n : 0n)) : ids
      feeds[input.name] =
        input.isTensor && input.type === 'int32'
          ? new Tensor('int32', Int32Array.from(numbers, Number), [1, ids.length])
          : new Tensor('int64', numbers, [1, ids.length])
    }
    const output = await reading.run(feeds)
    captions.push(
      rows(output[reading.outputNames.find((each) => each === 'text_embeds') ?? reading.outputNames[0]!]!)[0]!,
    )
  }
  await reading.release()
  const all = new Float64Array(images.length * captions.length)
  for (const [i, image] of images.entries()) {
    for (const [j, caption] of captions.entries()) {
      let sum = 0
      for (let k = 0; k < image.length; k++) sum += image[k]! * caption[k]!
      all[i * captions.length + j] = Math.fround(sum)
    }
  }
  return all
}

const SIX = 1e6
/** Indices of the top 30 %: by similarity to six digits, then by index. */
function topOf(all: Float64Array): Set<number> {
  const rounded = Array.from(all, (value) => Math.round(value * SIX))
  const order = rounded.map((_, i) => i).sort((a, b) => rounded[b]! - rounded[a]! || a - b)
  return new Set(order.slice(0, Math.round(order.length * 0.3)))
}

const reference = await similarities(SHIPPED)
const top = topOf(reference)
console.log(
  `${values.model ?? 'ViT-B/32 with random weights'}, ${reference.length} pairs, compared with ${cores} threads`,
)
console.log(`${''.padEnd(30)}sixth digit differs   largest difference   moved across the top 30 %`)
for (const variant of OTHERS) {
  const all = await similarities(variant)
  let [differ, largest] = [0, 0]
  for (const [i, value] of all.entries()) {
    if (Math.round(value * SIX) !== Math.round(reference[i]! * SIX)) differ++
    largest = Math.max(largest, Math.abs(value - reference[i]!))
  }
  const moved = [...topOf(all)].filter((i) => !top.has(i)).length
  console.log(
    `${variant.name.padEnd(30)}${String(differ).padStart(19)}${largest.toExponential(1).padStart(21)}${String(moved).padStart(26)}`,
  )
}
