// @module-tag slow
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Tokenizer } from '@huggingface/tokenizers'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { judge } from '../src/model/judge.ts'
import { classOf, readPairs } from '../src/model/pictures.ts'

const DEMO = fileURLToPath(new URL('..', import.meta.url))
const MODEL = join(DEMO, 'model')
const SKYSCRIPT = fileURLToPath(new URL('../../../packages/worker/src/main.ts', import.meta.url))

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'skyscript-demo-model-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the model has the inputs and outputs of CLIP, and is small', async () => {
  const vision = await InferenceSession.create(join(MODEL, 'onnx', 'vision_model.onnx'))
  const text = await InferenceSession.create(join(MODEL, 'onnx', 'text_model.onnx'))
  expect([vision.inputNames, vision.outputNames]).toEqual([['pixel_values'], ['image_embeds']])
  expect([text.inputNames, text.outputNames]).toEqual([['input_ids'], ['text_embeds']])
  const { image_embeds } = await vision.run({
    pixel_values: new Tensor('float32', new Float32Array(2 * 3 * 224 * 224).fill(0.5), [2, 3, 224, 224]),
  })
  const { text_embeds } = await text.run({ input_ids: new Tensor('int64', new BigInt64Array(3 * 77), [3, 77]) })
  expect(image_embeds!.dims).toEqual([2, text_embeds!.dims[1]])
  expect(text_embeds!.dims[0]).toBe(3)
  for (const value of [...(image_embeds!.data as Float32Array), ...(text_embeds!.data as Float32Array)]) {
    expect(Number.isFinite(value)).toBe(true)
  }
  const files = ['onnx/vision_model.onnx', 'onnx/text_model.onnx', 'tokenizer.json', 'preprocessor_config.json']
  const bytes = files.reduce((sum, file) => sum + statSync(join(MODEL, file)).size, 0)
  expect(bytes).toBeLessThan(1_000_000)
})

test('padding with 0 or with the end token makes no difference', async () => {
  const tokenizer = new Tokenizer(JSON.parse(readFileSync(join(MODEL, 'tokenizer.json'), 'utf8')), {})
  const { ids } = tokenizer.encode('a satellite image of natural water')
  const padded = (pad: number) => BigInt64Array.from({ length: 77 }, (_, at) => BigInt(ids[at] ?? pad))
  const text = await InferenceSession.create(join(MODEL, 'onnx', 'text_model.onnx'))
  const run = async (row: BigInt64Array) => [
    ...((await text.run({ input_ids: new Tensor('int64', row, [1, 77]) })).text_embeds!.data as Float32Array),
  ]
  expect(await run(padded(0))).toEqual(await run(padded(ids.at(-1)!)))
})

test('on pictures of the town it never saw, the right caption beats a caption of another class in 90 % of cases', async () => {
  // One object of each tag, so that common kinds don't dominate.
  const region = readFileSync(join(DEMO, 'region.yaml'), 'utf8')
    .replace('source: town.osm.pbf', `source: ${JSON.stringify(join(DEMO, 'town.osm.pbf'))}`)
    .replace('model: ./model', `model: ${JSON.stringify(MODEL)}`)
    .replace(/^selection:\n( .*\n)*/m, '')
    .replace(', benchmark: 20', '')
  const file = join(folder, 'region.yaml')
  writeFileSync(file, `${region}\nselection: { maxPerTag: 1 }\n`)
  const build = spawnSync(process.execPath, [SKYSCRIPT, 'build', file], { encoding: 'utf8' })
  expect(build.status, build.stderr).toBe(0)
  const pairs = readPairs(join(folder, 'out'))
  expect(pairs.length).toBeGreaterThan(100)
  expect(new Set(pairs.map(({ title }) => classOf(title))).size).toBeGreaterThan(60)
  const { right, compared, worst } = await judge(MODEL, pairs)
  const share = right / compared
  expect(share, `worst: ${JSON.stringify(worst.slice(0, 8))}`).toBeGreaterThanOrEqual(0.9)
}, 120_000)
