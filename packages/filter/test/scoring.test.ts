// @module-tag slow
import { Worker } from 'node:worker_threads'
import { DataFault } from '@skyscript/core'
import { openScorer, openScoring, type ScorePair, type Scorer } from '@skyscript/filter'
import { listSupportedBackends } from 'onnxruntime-node'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findBatchSize } from '../src/batch-size.ts'
import { decodeRgb } from '../src/clip/preprocess.ts'
import { DEMO_MODEL, numbers, smallModelFiles, temporaryFolder, writeFiles } from './support/models.ts'
import { meanColourModel, tokenSumModel } from './support/onnx.ts'

let demo: Scorer
beforeAll(async () => {
  demo = await openScorer({ name: 'demo', model: DEMO_MODEL, cacheFolder: '/nowhere' })
})
afterAll(() => demo.close())

/** A plain picture with a stripe, so that crops and resizes differ. */
async function picture(colour: string, width = 60, height = 40): Promise<Buffer> {
  const stripe = await sharp({ create: { width: 5, height, channels: 3, background: 'white' } })
    .png()
    .toBuffer()
  const canvas = sharp({ create: { width, height, channels: 3, background: colour } })
  return canvas
    .composite([{ input: stripe, left: 10, top: 0 }])
    .jpeg()
    .toBuffer()
}

const COLOURS = ['red', 'green', 'blue', 'yellow', 'black', 'teal', 'olive']

/** More pairs than one batch holds, with repeated captions. */
async function manyPairs(): Promise<ScorePair[]> {
  const pairs: ScorePair[] = []
  for (let i = 0; i < 21; i++) {
    const image = await picture(COLOURS[i % 7]!, 40 + 9 * i, 90 - 3 * i)
    pairs.push({ image, caption: `a satellite image of ${COLOURS[i % 5]} water` })
  }
  return pairs
}

async function withSmallModel<T>(
  changes: Readonly<Record<string, Uint8Array | string>>,
  use: (scorer: Scorer) => Promise<T>,
): Promise<T> {
  const folder = await writeFiles(await temporaryFolder(), { ...smallModelFiles(), ...changes })
  const scorer = await openScorer({ name: 'small', model: folder, cacheFolder: folder })
  try {
    return await use(scorer)
  } finally {
    await scorer.close()
  }
}

test('a pair has the same score by itself, in a batch, in another order and beside broken ones', async () => {
  const pairs = await manyPairs()
  const together = (await demo.score(pairs)) as number[]
  expect(new Set(together).size).toBeGreaterThan(15)
  for (const i of [0, 3, 16, 20]) expect(await demo.score([pairs[i]!])).toEqual([together[i]])
  expect(await demo.score(pairs.toReversed())).toEqual(together.toReversed())
  const broken: ScorePair = { image: Buffer.from('no image'), caption: 'a satellite image of a house' }
  const mixed = await demo.score(pairs.flatMap((pair) => [broken, pair]))
  expect(mixed.filter((result) => typeof result === 'number')).toEqual(together)
})

test('concurrent calls return each caller’s own scores', async () => {
  const pairs = await manyPairs()
  const calls = await Promise.all(
    [pairs.slice(0, 2), pairs.slice(2, 5), pairs.slice(5)].map((some) => demo.score(some)),
  )
  expect(calls.flat()).toEqual(await demo.score(pairs))
})

test('a pair that cannot be scored gives its own fault, and the others are scored', async () => {
  const good = await picture('green')
  const caption = 'a satellite image of natural water'
  const gif = Buffer.from('R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=', 'base64')
  const svg = Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
  )
  const results = await demo.score([
    { image: good, caption },
    { image: good.subarray(0, good.length - 20), caption },
    { image: new Uint8Array(0), caption },
    { image: gif, caption },
    { image: svg, caption },
    { image: good, caption: '' },
    { image: good, caption: ' \t\n' },
    { image: new Uint8Array(0), caption: '' },
    { image: good, caption },
  ])
  expect(results.map((result) => (result instanceof DataFault ? result.code : typeof result))).toEqual([
    'number',
    ...Array(4).fill('unreadable-image'),
    ...Array(2).fill('empty-caption'),
    'unreadable-image',
    'number',
  ])
  expect(results.at(-1)).toBe(results[0])
  for (const result of results) if (result instanceof DataFault) expect(result.message).toMatch(/^[A-Z][^\n]*\.$/)
})

