// @module-tag slow
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalEarthEngineOptions, parseFaults, startLocalEarthEngine } from '../src/index.ts'
import { constant, graph, invoke, PLACE, pixelsBody, post, writeFeatures } from './calls.ts'

let folder: string
let features: string[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-earth-engine-test-'))
  features = [join(folder, 'features.geojsonl')]
  await writeFeatures(features[0]!)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function serving<T>(
  options: Omit<LocalEarthEngineOptions, 'features'>,
  use: (url: string, server: Awaited<ReturnType<typeof startLocalEarthEngine>>) => Promise<T>,
): Promise<T> {
  const server = await startLocalEarthEngine({ features, threads: 1, ...options })
  try {
    return await use(server.url, server)
  } finally {
    await server.close()
  }
}

const one = { expression: graph(constant(1)) }
const image = invoke('Image.load', { id: constant('Switzerland/SWISSIMAGE/orthos/10cm/SWISSIMAGE_10cm_2021') })
const grid = { width: 10, height: 10, west: PLACE[0], north: PLACE[1], step: 1e-6 }
const TOO_MANY = 'Too Many Requests: Request was rejected because the request rate or concurrency limit was exceeded.'

test("more than 40 requests at a time are refused with the API's words, and the others answered", () =>
  serving({ latency: { ms: 1500, jitter: 0 } }, async (url, server) => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => post(url, 'value:compute', one)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(40)
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(20)
    expect(JSON.parse(refused[0]!.body.toString())).toEqual({
      error: { code: 429, message: TOO_MANY, status: 'RESOURCE_EXHAUSTED' },
    })
    expect(server.stats()).toMatchObject({ peakConcurrent: 40, byStatus: { 200: 40, 429: 20 } })
  }))

test('a kept answer is given again without drawing, while the cache has room', () =>
  serving({ cacheBytes: 4000 }, async (url, server) => {
    const ask = (width: number) => post(url, 'image:computePixels', pixelsBody(image, { ...grid, width }))
    const small = await ask(10)
    expect(server.stats().pixels).toBe(100)
    expect((await ask(10)).body.equals(small.body)).toBe(true)
    expect(server.stats().pixels).toBe(100)
    // 20,000 pixels of three bytes have no room.
    for (const drawn of [20_100, 40_100]) {
      expect((await ask(2000)).status).toBe(200)
      expect(server.stats().pixels).toBe(drawn)
    }
  }))

test('more than 100 requests within a second are refused', () =>
  serving({ limits: { concurrent: 1000 } }, async (url) => {
    const answers = await Promise.all(Array.from({ length: 120 }, () => post(url, 'value:compute', one)))
    const { length } = answers.filter(({ status }) => status === 200)
    expect(length).toBeGreaterThanOrEqual(100)
    expect(length).toBeLessThan(120)
  }))

test("pixels beyond 48 MB, sides beyond 32,768 and payloads beyond 10 MB are refused with the API's words", () =>
  serving({}, async (url) => {
    const large = await post(url, 'image:computePixels', pixelsBody(image, { ...grid, width: 5000, height: 5000 }))
    expect([large.status, large.message]).toEqual([
      400,
      'Total request size (75000000 bytes) must be less than or equal to 50331648 bytes.',
    ])
    const wide = await post(url, 'image:computePixels', pixelsBody(image, { ...grid, width: 32_769, height: 1 }))
    expect([wide.status, wide.message]).toEqual([
      400,
      'Pixel grid dimensions (32769x1) must be less than or equal to 32768.',
    ])
    const heavy = await post(url, 'value:compute', { expression: graph(constant('x'.repeat(11_000_000))) })
    expect(heavy.status).toBe(413)
    expect((await post(url, 'value:compute', one)).status).toBe(200)
  }))

test('every kind of fault is what it is called', async () => {
  const spoiled = <T>(kind: string, use: (url: string) => Promise<T>) => serving({ faults: `${kind}:1` }, use)
  for (const status of ['429', '500', '503']) {
    expect((await spoiled(status, (url) => post(url, 'value:compute', one))).status).toBe(Number(status))
  }
  const later = await spoiled('429-retry-after', (url) => post(url, 'value:compute', one))
  expect([later.status, later.headers.get('retry-after')]).toEqual([429, '1'])
  const page = await spoiled('html', (url) => post(url, 'value:compute', one))
  expect([page.status, page.type, page.body.toString('utf8', 0, 9)]).toEqual([
    200,
    'text/html; charset=utf-8',
    '<!DOCTYPE',
  ])
  const empty = await spoiled('empty', (url) => post(url, 'value:compute', one))
  expect([empty.status, empty.body.length]).toEqual([200, 0])
  await spoiled('cut', (url) => expect(post(url, 'image:computePixels', pixelsBody(image, grid))).rejects.toThrow())
  for (const kind of ['hang', 'hang-body']) {
    const signal = AbortSignal.timeout(400)
    await spoiled(kind, (url) => expect(post(url, 'value:compute', one, { signal })).rejects.toThrow(/timeout/))
  }
})

