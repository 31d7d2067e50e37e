// @module-tag slow
/** Pixels that a service sends, and what happens to their objects. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataFault, type ImageCandidate, type PlannedImage, ServiceError } from '@skyscript/core'
import fc from 'fast-check'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { startLocalEarthEngine } from '../../local-earth-engine/src/index.ts'
import { openFolder } from '../../worker/src/storages/folder.ts'
import { createEarthEngine, type EarthEngine, type FetchContext, fetchImages } from '../src/index.ts'
import { parseNpy } from '../src/npy.ts'
import { measurePixels, pixelFault } from '../src/pixel-checks.ts'
import { PIXEL_STATE } from '../src/pixel-state.ts'
import { apiError, sendJson, startService } from './service.ts'
import { CHECKS, contextOf, earlierOf } from './set-up.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const [WIDTH, HEIGHT] = [60, 40]

/** An NPY file as NumPy writes it: 60 x 40 structured values of four bytes. */
function npy(pixels: Buffer, width = WIDTH, height = HEIGHT): Buffer {
  const fields = ['vis-red', 'vis-green', 'vis-blue', 'valid'].map((name) => `('${name}', '|u1')`).join(', ')
  const text = `{'descr': [${fields}], 'fortran_order': False, 'shape': (${height}, ${width}), }`
  const header = Buffer.alloc(Math.ceil((10 + text.length + 1) / 64) * 64, ' ')
  header.write('\x93NUMPY\x01\x00', 0, 'latin1')
  header.writeUInt16LE(header.length - 10, 8)
  header.write(text, 10, 'latin1')
  header[header.length - 1] = 10
  return Buffer.concat([header, pixels])
}

/** Pixels computed from their index. */
const pixels = (rule: (i: number) => readonly [number, number, number, number]): Buffer =>
  Buffer.from(Array.from({ length: WIDTH * HEIGHT }, (_, i) => rule(i)).flat())
const COUNT = WIDTH * HEIGHT
const ground = (i: number) => [40 + (i % 50), 90 - (i % 30), 30 + (i % 7), 255] as const
const PICTURES: Readonly<Record<string, Buffer>> = {
  fine: npy(pixels(ground)),
  'a-little-masked': npy(pixels((i) => (i < COUNT * 0.01 ? [0, 0, 0, 0] : ground(i)))),
  'half-masked': npy(pixels((i) => (i < COUNT / 2 ? [0, 0, 0, 0] : ground(i)))),
  masked: npy(pixels(() => [0, 0, 0, 0])),
  blank: npy(pixels(() => [120, 121, 119, 255])),
  cloudy: npy(pixels((i) => (i < COUNT / 2 ? [240 + (i % 10), 245, 250, 255] : ground(i)))),
  'cloudy-by-mask': npy(pixels((i) => (i < COUNT / 2 ? [120, 130, 110 + (i % 9), PIXEL_STATE.cloudy] : ground(i)))),
  seam: npy(pixels((i) => (i % WIDTH === 20 ? [0, 0, 0, PIXEL_STATE.black] : ground(i)))),
  shadows: npy(pixels((i) => (i % 7 === 0 ? [0, 0, 0, PIXEL_STATE.black] : ground(i)))),
  'red-roofs': npy(pixels((i) => (i < COUNT / 2 ? [255, 240, 200, 255] : ground(i)))),
  'other-size': npy(Buffer.alloc(4 * COUNT, 9), HEIGHT, WIDTH),
  cut: npy(pixels(ground)).subarray(0, 900),
  gif: Buffer.concat([Buffer.from('GIF89a'), Buffer.alloc(4 * COUNT)]),
  'one-pixel': npy(Buffer.alloc(4), 1, 1),
  huge: npy(Buffer.alloc(64), 20_000, 20_000),
}

let folder: string
let algorithms: unknown
let ee: EarthEngine
const asked = new Map<string, number>()
const closers: (() => Promise<void>)[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gee-fetch-test-'))
  const local = await startLocalEarthEngine({ features: [], threads: 1 })
  algorithms = await (await fetch(`${local.url}/v1/projects/p/algorithms`)).json()
  await local.close()
  const service = await startService((request, response, _, body) => {
    if (request.url!.includes('/algorithms')) return sendJson(response, 200, algorithms)
    const name = /(?:COPERNICUS\/S2_SR_HARMONIZED|USDA\/NAIP\/DOQQ|SKYSAT\/GEN-A\/PUBLIC\/ORTHO\/RGB)\/([a-z-]+)/.exec(
      body,
    )
    const picture = name![1]!
    asked.set(picture, (asked.get(picture) ?? 0) + 1)
    if (picture === 'refused') return sendJson(response, 400, apiError(400, "Band pattern 'R' did not match."))
    if (picture === 'gone') return sendJson(response, 404, apiError(404, 'Image.load: not found.'))
    response.writeHead(200, { 'Content-Type': 'application/octet-stream' }).end(PICTURES[picture])
  })
  ee = createEarthEngine({ endpoint: service.url, project: 'p', credentials: null, maxConcurrent: 8 })
  closers.push(() => ee.close(), service.close)
})
afterEach(() => asked.clear())
afterAll(async () => {
  for (const close of closers) await close()
  await rm(folder, { recursive: true, force: true })
})