test('of all formats that sharp reads, only JPEG and PNG are scored', async () => {
  const drawn = sharp({ create: { width: 40, height: 30, channels: 3, background: 'green' } })
  const kinds = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const
  const pairs = await Promise.all(
    kinds.map(async (kind) => ({
      image: await drawn.clone().toFormat(kind).toBuffer(),
      caption: 'a satellite image of water',
    })),
  )
  const results = await demo.score(pairs)
  expect(results.map((result) => typeof result === 'number')).toEqual(
    kinds.map((kind) => ['jpeg', 'png'].includes(kind)),
  )
})

test('a starting thread does not break an image that another thread is reading', async () => {
  const starting = new Worker(new URL('./support/load-decoder.ts', import.meta.url))
  const image = await picture('red')
  const alone = await decodeRgb(image)
  try {
    for (let i = 0; i < 300; i++) {
      const decoded = await Promise.all(Array.from({ length: 8 }, () => decodeRgb(image)))
      expect(decoded.every(({ data }) => Buffer.compare(data, alone.data) === 0)).toBe(true)
    }
  } finally {
    await starting.terminate()
  }
})

test('an image of a billion pixels is refused by its header', async () => {
  const header = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  const bomb = Buffer.from(header)
  bomb.writeUInt32BE(40_000, 16)
  bomb.writeUInt32BE(40_000, 20)
  const [result] = await demo.score([{ image: bomb, caption: 'a satellite image of water' }])
  expect(result).toBeInstanceOf(DataFault)
  expect((result as DataFault).code).toBe('unreadable-image')
})

test('hostile captions get a cosine, and no pairs get no scores', async () => {
  expect(await demo.score([])).toEqual([])
  const image = await picture('blue')
  const captions = [
    '__proto__',
    '\0',
    '\ud800',
    '村 橋 水 🛰️',
    'x '.repeat(200_000),
    '<|endoftext|> water',
    'constructor',
  ]
  const results = await demo.score(captions.map((caption) => ({ image, caption })))
  for (const result of results) {
    if (result instanceof DataFault) expect(result.code).toBe('similarity-not-a-number')
    else expect(Math.abs(result)).toBeLessThanOrEqual(1)
  }
})

test('grey, transparent, 16-bit and CMYK pictures are scored as their RGB pixels', async () => {
  const rgb = (background: string) => sharp({ create: { width: 50, height: 50, channels: 3, background } })
  const caption = 'a satellite image of natural water'
  const grey = rgb('#808080')
  const images = [
    await grey.clone().png().toBuffer(),
    await grey.clone().toColourspace('b-w').png().toBuffer(),
    await grey.clone().ensureAlpha(0).png().toBuffer(),
    await grey.clone().toColourspace('rgb16').png().toBuffer(),
  ]
  const scores = await demo.score(images.map((image) => ({ image, caption })))
  expect(scores.slice(1)).toEqual([scores[0], scores[0], scores[0]])
  const cmyk = await rgb('#c03020').toColourspace('cmyk').jpeg().toBuffer()
  const [inCmyk] = await demo.score([{ image: cmyk, caption }])
  expect(inCmyk).toBeTypeOf('number')
})

test('an embedding of zeros is a fault of its pair, not a number', async () => {
  const zeros = tokenSumModel({ tokens: 12, weights: new Float32Array(12 * 4) })
  const image = await picture('red')
  const [result] = await withSmallModel({ 'onnx/text_model.onnx': zeros }, (scorer) =>
    scorer.score([{ image, caption: 'a b' }]),
  )
  expect(result).toBeInstanceOf(DataFault)
  expect((result as DataFault).code).toBe('similarity-not-a-number')
})

test('models with 32-bit ids, with a mask or with a fixed batch score the same', async () => {
  const pairs = (await manyPairs()).map(({ image }, i) => ({ image, caption: ['a', 'b c', 'd d a'][i % 3]! }))
  const score = (changes: Readonly<Record<string, Uint8Array>>) =>
    withSmallModel(changes, (scorer) => scorer.score(pairs))
  const plain = await score({})
  expect(plain.every((result) => typeof result === 'number')).toBe(true)
  const weights = numbers(12 * 4)
  const narrow = tokenSumModel({ tokens: 12, weights, type: 'int32', mask: 'int32' })
  expect(await score({ 'onnx/text_model.onnx': narrow })).toEqual(plain)
  const batch = meanColourModel({ shape: [4, 3, 8, 8], weights: numbers(12), inputName: 'image' })
  expect(await score({ 'onnx/vision_model.onnx': batch })).toEqual(plain)
})

test('the fingerprint depends on the files that decide a score, and not on the folder’s name or path', async () => {
  const print = (changes: Readonly<Record<string, string>>) =>
    withSmallModel(changes, async (scorer) => scorer.fingerprint)
  const first = await print({})
  expect(await print({ 'README.md': 'beside the point' })).toBe(first)
  const config = JSON.parse(smallModelFiles()['preprocessor_config.json'] as string) as object
  expect(await print({ 'preprocessor_config.json': JSON.stringify({ ...config, resample: 2 }) })).not.toBe(first)
})

