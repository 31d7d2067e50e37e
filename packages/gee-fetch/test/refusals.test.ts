// @module-tag slow
/** What a refusal means for an image; a temporary one never decides which image an object gets. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mapTileAt, mapTileBox, type PlannedImage } from '@skyscript/core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type LocalEarthEngine, startLocalEarthEngine } from '../../local-earth-engine/src/index.ts'
import { PLACE, writeFeatures } from '../../local-earth-engine/test/calls.ts'
import { openFolder } from '../../worker/src/storages/folder.ts'
import { createEarthEngine, fetchImages, SOURCES } from '../src/index.ts'
import { askInPieces } from '../src/pieces.ts'
import { earthEngineError, refusalOf } from '../src/refusals.ts'
import { apiError, sendJson, startService } from './service.ts'
import { contextOf, focusOf, imageryOf, planAll, settingsOf } from './set-up.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const of = (status: number, said: string, kind = 'pixels') => {
  const error = earthEngineError(status, said, { kind, host: 'ee', project: 'p' })
  return [refusalOf(error), error.code]
}

describe('a refusal is classified by its status and message:', () => {
  const cases: readonly (readonly [number, string, string])[] = [
    [
      400,
      "Image.load: Image asset 'A/b' not found (does not exist or caller does not have access).",
      'image image-gone',
    ],
    [404, "Image.load: Image asset 'A/b' not found.", 'image image-gone'],
    [400, "Image.select: Band pattern 'R' did not match any bands. Available bands: [N]", 'image image-refused'],
    [400, 'User memory limit exceeded.', 'too-much earth-engine-too-much'],
    [400, 'Image.visualize: User memory limit exceeded.', 'too-much earth-engine-too-much'],
    [400, 'Computation timed out.', 'too-much earth-engine-too-much'],
    [429, 'Too many concurrent aggregations.', 'too-much earth-engine-too-much'],
    [
      400,
      'Total request size (75000000 bytes) must be less than or equal to 50331648 bytes.',
      'too-much earth-engine-too-much',
    ],
    [400, 'Pixel grid dimensions (40000x1) must be less than or equal to 32768.', 'too-much earth-engine-too-much'],
    [400, 'Output of image computation is too large (3 bands for 9 pixels).', 'too-much earth-engine-too-much'],
    [413, 'Request payload size exceeds the limit: 10485760 bytes.', 'too-much earth-engine-too-much'],
    [400, 'A sentence that nobody has seen yet.', 'too-much earth-engine-unclear'],
    [408, '', 'later earth-engine-failed'],
    [429, 'Too Many Requests: Request was rejected.', 'later earth-engine-quota'],
    [403, 'User Rate Limit Exceeded', 'later earth-engine-quota'],
    [500, 'An internal error occurred.', 'later earth-engine-failed'],
    [503, 'a web page', 'later earth-engine-failed'],
    [
      403,
      "Permission 'earthengine.assets.get' denied on resource 'projects/x/assets/y' (or it may not exist).",
      'later source-no-access',
    ],
    [403, 'Project p is not registered to use Earth Engine.', 'build no-access'],
    [
      403,
      'Earth Engine API has not been used in project 1 before or it is disabled. Enable it and retry.',
      'build no-access',
    ],
    [
      403,
      "Permission 'earthengine.computations.create' denied on resource 'projects/p' (or it may not exist).",
      'build no-access',
    ],
    [404, "Project 'projects/p' not found or deleted.", 'build no-access'],
    [401, 'Request had invalid authentication credentials.', 'build bad-credentials'],
  ]
  test.each(cases)('%i %s', (status, said, expected) => {
    expect(of(status, said).join(' ')).toBe(expected)
  })

  test('a missing collection is an error of its source, for every kind of request', () => {
    const said =
      "ImageCollection.load: ImageCollection asset 'A' not found (does not exist or caller does not have access)."
    expect(of(400, said, 'compute')).toEqual(['later', 'source-gone'])
    expect(of(404, "Asset 'A' not found (does not exist or caller does not have access).", 'other')).toEqual([
      'later',
      'source-gone',
    ])
  })
})

test('pieces assemble to the pixels of one request, whatever the size limit', async () => {
  const size = fc.integer({ min: 1, max: 400 })
  await fc.assert(
    fc.asyncProperty(size, size, fc.integer({ min: 32 * 32, max: 40_000 }), async (width, height, most) => {
      // Steps of a power of two, so that positions are exact and identify each pixel.
      const step = 2 ** -20
      const grid = { width, height, west: 8, north: 46, stepX: step, stepY: step }
      let largest = 0
      const pixels = await askInPieces(grid, async (piece) => {
        if (piece.width * piece.height > most) throw earthEngineError(400, 'User memory limit exceeded.', NOBODY)
        largest = Math.max(largest, piece.width * piece.height)
        const bytes = Buffer.alloc(piece.width * piece.height * 4)
        const [x, y] = [(piece.west - 8) / step, (46 - piece.north) / step]
        for (let i = 0; i < piece.width * piece.height; i++)
          bytes.writeUInt32LE((y + Math.floor(i / piece.width)) * 1000 + x + (i % piece.width), i * 4)
        return bytes
      })
      expect(largest).toBeLessThanOrEqual(most)
      const expected = Buffer.alloc(width * height * 4)
      for (let i = 0; i < width * height; i++) expected.writeUInt32LE(Math.floor(i / width) * 1000 + (i % width), i * 4)
      expect(pixels.equals(expected)).toBe(true)
    }),
    { numRuns: 20 },
  )
})
const NOBODY = { kind: 'pixels', host: 'ee', project: 'p' }

describe('images under refusals are the same as without, byte for byte:', () => {
  const TILE = mapTileAt(PLACE)
  let folder: string
  let server: LocalEarthEngine
  let plans: readonly PlannedImage[]
  let fine: Awaited<ReturnType<typeof fetched>>
  const closers: (() => Promise<void>)[] = []

  /** The error that answers a pixel request: status and message, or null. */
  type Refuse = (pixels: number, number: number, body: string) => readonly [number, string] | null

  async function fetched(name: string, refuse: Refuse) {
    let number = 0
    const sizes: number[] = []
    const service = await startService(async (request, response, _, body) => {
      if (request.url!.includes(':computePixels')) {
        const { width, height } = JSON.parse(body).grid.dimensions
        const refused = refuse(width * height, ++number, body)
        if (refused !== null) return sendJson(response, refused[0], apiError(...refused))
        sizes.push(width * height)
      }
      const answer = await fetch(`${server.url}${request.url}`, { method: request.method!, ...(body && { body }) })
      response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()))
    })
    const ee = createEarthEngine({ endpoint: service.url, project: 'p', credentials: null, maxConcurrent: 4 })
    await ee.check()
    const storage = await openFolder(join(folder, name))
    const outcome = await fetchImages(plans, contextOf(ee, storage, { tile: TILE, grouping: true }))
    await ee.close()
    await service.close()
    return { outcome, sizes, asked: number }
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'refusals-test-'))
    const features = join(folder, 'features.geojsonl')
    await writeFeatures(features)
    server = await startLocalEarthEngine({ features: [features], threads: 1 })
    const ee = createEarthEngine({ endpoint: server.url, project: 'p', credentials: null, maxConcurrent: 4 })
    closers.push(server.close, () => ee.close())
    const [x, y] = PLACE
    const focus = Array.from({ length: 12 }, (_, i) =>
      focusOf(
        `n${i}`,
        { type: 'Point', coordinates: [x + (i % 4) * 0.00012, y + Math.floor(i / 4) * 0.0001] },
        i % 3 === 0 ? 10 : 0.1,
      ),
    )
    const planned = await planAll({
      origin: async () => 'test',
      tile: TILE,
      focus,
      settings: settingsOf([SOURCES.CH, SOURCES.S2], {
        tiles: { minPixels: 64, maxPixels: 400, pointPixels: 160, shift: 0.2 },
      }),
      candidates: (source) => imageryOf(ee).find(source, mapTileBox(TILE)),
    })
    plans = planned.kept
    fine = await fetched('fine', () => null)
    // Objects have other candidates, so a wrong choice is possible.
    expect(plans.every(({ candidates }) => candidates.length > 1)).toBe(true)
    expect(fine.outcome.kept.length).toBe(12)
    expect(Math.max(...fine.sizes)).toBeGreaterThan(160 * 160)
  }, 120_000)
  afterAll(async () => {
    for (const close of closers.reverse()) await close()
    await rm(folder, { recursive: true, force: true })
  })

  test('image lists that are too long for one response are requested in parts', async () => {
    const service = await startService(async (request, response, _, body) => {
      const most = /"limit":\{"constantValue":(\d+)/.exec(body)?.[1]
      if (Number(most) > 100) return sendJson(response, 400, apiError(400, 'User memory limit exceeded.'))
      const answer = await fetch(`${server.url}${request.url}`, { method: request.method!, ...(body && { body }) })
      response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()))
    })
    const open = (endpoint: string) =>
      createEarthEngine({ endpoint, project: 'p', credentials: null, maxConcurrent: 4 })
    const [limited, free] = [open(service.url), open(server.url)]
    const box = mapTileBox(TILE)
    const all = await imageryOf(free).find(SOURCES.S2, box)
    expect(all.length).toBeGreaterThan(200)
    expect(await imageryOf(limited).find(SOURCES.S2, box)).toEqual(all)
    expect(limited.stats().computeRequests).toBeGreaterThan(free.stats().computeRequests + 4)
    for (const each of [limited, free, service]) await each.close()
  }, 60_000)

  test('groups that need too much memory, and single images that do', async () => {
    for (const most of [160 * 160, 10_000]) {
      const { outcome, sizes } = await fetched(`memory-${most}`, (pixels) =>
        pixels > most ? [400, 'User memory limit exceeded.'] : null,
      )
      expect(outcome).toEqual(fine.outcome)
      expect(Math.max(...sizes)).toBeLessThanOrEqual(most)
    }
  }, 60_000)

  test('temporary timeouts, aggregation limits and unknown messages', async () => {
    for (const [status, said] of [
      [400, 'Computation timed out.'],
      [429, 'Too many concurrent aggregations.'],
      [400, 'Something new.'],
      [500, 'An internal error occurred.'],
    ] as const) {
      const { outcome } = await fetched(said, (_, number) => (number <= 3 ? [status, said] : null))
      expect(outcome, said).toEqual(fine.outcome)
    }
  }, 60_000)

  test('a persistent refusal fails the image without dropping it; only a final one selects another image', async () => {
    const first = plans.find(({ candidates }) => candidates[0]!.source === 'CH')!.candidates[0]!.imageId
    const lasting =
      (status: number, said: string): Refuse =>
      (_, __, body) =>
        body.includes(first) ? [status, said] : null
    const denied = "Permission 'earthengine.assets.get' denied on resource 'projects/x/assets/y' (or it may not exist)."
    for (const [status, said, code] of [
      [403, denied, 'source-no-access'],
      [400, 'Computation timed out.', 'earth-engine-too-much'],
    ] as const) {
      const { outcome } = await fetched(`lasting-${status}`, lasting(status, said))
      expect(outcome.dropped).toEqual([])
      expect(new Set(outcome.failed.map((each) => each.code))).toEqual(new Set([code]))
      expect(fine.outcome.kept).toEqual(expect.arrayContaining([...outcome.kept]))
    }
    const gone = "Image.load: Image asset 'x' not found (does not exist or caller does not have access)."
    const { outcome } = await fetched('lasting-gone', lasting(400, gone))
    expect(outcome.failed).toEqual([])
    expect(outcome.findings.filter(({ fault }) => fault === 'image-gone').length).toBeGreaterThan(0)
  }, 60_000)
})
