/**
 * Speed of evaluations: embeddings beside bare onnxruntime, then classification and retrieval of embeddings, with numpy doing the same
 * products of blocks and counting in the same run.
 *
 *   npm run bench:evaluate -- [--model folder] [--images 128] [--rounds 5] [--pairs 30000] [--length 768]
 *
 * Without --model, uses one of the size of ViT-B/32 with random weights. numpy is that of `python3`.
 */
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Classification, classVectors, PROMPTS, retrieve } from '@skyscript/benchmark'
import { openDualEncoder } from '@skyscript/filter'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { pictureOf } from '../../filter/bench/picture.ts'
import { writeRandomModel } from '../../filter/bench/vit.ts'

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    images: { type: 'string', default: '128' },
    rounds: { type: 'string', default: '5' },
    pairs: { type: 'string', default: '30000' },
    length: { type: 'string', default: '768' },
  },
})
const [images, rounds, pairs, length] = [values.images, values.rounds, values.pairs, values.length].map(Number) as [
  number,
  number,
  number,
  number,
]
/** The original's SkyScript_cls, with more images. */
const [CLASSIFIED, CLASSES] = [10_000, 70]
const SIDE = 224

const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[list.length >> 1]!
const show = (what: string, value: number, unit: string) =>
  console.log(`${what.padEnd(60)}${value.toFixed(2).padStart(9)} ${unit}`)
console.log(`${availableParallelism()} threads`)

async function embeddings(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-bench-evaluate-'))
  try {
    const model = values.model ?? (await writeRandomModel(folder))
    const batch = 16
    const encoder = await openDualEncoder({ name: 'bench', model, cacheFolder: folder, batch })
    const files = await Promise.all(Array.from({ length: images }, (_, i) => pictureOf(i, 300)))
    const session = await InferenceSession.create(join(model, 'onnx', 'vision_model.onnx'), {
      graphOptimizationLevel: 'all',
      intraOpNumThreads: availableParallelism(),
      executionMode: 'sequential',
    })
    const samples = new Float32Array(batch * 3 * SIDE * SIDE).fill(0.1)
    const input = new Tensor('float32', samples, [batch, 3, SIDE, SIDE])
    const bare = async () => {
      for (let done = 0; done < images; done += batch) await session.run({ [session.inputNames[0]!]: input })
    }
    await encoder.embedImages(files)
    await bare()
    const shares: number[] = []
    for (let round = 0; round < rounds; round++) {
      const started = performance.now()
      await bare()
      const between = performance.now()
      await encoder.embedImages(files)
      const ended = performance.now()
      const whole = Math.ceil(images / batch) * batch
      shares.push(((between - started) / whole / (ended - between)) * images)
    }
    show('embeddings: share of the rate of bare onnxruntime', median(shares), '(goal 0.95)')
    await session.release()
    await encoder.close()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Repeatable vectors of length 1, one after the other. */
function unitVectors(count: number, seed: number): Float32Array {
  const data = new Float32Array(count * length)
  let state = seed
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    data[i] = state / 2 ** 31 - 1
  }
  for (let i = 0; i < count; i++) {
    const vector = data.subarray(i * length, (i + 1) * length)
    const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
    for (let k = 0; k < length; k++) vector[k]! /= norm
  }
  return data
}

async function classification(): Promise<void> {
  const names = Array.from({ length: CLASSES }, (_, i) => `class ${i}`)
  const prompts = PROMPTS.SkyScript_cls!
  const texts = unitVectors(CLASSES * prompts.length, 5)
  const data = unitVectors(CLASSIFIED, 6)
  let next = 0
  const embedText = async () => texts.subarray(next * length, ++next * length)
  const started = performance.now()
  const counting = new Classification(names, await classVectors(names, prompts, { embedText, textsAtOnce: 1 }))
  for (let i = 0; i < CLASSIFIED; i++) counting.add(data.subarray(i * length, (i + 1) * length), i % CLASSES)
  counting.accuracy()
  const what = `classification: ${CLASSIFIED} images, ${CLASSES} classes, ${prompts.length} prompts`
  show(what, (performance.now() - started) / 1000, 's (goal 1)')
}

async function retrieval(): Promise<void> {
  const vectors = { data: unitVectors(pairs, 7), length }
  const texts = { data: unitVectors(pairs, 8), length }
  const own = Array.from({ length: pairs }, (_, i): [number, number] => [i, i])
  const used = process.cpuUsage()
  const started = performance.now()
  await retrieve(vectors, texts, own)
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(used)
  show(`retrieval: ${pairs} images and texts of ${length} numbers`, seconds, 's (goal 60 for 30000)')
  show('  processor time', (user + system) / 1e6, 's')
  show('  peak memory of this process', process.resourceUsage().maxRSS / 2 ** 20, 'GB (goal 2)')
  const { status, stdout, stderr } = spawnSync('python3', ['-c', NUMPY, String(pairs), String(length)], {
    encoding: 'utf8',
  })
  if (status === 0) show('  the same with numpy, products of blocks and counting', Number(stdout), 's')
  else console.log(`  numpy can't be compared: ${stderr.trim().split('\n').at(-1)}`)
}

/** Counts, for each query of both directions, the candidates above its answer. */
const NUMPY = `
import sys, time
import numpy
pairs, length = int(sys.argv[1]), int(sys.argv[2])
random = numpy.random.default_rng(1)
def unit():
    rows = random.standard_normal((pairs, length), dtype=numpy.float32)
    return rows / numpy.linalg.norm(rows, axis=1, keepdims=True)
images, texts = unit(), unit()
started = time.perf_counter()
answers = (images * texts).sum(axis=1)
above_image, above_text = numpy.zeros(pairs, int), numpy.zeros(pairs, int)
for at in range(0, pairs, 1024):
    products = images[at:at + 1024] @ texts.T
    above_image[at:at + 1024] = (products > answers[at:at + 1024, None]).sum(axis=1)
    above_text += (products > answers[None, :]).sum(axis=0)
print(time.perf_counter() - started)
`

// The peak of memory is that of the whole process, so embeddings come last.
await classification()
await retrieval()
await embeddings()