test('too much, restricted mode and assets that are not shared are reported in the words of Earth Engine', async () => {
  const messages: string[] = []
  for (const kind of ['memory', 'timed-out', 'aggregations']) {
    const { status, message } = await serving({ faults: `${kind}:1` }, (url) => post(url, 'value:compute', one))
    messages.push(`${status} ${message}`)
  }
  expect(messages).toEqual([
    '400 User memory limit exceeded.',
    '400 Computation timed out.',
    '429 Too many concurrent aggregations.',
  ])
  const restricted = await serving({ faults: 'restricted:1' }, (url) => post(url, 'value:compute', one))
  expect([restricted.status, restricted.headers.get('x-earth-engine-quota-status')]).toEqual([
    200,
    'parallelism_restricted=true',
  ])
  const options = { limits: { memoryPixels: 50 }, denied: ['Switzerland/SWISSIMAGE/orthos/10cm'] }
  await serving(options, async (url) => {
    const large = await post(
      url,
      'image:computePixels',
      pixelsBody(invoke('Image.constant', { value: constant(1) }), grid),
    )
    expect([large.status, large.message]).toEqual([400, 'User memory limit exceeded.'])
    const name = 'projects/earthengine-public/assets/Switzerland/SWISSIMAGE/orthos/10cm'
    const asset = await fetch(`${url}/v1/${name}`)
    expect([asset.status, ((await asset.json()) as { error: { message: string } }).error.message]).toEqual([
      403,
      `Permission 'earthengine.assets.get' denied on resource '${name}' (or it may not exist).`,
    ])
    const loaded = await post(url, 'value:compute', { expression: graph(image) })
    expect([loaded.status, loaded.message]).toEqual([
      400,
      "Image.load: Image asset 'Switzerland/SWISSIMAGE/orthos/10cm/SWISSIMAGE_10cm_2021' not found (does not exist or caller does not have access).",
    ])
  })
}, 120_000)

test('faults by content strike the same requests in whatever order they come', () => {
  const ask = (order: readonly number[]) =>
    serving({ faults: '500:0.3,seed:7', limits: { perSecond: 1000 } }, async (url) => {
      const failed: number[] = []
      for (const n of order) {
        if ((await post(url, 'value:compute', { expression: graph(constant(n)) })).status === 500) failed.push(n)
      }
      return failed.sort((a, b) => a - b)
    })
  const numbers = Array.from({ length: 60 }, (_, n) => n)
  return Promise.all([ask(numbers), ask(numbers.toReversed())]).then(([forward, backward]) => {
    expect(forward).toEqual(backward)
    expect(forward.length).toBeGreaterThan(8)
    expect(forward.length).toBeLessThan(32)
  })
})

test('a list of faults that makes no sense is refused in one sentence', () => {
  expect(parseFaults('429:0.1, hang:0.01,seed:3,by:count')).toEqual({
    shares: { 429: 0.1, hang: 0.01 },
    seed: 3,
    by: 'count',
  })
  for (const text of ['teapot:0.1', '429', '429:2', '429:0.7,500:0.7', 'by:chance']) {
    expect(() => parseFaults(text)).toThrow(expect.objectContaining({ code: 'bad-faults' }))
  }
})

test('a request without the token is told 401, one of another project 403', () =>
  serving({ requireToken: 'secret-token', projects: ['mine'] }, async (url) => {
    expect((await post(url, 'value:compute', one)).status).toBe(401)
    const headers = { authorization: 'Bearer secret-token' }
    const other = await post(url, 'value:compute', one, { headers })
    expect([other.status, other.message]).toEqual([
      403,
      expect.stringContaining('Project p is not registered to use Earth Engine'),
    ])
    const mine = await fetch(`${url}/v1/projects/mine/value:compute`, {
      method: 'POST',
      body: JSON.stringify(one),
      headers,
    })
    expect(mine.status).toBe(200)
  }))

test('features that cannot be read and a port that is taken are told in one sentence', async () => {
  await expect(startLocalEarthEngine({ features: [join(folder, 'none.geojsonl')] })).rejects.toMatchObject({
    code: 'unreadable-features',
    message: expect.stringContaining('none.geojsonl'),
  })
  await serving({}, (url) =>
    expect(startLocalEarthEngine({ features, port: Number(new URL(url).port) })).rejects.toMatchObject({
      code: 'port-taken',
    }),
  )
})

test('closing ends requests that are under way, and may be done twice', () =>
  serving({ latency: { ms: 5000, jitter: 0 } }, async (url, server) => {
    const asked = post(url, 'value:compute', one)
    asked.catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 100))
    await Promise.all([server.close(), server.close()])
    await expect(asked).rejects.toThrow()
  }))