test('the identity of a folder has no path of the machine', async () => {
  expect(demo.model).toMatchObject({ id: 'model', revision: null })
  expect(demo.model.files.map(({ name }) => name)).toEqual([
    'onnx/text_model.onnx',
    'onnx/vision_model.onnx',
    'preprocessor_config.json',
    'tokenizer.json',
  ])
})

test('an aborted call ends with the reason of the signal, and the scorer still works', async () => {
  const pairs = await manyPairs()
  await expect(demo.score(pairs, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  const controller = new AbortController()
  const running = demo.score([...pairs, ...pairs, ...pairs], controller.signal)
  setImmediate(() => controller.abort(new Error('enough')))
  await expect(running).rejects.toThrow('enough')
  expect(await demo.score(pairs.slice(0, 1))).toHaveLength(1)
})

test('closing ends calls in progress and refuses later ones', async () => {
  const folder = await writeFiles(await temporaryFolder(), smallModelFiles())
  const scorer = await openScorer({ name: 'small', model: folder, cacheFolder: folder })
  const image = await picture('red')
  const running = scorer.score([{ image, caption: 'a' }])
  const ended = expect(running).rejects.toThrow('closed')
  await scorer.close()
  await ended
  await expect(scorer.score([{ image, caption: 'a' }])).rejects.toThrow('closed')
  await scorer.close()
})

test('the event loop stays free while the model computes', async () => {
  const pairs = await manyPairs()
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await demo.score([...pairs, ...pairs])
  clearInterval(timer)
  expect(turns).toBeGreaterThan(10)
})

test('several scorers score as they do separately, also if only one is asked, and every image has one hash', async () => {
  const folder = await writeFiles(await temporaryFolder(), smallModelFiles())
  const small = { name: 'small', model: folder, cacheFolder: folder }
  const both = await openScoring([{ name: 'demo', model: DEMO_MODEL, cacheFolder: folder }, small])
  try {
    const pairs = (await manyPairs()).map(({ image }, i) => ({ image, caption: ['a', 'b c', 'd d a'][i % 3]! }))
    const alone = await withSmallModel({}, (scorer) => scorer.score(pairs))
    const due = (await demo.score(pairs)).map((similarity, i) => [similarity, alone[i]])
    const found = await both.score(pairs)
    expect(found.map(({ similarities }) => similarities)).toEqual(due)
    expect(new Set(found.map(({ phash }) => phash)).size).toBeGreaterThan(3)
    const asked = await both.score(pairs, undefined, ['small'])
    expect(asked.map(({ similarities }) => similarities[0])).toEqual(alone)
    expect(both.scorers.map(({ name }) => name)).toEqual(['demo', 'small'])
  } finally {
    await both.close()
  }
})

test('batching changes no bit of a score', async () => {
  const pairs = [...(await manyPairs()), ...(await manyPairs())]
  const due = await demo.score(pairs)
  for (const batch of [1, 3, 32]) {
    const scorer = await openScorer({ name: 'demo', model: DEMO_MODEL, cacheFolder: '/nowhere', batch })
    expect(await scorer.score(pairs)).toEqual(due)
    await scorer.close()
  }
})

test('the chosen batch size is the smallest that is about as fast as the best', () => {
  const rates: Readonly<Record<number, number>> = { 4: 10, 8: 15, 16: 15.2, 32: 15.3 }
  const batches = findBatchSize([4, 8, 16, 32])
  const used: number[] = []
  for (let i = 0; i < 12; i++) {
    used.push(batches.size)
    batches.took(batches.size, (1000 * batches.size) / rates[batches.size]!)
  }
  expect(used).toEqual([4, 4, 8, 8, 16, 16, ...Array(6).fill(8)])
  const gpu = findBatchSize([16, 32])
  // The incomplete batch at a job's end is not a valid measurement.
  for (let i = 0; i < 9; i++) gpu.took(5, 1)
  expect(gpu.size).toBe(16)
  expect(findBatchSize([7]).size).toBe(7)
})

test('a device that this machine lacks is refused in one sentence', async () => {
  const missing = (['cuda', 'coreml', 'dml'] as const).find(
    (device) => !listSupportedBackends().some(({ name }) => name === device),
  )!
  const opened = openScorer({ name: 'demo', model: DEMO_MODEL, cacheFolder: '/nowhere', device: missing })
  await expect(opened).rejects.toMatchObject({ code: 'no-such-device', message: expect.stringContaining(missing) })
})
