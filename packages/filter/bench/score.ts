/**
 * Pairs per second of a scorer, from JPEGs and captions to similarities, compared with bare onnxruntime on prepared
 * tensors: the same model, batch size and threads, alternating.
 *
 *   npm run bench:score -- [--model folder or hub id] [--device cpu] [--batch n] [--images 128] [--rounds 5] [--pixels 300]
 *
 * Without --model, uses one of the size of ViT-B/32 with random weights. Images are like a dataset's: 300 pixels a side, 17 KB.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Device } from '@skyscript/core'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { inputSize } from '../src/clip/preprocess.ts'
import { parsePreprocessing } from '../src/clip/preprocessor-config.ts'
import { findModel } from '../src/model/find-model.ts'
import { onnxClip } from '../src/scorers/onnx-clip.ts'
import { createScoring } from '../src/scoring.ts'
import { pictureOf } from './picture.ts'
import { writeRandomModel } from './vit.ts'

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    device: { type: 'string', default: 'cpu' },
    batch: { type: 'string' },
    images: { type: 'string', default: '128' },
    rounds: { type: 'string', default: '5' },
    pixels: { type: 'string', default: '300' },
  },
})
const device = values.device as Device
const count = Number(values.images)
const side = Number(values.pixels)
const folder = await mkdtemp(join(tmpdir(), 'skyscript-bench-score-'))

const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[list.length >> 1]!
const show = (what: string, value: number, unit: string) =>
  console.log(`${what.padEnd(44)}${value.toFixed(2).padStart(9)} ${unit}`)

try {
  const model = values.model ?? (await writeRandomModel(folder))
  const found = await findModel({ model, cacheFolder: join(tmpdir(), 'skyscript-models') })
  const config = join(found.folder, 'preprocessor_config.json')
  const preprocessing = parsePreprocessing(await readFile(config, 'utf8'), config)
  const batch = values.batch === undefined ? null : Number(values.batch)
  const embedder = await onnxClip.open(found, preprocessing, {
    name: 'bench',
    model: found.folder,
    cacheFolder: '',
    device,
    batch,
  })
  const scoring = createScoring([{ name: 'bench', embedder }])
  const pairs = await Promise.all(
    Array.from({ length: count }, async (_, i) => ({
      image: await pictureOf(i, side),
      caption: 'a satellite image of a house',
    })),
  )
  console.log(
    `${values.model ?? 'ViT-B/32 with random weights'} on ${device}, ${availableParallelism()} threads, ${count} images of ${side} pixels`,
  )
  // Finds the batch size, embeds the caption, and warms both up.
  await scoring.score([...pairs, ...pairs])
  show('batch size found', embedder.batch, 'images')

  const { width, height } = inputSize(preprocessing)!
  const session = await InferenceSession.create(join(found.folder, 'onnx', 'vision_model.onnx'), {
    executionProviders: [device],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: availableParallelism(),
    executionMode: 'sequential',
  })
  const samples = new Float32Array(embedder.batch * 3 * width * height).fill(0.1)
  const input = new Tensor('float32', samples, [embedder.batch, 3, height, width])
  const alone = async () => {
    for (let done = 0; done < count; done += embedder.batch) await session.run({ [session.inputNames[0]!]: input })
  }
  await alone()
  const rates: Record<'ours' | 'alone', number[]> = { ours: [], alone: [] }
  for (let round = 0; round < Number(values.rounds); round++) {
    let started = performance.now()
    await alone()
    const whole = Math.ceil(count / embedder.batch) * embedder.batch
    rates.alone.push((1000 * whole) / (performance.now() - started))
    started = performance.now()
    await scoring.score(pairs)
    rates.ours.push((1000 * count) / (performance.now() - started))
  }
  show('bare onnxruntime, ready tensors', median(rates.alone), 'images/s')
  show('skyscript, from JPEGs to similarities', median(rates.ours), 'images/s')
  show(
    'share of the rate of bare onnxruntime',
    median(rates.ours.map((rate, i) => rate / rates.alone[i]!)),
    '(goal 0.95)',
  )

  const captions = Array.from({ length: 32 }, (_, i) => `a satellite image of house number ${i}`)
  const started = performance.now()
  for (const caption of captions) await embedder.embedText(caption)
  show('captions, embedded once each', (1000 * captions.length) / (performance.now() - started), 'captions/s')
  show('peak memory', process.resourceUsage().maxRSS / 1024, 'MB')
  await scoring.close()
} finally {
  await rm(folder, { recursive: true, force: true })
}
