// @module-tag slow
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DataFault } from '@skyscript/core'
import { openScorer, type ScorePair, type Scorer } from '@skyscript/filter'
import sharp from 'sharp'
import { expect, onTestFinished, test } from 'vitest'
import { startInferenceServer, type TestServer } from './support/inference-server.ts'
import { DEMO_MODEL, temporaryFolder } from './support/models.ts'

const COLOURS = ['red', 'green', 'blue', 'yellow', 'black', 'teal', 'olive']

const pairs: ScorePair[] = await Promise.all(
  Array.from({ length: 40 }, async (_, i) => {
    const background = COLOURS[i % 7]!
    const image = await sharp({ create: { width: 40 + 9 * i, height: 300 - 3 * i, channels: 3, background } })
      .jpeg()
      .toBuffer()
    return { image, caption: `a satellite image of ${COLOURS[i % 5]} water` }
  }),
)

async function open(server: TestServer | string, options: { batch?: number; model?: string } = {}): Promise<Scorer> {
  const url = typeof server === 'string' ? server : server.url
  const scorer = await openScorer({
    name: 'remote',
    model: DEMO_MODEL,
    cacheFolder: '/nowhere',
    server: { url, vision: 'vision', text: 'text' },
    ...options,
  })
  onTestFinished(() => scorer.close())
  return scorer
}

async function local(): Promise<Scorer> {
  const scorer = await openScorer({ name: 'local', model: DEMO_MODEL, cacheFolder: '/nowhere' })
  onTestFinished(() => scorer.close())
  return scorer
}

test.each([{ binary: true }, { binary: false }])(
  'a server gives the same scores as this machine (%j)',
  async (options) => {
    const server = await startInferenceServer(DEMO_MODEL, options)
    const [here, there] = [await local(), await open(server, { batch: 8 })]
    const due = (await here.score(pairs)) as number[]
    const given = (await there.score(pairs)) as number[]
    expect(due.filter((value) => typeof value !== 'number')).toEqual([])
    expect(given.filter((value) => typeof value !== 'number')).toEqual([])
    for (const [i, value] of given.entries()) expect(Math.abs(value - due[i]!)).toBeLessThan(1e-5)
    expect(server.requests.filter(({ path }) => path.includes('vision')).map(({ rows }) => rows)).toEqual([
      8, 8, 8, 8, 8,
    ])
    expect(server.requests.filter(({ path }) => path.includes('text'))).toHaveLength(5)
    expect(server.peak).toBeGreaterThan(1)
    expect(server.peak).toBeLessThanOrEqual(4)
  },
)

test('with a server, only the model’s tokenizer and preprocessing are needed locally', async () => {
  const server = await startInferenceServer(DEMO_MODEL)
  const folder = await temporaryFolder()
  for (const name of ['tokenizer.json', 'preprocessor_config.json'])
    await copyFile(join(DEMO_MODEL, name), join(folder, name))
  const whole = await (await open(server)).score(pairs.slice(0, 5))
  expect(await (await open(server, { model: folder })).score(pairs.slice(0, 5))).toEqual(whole)
  await expect(openScorer({ name: 'x', model: folder, cacheFolder: folder })).rejects.toThrow('onnx/text_model.onnx')
})

test('half-precision inputs, other names and small batches are supported', async () => {
  const server = await startInferenceServer(DEMO_MODEL, { imageType: 'FP16', inputName: 'images', maxBatch: 5 })
  const [here, there] = [await local(), await open(server)]
  const due = (await here.score(pairs)) as number[]
  for (const [i, value] of (await there.score(pairs)).entries())
    expect(Math.abs((value as number) - due[i]!)).toBeLessThan(2e-3)
  expect(Math.max(...server.requests.map(({ rows }) => rows))).toBe(5)
})

test('occasional failures are retried, and change no score', async () => {
  const server = await startInferenceServer(DEMO_MODEL)
  const scorer = await open(server)
  const due = await scorer.score(pairs)
  let turn = 0
  server.fault = () => (['die', null, 'unavailable', null, null] as const)[turn++ % 5]!
  expect(await (await open(server)).score(pairs)).toEqual(due)
  expect(turn).toBeGreaterThan(4)
})

test('a server that dies gives a retryable error that names it without its password', async () => {
  const server = await startInferenceServer(DEMO_MODEL)
  const scorer = await open(server.url.replace('http://', 'http://me:secret@'))
  await scorer.score(pairs.slice(0, 1))
  await server.stop()
  const error = await scorer.score(pairs).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code: 'model-server-failed', retry: true })
  expect((error as Error).message).toContain(new URL(server.url).host)
  expect(JSON.stringify([(error as Error).message, (error as Error).cause])).not.toContain('secret')
})

test('scores that are NaN are faults of their pairs', async () => {
  const server = await startInferenceServer(DEMO_MODEL)
  const scorer = await open(server)
  server.fault = () => 'nan'
  for (const result of await scorer.score(pairs.slice(0, 3)))
    expect((result as DataFault).code).toBe('similarity-not-a-number')
})

test.each([
  ['html', 'model-server-failed', 'so it is not a server of the Open Inference Protocol'],
  ['shape', 'bad-model', 'embeddings; serve the model with its projection layer'],
  ['other-type', 'model-server-failed', 'gives image_embeds as BYTES'],
] as const)('an invalid response (%s) is an error, not a score', async (fault, code, message) => {
  const server = await startInferenceServer(DEMO_MODEL)
  const scorer = await open(server)
  server.fault = () => fault
  const error = await scorer.score(pairs.slice(0, 3)).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ code })
  expect((error as Error).message).toContain(message)
})

test('an unreachable server, or one without the model, is detected when the scorer is opened', async () => {
  await expect(open('http://127.0.0.1:9')).rejects.toMatchObject({ code: 'model-server-failed' })
  const server = await startInferenceServer(DEMO_MODEL)
  const missing = openScorer({
    name: 'x',
    model: DEMO_MODEL,
    cacheFolder: '/nowhere',
    server: { url: server.url, vision: 'nothing', text: 'text' },
  })
  await expect(missing).rejects.toThrow('unknown model /v2/models/nothing')
})