const COLLECTIONS = {
  S2: ['COPERNICUS/S2_SR_HARMONIZED', 10],
  US: ['USDA/NAIP/DOQQ', 0.6],
  P3: ['SKYSAT/GEN-A/PUBLIC/ORTHO/RGB', 0.8],
} as const
const candidate = (picture: string, source: keyof typeof COLLECTIONS = 'S2'): ImageCandidate => ({
  source,
  imageId: `${COLLECTIONS[source][0]}/${picture}`,
  origin: 'test',
  time: Date.UTC(2020, 5, 1),
  gsd: COLLECTIONS[source][1],
  box: [7, 46, 7.01, 46.01],
  width: WIDTH,
  height: HEIGHT,
})
const plan = (id: string, ...pictures: string[]): PlannedImage => ({
  id,
  candidates: pictures.map((picture) => candidate(picture)),
})
const fetchAll = async (planned: readonly PlannedImage[], name: string, changes: Partial<FetchContext> = {}) => {
  const storage = await openFolder(join(folder, name))
  return { storage, ...(await fetchImages(planned, contextOf(ee, storage, changes))) }
}

test('masked, blank, cloudy or seamed images are dropped and counted, each under its reason', async () => {
  const { kept, dropped, failed } = await fetchAll(
    [
      plan('a1', 'masked'),
      plan('a2', 'half-masked'),
      plan('a3', 'blank'),
      plan('a4', 'cloudy-by-mask'),
      plan('a5', 'refused'),
      plan('a6', 'gone'),
      plan('a7', 'fine'),
      plan('a8', 'a-little-masked'),
      plan('a9', 'red-roofs'),
      plan('a21', 'seam'),
      plan('a22', 'shadows'),
      { id: 'a23', candidates: [candidate('cloudy', 'P3')] },
    ],
    'reasons',
  )
  expect(dropped).toEqual([
    { id: 'a1', reason: 'image-not-covered' },
    { id: 'a2', reason: 'image-not-covered' },
    { id: 'a3', reason: 'image-blank' },
    { id: 'a4', reason: 'image-cloudy' },
    { id: 'a5', reason: 'image-refused' },
    { id: 'a6', reason: 'image-gone' },
    { id: 'a21', reason: 'image-black-seam' },
    { id: 'a23', reason: 'image-cloudy' },
  ])
  expect(kept.map(({ id }) => id)).toEqual(['a7', 'a8', 'a9', 'a22'])
  expect(failed).toEqual([])
})

test('white roofs do not make an aerial image cloudy', async () => {
  const roofs = { id: 'a1', candidates: [candidate('cloudy', 'US')] }
  const { kept, dropped } = await fetchAll([roofs], 'aerial')
  expect([kept.length, dropped.length]).toEqual([1, 0])
})

test('the JPEG shows the pixels received, without the mask', async () => {
  const { kept, storage } = await fetchAll([plan('a1', 'fine')], 'jpeg')
  const { data, info } = await sharp((await storage.get(kept[0]!.filepath))!)
    .raw()
    .toBuffer({ resolveWithObject: true })
  expect([info.width, info.height, info.channels]).toEqual([WIDTH, HEIGHT, 3])
  const mean = (values: Uint8Array, step: number, at: number) => {
    let sum = 0
    for (let i = at; i < values.length; i += step) sum += values[i]!
    return (sum * step) / values.length
  }
  const sent = PICTURES.fine!.subarray(-4 * COUNT)
  for (const channel of [0, 1, 2]) {
    expect(Math.abs(mean(data, 3, channel) - mean(sent, 4, channel))).toBeLessThan(3)
  }
})

test('a truncated body or one of another size is retried, and then fails only that object', async () => {
  const { kept, dropped, failed } = await fetchAll(
    [plan('a1', 'cut'), plan('a2', 'other-size'), plan('a3', 'fine')],
    'broken',
  )
  expect(kept.map(({ id }) => id)).toEqual(['a3'])
  expect(dropped).toEqual([])
  expect(failed.map(({ id, code }) => [id, code])).toEqual([
    ['a1', 'earth-engine-bad-pixels'],
    ['a2', 'earth-engine-bad-pixels'],
  ])
  expect([asked.get('cut'), asked.get('other-size')]).toEqual([5, 5])
})

