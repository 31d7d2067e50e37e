// @module-tag slow
/** How files are requested: attempts, aborts, and servers without ranges. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Box, type ImageCandidate, InputError, mapTileAt } from '@skyscript/core'
import { writeArrayBuffer } from 'geotiff'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openFolder } from '../../worker/src/storages/folder.ts'
import { fileIds } from '../src/cog/file-ids.ts'
import { projectionOf } from '../src/crs/projections.ts'
import { cutOut } from '../src/cut-out.ts'
import { groupRequests } from '../src/grouping.ts'
import { createCogImagery, createImagery, fetchImages, NO_EARLIER_IMAGES } from '../src/index.ts'
import { latticeOf } from '../src/lattice.ts'
import { refusalOf } from '../src/refusals.ts'
import { remembering } from '../src/shared-work.ts'
import { cogSource, gridAt, plainTiff, serveFiles } from './cog-set-up.ts'
import { CHECKS, earlierOf } from './set-up.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const BERN: [number, number] = [7.44, 46.95]
const GRID = gridAt(BERN, 10, 60, 60)
let folder: string
const closers: (() => Promise<void>)[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cog-network-'))
  const [x, y] = projectionOf(32632, '').forward(BERN)
  const values = Uint8Array.from({ length: 400 * 400 * 3 }, (_, i) => (i % 251) + 1)
  const bytes = writeArrayBuffer(values, {
    width: 400,
    height: 400,
    SamplesPerPixel: [3],
    PhotometricInterpretation: 2,
    ModelPixelScale: [10, 10, 0],
    ModelTiepoint: [0, 0, 0, x - 2000, y + 2000, 0],
    ProjectedCSTypeGeoKey: 32632,
    GTModelTypeGeoKey: 1,
    GTRasterTypeGeoKey: 1,
  } as Parameters<typeof writeArrayBuffer>[1])
  await writeFile(join(folder, 'a.tif'), Buffer.from(bytes))
})
afterAll(async () => {
  for (const close of closers) await close()
  await rm(folder, { recursive: true, force: true })
})

function open(options: Partial<Parameters<typeof createCogImagery>[0]> = {}) {
  const cog = createCogImagery({ maxConcurrent: 8, maxCloud: 20, deadlineMs: 5000, ...options })
  closers.push(() => cog.close())
  return cog
}
async function serve(spoil?: (number: number, response: ServerResponse) => boolean) {
  const server = await serveFiles(folder, undefined, spoil)
  closers.push(server.close)
  return { server, source: cogSource({ files: [`${server.url}/a.tif`] }) }
}
const noTiles = () => Promise.reject(new TypeError('These tests have files only.'))

const ask = (cog: ReturnType<typeof open>, source: ReturnType<typeof cogSource>, signal?: AbortSignal) =>
  cog.pixels(source, 'tests/a.tif', GRID, signal)
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => 'pixels',
    (error: Error) => error.message,
  )

test('a server that always fails, or sends wrong ranges, is tried five times, not five times five', async () => {
  const failing = await serve((_, response) => {
    response.writeHead(500).end()
    return true
  })
  const confused = await serve((_, response) => {
    response.writeHead(206, { 'content-range': 'bytes 5-8/100' }).end('1234')
    return true
  })
  await Promise.all([
    expect(ask(open(), failing.source)).rejects.toMatchObject({ code: 'imagery-failed', retry: true }),
    expect(ask(open(), confused.source)).rejects.toMatchObject({ code: 'imagery-bad-answer' }),
  ])
  expect([failing.server.requests.length, confused.server.requests.length]).toEqual([5, 5])
}, 60_000)

describe('an abort', () => {
  test('returns at once while a header hangs, and closes the connection', async () => {
    let closed = 0
    const { source } = await serve((_, response) => {
      response.once('close', () => closed++)
      return true
    })
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('stop')), 100)
    const from = performance.now()
    expect(await outcome(ask(open(), source, controller.signal))).toBe('stop')
    expect(performance.now() - from).toBeLessThan(1000)
    await expect.poll(() => closed).toBe(1)
  })

  test('ends pauses between attempts, and a wait for Retry-After', async () => {
    const { server, source } = await serve((_, response) => {
      response.writeHead(429, { 'retry-after': '60' }).end()
      return true
    })
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('stop')), 300)
    const from = performance.now()
    expect(await outcome(ask(open(), source, controller.signal))).toBe('stop')
    expect(performance.now() - from).toBeLessThan(1000)
    expect(server.requests).toHaveLength(1)
  })

  test('of one caller does not affect another that waits for the same bytes', async () => {
    for (const hung of [1, 2]) {
      const { source } = await serve((number, response) => {
        if (number !== hung) return false
        setTimeout(() => response.destroy(), 600)
        return true
      })
      const cog = open()
      const controller = new AbortController()
      const first = outcome(ask(cog, source, controller.signal))
      const second = outcome(ask(cog, source))
      setTimeout(() => controller.abort(new Error('stop')), 200)
      expect([await first, await second]).toEqual(['stop', 'pixels'])
    }
  })

  test('leaves no state that breaks the next read', async () => {
    const { source } = await serve()
    const cog = open()
    const controller = new AbortController()
    const first = outcome(ask(cog, source, controller.signal))
    controller.abort(new Error('stop'))
    expect(await first).toBe('stop')
    expect(await outcome(ask(cog, source))).toBe('pixels')
  })
})

test('shared work continues until its last waiter leaves', async () => {
  const aborted: string[] = []
  let made = 0
  const known = remembering(2, (key, signal) => {
    made++
    signal.addEventListener('abort', () => aborted.push(key))
    return new Promise<string>((resolve) => setTimeout(() => resolve(key), 50))
  })
  const [one, two] = [new AbortController(), new AbortController()]
  const waits = [known.get('a', one.signal), known.get('a', two.signal)].map(outcome)
  one.abort(new Error('one left'))
  await Promise.resolve()
  expect(aborted).toEqual([])
  two.abort(new Error('two left'))
  expect(await Promise.all(waits)).toEqual(['one left', 'two left'])
  expect(aborted).toEqual(['a'])
  expect(await known.get('a', undefined)).toBe('a')
  expect(await known.get('a', undefined)).toBe('a')
  expect(made).toBe(2)
})

test('images that share a request have the same bytes as with separate requests', async () => {
  const { source } = await serve()
  const cog = open()
  const tile = mapTileAt(BERN)
  const lattice = latticeOf(tile, 10)
  const candidates = Array.from({ length: 12 }, (_, i) => {
    const [width, height] = [20 + ((i * 7) % 13), 20 + ((i * 11) % 17)]
    const column = Math.round((BERN[0] - lattice.west) / lattice.stepX) - 60 + ((i * 37) % 90)
    const row = Math.round((BERN[1] - lattice.south) / lattice.stepY) - 60 + ((i * 53) % 90)
    const west = lattice.west + column * lattice.stepX
    const south = lattice.south + row * lattice.stepY
    const box = [west, south, west + width * lattice.stepX, south + height * lattice.stepY] as const
    return { source: 'CC', imageId: 'tests/a.tif', gsd: 10, box, width, height } as unknown as ImageCandidate
  })
  const [alone, together] = [groupRequests(candidates, tile, [], false), groupRequests(candidates, tile)]
  expect([alone.length, together.length < 6]).toEqual([12, true])
  const bytesOf = async (requests: typeof alone) => {
    const bytes: Buffer[] = []
    for (const { grid, parts } of requests) {
      const pixels = await cog.pixels(source, 'tests/a.tif', grid)
      for (const part of parts) bytes[part.index] = cutOut(pixels, grid.width, part, candidates[part.index]!)
    }
    return bytes
  }
  expect(await bytesOf(together)).toEqual(await bytesOf(alone))
})

test('the box of the image decides which sheets compose a mosaic, not the request it shares', async () => {
  const [tile, step] = [mapTileAt(BERN), latticeOf(mapTileAt(BERN), 10)]
  const [column, row] = [(BERN[0] - step.west) / step.stepX, (BERN[1] - step.south) / step.stepY].map(Math.round)
  const [west, south] = [step.west + column! * step.stepX, step.south + row! * step.stepY]
  const boxAt = (columns: number): Box => [
    west + columns * step.stepX,
    south,
    west + (columns + 30) * step.stepX,
    south + 30 * step.stepY,
  ]
  await plainTiff(join(folder, 'below.tif'), 4326, 5e-4, [west - 0.02, south + 0.02], () => [10, 200, 10])
  await plainTiff(join(folder, 'above.tif'), 4326, 5e-4, [west - 0.02, south + 0.02], () => [200, 10, 10])
  // The catalogue says that the sheet above covers only the east, while its file covers everything.
  const sheet = (id: string, from: number) => ({
    id,
    bbox: [from, south - 0.05, west + 0.05, south + 0.05],
    properties: { datetime: '2020-06-01T00:00:00Z' },
  })
  const server = await serveFiles(folder, (path, _, url) =>
    path === '/search'
      ? {
          features: [sheet('below', west - 0.05), sheet('zabove', boxAt(35)[0])].map((each) => ({
            ...each,
            assets: { visual: { href: `${url}/${each.id.replace('z', '')}.tif`, updated: '2020' } },
          })),
        }
      : undefined,
  )
  closers.push(server.close)
  const source = cogSource({ stac: server.url, collection: 'c', assets: ['visual'], mosaic: 'year' })
  const cog = open()
  const imagery = createImagery(
    {
      earthEngine: () => Promise.reject(new TypeError('These tests have files only.')),
      cog: async () => cog,
      tiles: noTiles,
      oam: noTiles,
    },
    { maxCloud: 20, earthEngineOrigin: () => '' },
  )
  const planned = await Promise.all(
    [0, 35].map(async (columns, i) => ({
      id: `a${i}`,
      candidates: [
        {
          source: source.alias,
          imageId: 'c/2020',
          origin: await cog.origin(source, 'c/2020', boxAt(columns)),
          time: null,
          gsd: 10,
          box: boxAt(columns),
          width: 30,
          height: 30,
        },
      ],
    })),
  )
  const fetched = async (name: string, grouping: boolean) =>
    fetchImages(planned, {
      imagery,
      sources: [source],
      checks: { ...CHECKS, minDeviation: 0 },
      storage: await openFolder(join(folder, name)),
      seed: 51,
      earlier: NO_EARLIER_IMAGES,
      tile,
      grouping,
      signal: new AbortController().signal,
    })
  const [apart, together] = [await fetched('apart', false), await fetched('together', true)]
  expect(new Set(apart.kept.map(({ sha256 }) => sha256)).size).toBe(2)
  expect(together).toEqual(apart)
})

test('files that are temporarily denied or failing fail their images without dropping them, and the next run gets them', async () => {
  let status: number | null = null
  const { source } = await serve((_, response) => {
    if (status === null) return false
    response.writeHead(status, { 'retry-after': '0' }).end()
    return true
  })
  const lattice = latticeOf(mapTileAt(BERN), 10)
  const box: Box = [BERN[0], BERN[1], BERN[0] + 30 * lattice.stepX, BERN[1] + 30 * lattice.stepY]
  const candidate: ImageCandidate = {
    source: source.alias,
    imageId: 'tests/a.tif',
    origin: await open().origin(source, 'tests/a.tif', box),
    time: null,
    gsd: 10,
    box,
    width: 30,
    height: 30,
  }
  const other = { ...candidate, imageId: 'tests/other.tif' }
  const run = async (name: string, earlier?: Awaited<ReturnType<typeof fetchImages>>) => {
    const cog = open({ deadlineMs: 1000 })
    const noEarthEngine = () => Promise.reject(new TypeError('These tests have files only.'))
    return fetchImages([{ id: 'a1', candidates: [candidate, other] }], {
      imagery: createImagery(
        { earthEngine: noEarthEngine, cog: async () => cog, tiles: noTiles, oam: noTiles },
        { maxCloud: 20, earthEngineOrigin: () => '' },
      ),
      sources: [source],
      checks: { ...CHECKS, minDeviation: 0 },
      storage: await openFolder(join(folder, name)),
      seed: 51,
      earlier: earlier ? earlierOf(earlier) : NO_EARLIER_IMAGES,
      tile: mapTileAt(BERN),
      grouping: false,
      signal: new AbortController().signal,
    })
  }
  const fine = await run('fine')
  expect(fine.kept.map(({ imageId }) => imageId)).toEqual(['tests/a.tif'])
  for (const [answer, code] of [
    [401, 'imagery-denied'],
    [403, 'imagery-denied'],
    [503, 'imagery-failed'],
    [418, 'imagery-refused'],
  ] as const) {
    status = answer
    const failing = await run(`status-${answer}`)
    expect([failing.kept, failing.dropped, failing.findings]).toEqual([[], [], []])
    expect(failing.failed).toMatchObject([{ id: 'a1', code }])
    status = null
    expect(await run(`status-${answer}`, failing)).toEqual(fine)
  }
  // A missing file is final.
  status = 404
  const gone = await run('gone')
  expect(gone.dropped).toEqual([{ id: 'a1', reason: 'image-gone' }])
}, 60_000)

test('a small file on a server without ranges is fetched once', async () => {
  const whole = await readFile(join(folder, 'a.tif'))
  const { server, source } = await serve((_, response) => {
    response.writeHead(200, { 'content-length': whole.length, etag: '"1"' }).end(whole)
    return true
  })
  const ranged = await serve()
  expect((await ask(open(), source)).equals(await ask(open(), ranged.source))).toBe(true)
  expect(server.requests).toHaveLength(1)
  expect(ranged.server.requests.length).toBeGreaterThan(1)
})

test('a web page or an empty body with status 200 is retried, and says nothing about the file', async () => {
  const whole = await readFile(join(folder, 'a.tif'))
  for (const [type, body] of [
    ['image/tiff', ''],
    ['image/tiff', '\ufeff\n<?xml version="1.0"?><Error/>'],
    ['text/html; charset=utf-8', 'We are back at noon.'],
    ['application/json', '{"error": "maintenance"}'],
  ] as const) {
    const answers: string[] = []
    let pages = 1
    const { source } = await serve((_, response) => {
      const kind = pages-- > 0 ? 'page' : 'file'
      answers.push(kind)
      response.writeHead(200, { 'content-type': type }).end(kind === 'page' ? body : whole)
      return true
    })
    expect(await outcome(ask(open(), source)), `${type} ${body}`).toBe('pixels')
    expect(answers).toEqual(['page', 'file'])
    pages = 100
    const error = await ask(open(), source).catch((reason: unknown) => reason)
    expect(error, `${type} ${body}`).toMatchObject({ code: 'imagery-bad-answer', retry: true })
    expect(refusalOf(error)).toBe('later')
  }
}, 60_000)

test('a file that failed temporarily is read correctly afterwards by the same reader', async () => {
  let isDown = false
  const { source } = await serve((_, response) => {
    if (isDown) response.writeHead(404).end()
    return isDown
  })
  const cog = open()
  const far = gridAt([7.452, 46.962], 10, 40, 40)
  await ask(cog, source)
  isDown = true
  const cut = open()
  expect(await outcome(ask(cut, source))).toContain('404')
  isDown = false
  expect(await outcome(ask(cut, source))).toBe('pixels')
  expect((await cog.pixels(source, 'tests/a.tif', far)).some((value) => value !== 0)).toBe(true)
})

test('files whose addresses differ only in the query are refused, and a file named twice counts once', () => {
  const ids = (...files: string[]) => [...fileIds({ collection: 'c', files }).keys()]
  expect(() => ids('https://host/get?id=1', 'https://host/get?id=2')).toThrow(InputError)
  expect(ids('https://host/a.tif', 'https://host/a.tif')).toEqual(['c/a.tif'])
})