test('another format, a single pixel and a header of 20,000 x 20,000 fail their object, cost no memory and store nothing', async () => {
  const before = process.memoryUsage.rss()
  const { kept, dropped, failed, storage } = await fetchAll(
    [plan('a1', 'gif'), plan('a2', 'one-pixel'), plan('a3', 'huge')],
    'strange',
  )
  expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 2 ** 20)
  expect([kept, dropped]).toEqual([[], []])
  expect(new Set(failed.map(({ code }) => code))).toEqual(new Set(['earth-engine-bad-pixels']))
  expect(failed.map(({ message }) => /\((.*)\)/.exec(message)![1])).toEqual([
    'not an NPY file',
    '1x1, expected 60x40',
    '20000x20000, expected 60x40',
  ])
  expect(await Array.fromAsync(storage.list(''))).toEqual([])
})

test('rejected candidates are not requested again while an image is reused', async () => {
  const planned = [plan('a1', 'blank', 'masked', 'fine')]
  const first = await fetchAll(planned, 'passed-over')
  expect(first.kept[0]!.imageId).toContain('/fine')
  asked.clear()
  const again = await fetchAll(planned, 'passed-over', { earlier: earlierOf(first) })
  expect([again.kept, again.findings]).toEqual([first.kept, first.findings])
  expect(asked.size).toBe(0)
  expect(first.findings.map(({ fault }) => fault)).toEqual(['image-blank', 'image-not-covered', null])
})

test('no request is repeated for an object without an image, until it has another candidate', async () => {
  const first = await fetchAll([plan('a1', 'blank', 'gone', 'refused')], 'hopeless')
  asked.clear()
  const earlier = earlierOf(first)
  const again = await fetchAll([plan('a1', 'blank', 'gone', 'refused')], 'hopeless', { earlier })
  expect(again.dropped).toEqual([{ id: 'a1', reason: 'image-blank' }])
  expect(asked.size).toBe(0)
  expect((await fetchAll([plan('a1', 'blank', 'gone', 'fine')], 'hopeless', { earlier })).kept).toHaveLength(1)
  expect([...asked]).toEqual([['fine', 1]])
})

test('changed limits are applied to earlier measurements: stricter ones request only the next candidate, the old ones nothing', async () => {
  const planned = [plan('a1', 'a-little-masked', 'fine'), plan('a2', 'fine')]
  const first = await fetchAll(planned, 'limits')
  expect(first.kept[0]!.imageId).toContain('/a-little-masked')
  asked.clear()
  const checks = { ...CHECKS, minValid: 1 }
  const strict = await fetchAll(planned, 'limits', { checks, earlier: earlierOf(first) })
  expect(strict.kept.map(({ imageId }) => imageId.split('/').at(-1))).toEqual(['fine', 'fine'])
  expect([...asked]).toEqual([['fine', 1]])
  expect(strict.kept).toEqual((await fetchAll(planned, 'limits-from-nothing', { checks })).kept)
})

test('a seam is a straight line of black; speckled black is shadow, and the limits allow some', () => {
  const measures = (rule: (x: number, y: number) => boolean, width = 200, height = 150) => {
    const image = Buffer.from(
      Array.from({ length: width * height }, (_, i) =>
        rule(i % width, Math.floor(i / width)) ? [0, 0, 0, PIXEL_STATE.black] : [90, i % 99, 80, PIXEL_STATE.clear],
      ).flat(),
    )
    return measurePixels(image, width, { cloudBrightness: null })
  }
  const faultOf = (rule: (x: number, y: number) => boolean) => pixelFault(measures(rule), CHECKS)
  expect(faultOf((x) => x === 77)).toBe('image-black-seam')
  expect(faultOf((_, y) => y === 0)).toBe('image-black-seam')
  expect(faultOf((x, y) => Math.floor(x + y / 40) === 100)).toBe('image-black-seam')
  expect(faultOf((x, y) => x < 20 && y < 90)).toBe('image-black-seam')
  expect(faultOf((x, y) => x % 40 < 12 && y % 30 < 12)).toBe(null)
  expect(measures((x) => x === 77).seam).toBeCloseTo(1 / 200, 9)
  expect(
    pixelFault(
      measures((x) => x === 77),
      { ...CHECKS, maxSeam: 0.01 },
    ),
  ).toBe(null)
  expect(measures(() => false)).toMatchObject({ valid: 1, cloud: 0, seam: 0 })
})

test('measurements are valid fractions for any pixels', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 30 }),
      fc.infiniteStream(fc.nat(255)),
      (width, height, bytes) => {
        const image = Uint8Array.from([...bytes.take(4 * width * height)])
        for (let i = 3; i < image.length; i += 4) image[i] = Object.values(PIXEL_STATE)[image[i]! % 4]!
        const { valid, cloud, seam, deviation } = measurePixels(image, width, { cloudBrightness: 200 })
        const known = image.filter((state, i) => i % 4 === 3 && state !== PIXEL_STATE.masked).length
        expect(valid).toBe(known / (width * height))
        for (const share of [cloud, seam]) expect(share >= 0 && share <= valid).toBe(true)
        expect(deviation >= 0 && deviation <= 128).toBe(true)
      },
    ),
  )
})

test('a better image that appeared since is used, as in a build from scratch', async () => {
  const before = await fetchAll([plan('a1', 'blank', 'fine')], 'better')
  const earlier = earlierOf(before)
  const better: PlannedImage = {
    id: 'a1',
    candidates: [candidate('red-roofs', 'US'), ...plan('a1', 'blank', 'fine').candidates],
  }
  const again = await fetchAll([better], 'better', { earlier })
  const fresh = await fetchAll([better], 'from-nothing')
  expect(again.kept).toEqual(fresh.kept)
  expect(again.kept[0]!.source).toBe('US')

  asked.clear()
  const worse = { id: 'a1', candidates: [candidate('masked', 'US'), ...better.candidates.slice(1)] }
  const kept = await fetchAll([worse], 'better', { earlier })
  expect(kept.kept).toEqual((await fetchAll([worse], 'from-nothing-either')).kept)
})

test('an image is fetched again if its box, size or source image changed, but not if only its recorded year did', async () => {
  const first = await fetchAll([plan('a1', 'fine')], 'changes')
  const earlier = earlierOf(first)
  const changed = (change: Partial<ImageCandidate>) => [{ id: 'a1', candidates: [{ ...candidate('fine'), ...change }] }]
  const requests = async (change: Partial<ImageCandidate>) => {
    asked.clear()
    await fetchAll(changed(change), 'changes', { earlier })
    return [...asked.values()].reduce((a, b) => a + b, 0)
  }
  expect(await requests({})).toBe(0)
  expect(await requests({ time: Date.UTC(2020, 8, 9) })).toBe(0)
  expect(await requests({ box: [7, 46, 7.02, 46.01] })).toBe(1)
  expect(await requests({ imageId: candidate('red-roofs').imageId })).toBe(1)
})

test('bytes that are not NPY of the requested size are refused and never read beyond their end', () => {
  const good = PICTURES.fine!
  expect(parseNpy(good, WIDTH, HEIGHT)).toHaveLength(4 * COUNT)
  const refused = (data: Buffer) => {
    try {
      const found = parseNpy(data, WIDTH, HEIGHT)
      expect(found).toHaveLength(4 * COUNT)
    } catch (error) {
      expect(error).toBeInstanceOf(ServiceError)
      expect(error).not.toBeInstanceOf(DataFault)
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => refused(Buffer.from(bytes))))
  fc.assert(
    fc.property(fc.nat(good.length), fc.nat(150), fc.nat(255), (length, at, value) => {
      const data = Buffer.from(good.subarray(0, length))
      if (at < data.length) data[at] = value
      refused(data)
    }),
  )
})

test('an image is in the folder that the seed gives it, even if an earlier run put it elsewhere', async () => {
  const planned = Array.from({ length: 6 }, (_, i) => plan(`w${i}`, 'fine'))
  const first = await fetchAll(planned, 'seed', { seed: 1 })
  const again = await fetchAll(planned, 'seed', { seed: 2, earlier: earlierOf(first) })
  const fresh = await fetchAll(planned, 'fresh-seed', { seed: 2 })
  expect(again.kept).toEqual(fresh.kept)
  expect(again.kept).not.toEqual(first.kept)
  for (const { filepath } of again.kept) expect(await again.storage.has(filepath)).toBe(true)
})

test('an image that is partly of a picture without imagery is blank, however colourful that is', () => {
  const drawn = pixels(
    (i) => [...ground(i).slice(0, 3), i % WIDTH < 3 ? PIXEL_STATE.blank : PIXEL_STATE.clear] as never,
  )
  const measures = measurePixels(drawn, WIDTH, { cloudBrightness: null })
  expect(measures.blank).toBeCloseTo(0.05, 9)
  expect(pixelFault(measures, CHECKS)).toBe('image-blank')
  expect(pixelFault(measures, { ...CHECKS, minValid: 0.9 })).toBeNull()
})
