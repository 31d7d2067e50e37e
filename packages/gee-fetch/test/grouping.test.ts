// @module-tag slow
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ImageCandidate, mapTileAt, mapTileBox } from '@skyscript/core'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalEarthEngine, startLocalEarthEngine } from '../../local-earth-engine/src/index.ts'
import { PLACE, writeFeatures } from '../../local-earth-engine/test/calls.ts'
import { openFolder } from '../../worker/src/storages/folder.ts'
import { coloursOf, cutOut } from '../src/cut-out.ts'
import { groupRequests, pixelsIn } from '../src/grouping.ts'
import { createEarthEngine, type EarthEngine, fetchImages, SOURCES } from '../src/index.ts'
import { latticeOf } from '../src/lattice.ts'
import { contextOf, focusOf, imageryOf, planAll, settingsOf } from './set-up.ts'

const TILE = mapTileAt(PLACE)

let folder: string
let server: LocalEarthEngine
let ee: EarthEngine

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gee-grouping-test-'))
  await writeFeatures(join(folder, 'features.geojsonl'))
  server = await startLocalEarthEngine({ features: [join(folder, 'features.geojsonl')] })
  ee = createEarthEngine({ endpoint: server.url, project: 'p', credentials: null, maxConcurrent: 16 })
})
afterAll(async () => {
  await ee?.close()
  await server?.close()
  await rm(folder, { recursive: true, force: true })
})

function candidateAt(column: number, row: number, width: number, height: number, image = 'one'): ImageCandidate {
  const gsd = 0.6
  const { west, south, stepX, stepY } = latticeOf(TILE, gsd)
  return {
    source: 'US',
    imageId: image,
    origin: 'test',
    time: 0,
    gsd,
    box: [west + column * stepX, south + row * stepY, west + (column + width) * stepX, south + (row + height) * stepY],
    width,
    height,
  }
}

const candidate = fc
  .tuple(
    fc.integer({ min: -200, max: 9000 }),
    fc.integer({ min: -200, max: 9000 }),
    fc.integer({ min: 64, max: 1000 }),
    fc.integer({ min: 64, max: 1000 }),
    fc.constantFrom('one', 'two'),
  )
  .map((parts) => candidateAt(...parts))

test('every image is cut out of exactly one request for its source image, within the limits of pixels and waste', () => {
  fc.assert(
    fc.property(fc.array(candidate, { minLength: 1, maxLength: 40 }), (images) => {
      const requests = groupRequests(images, TILE)
      const served = requests.flatMap(({ parts }) => parts.map(({ index }) => index))
      expect(served.toSorted((a, b) => a - b)).toEqual(images.map((_, i) => i))
      for (const { candidate: first, grid, parts } of requests) {
        let delivered = 0
        for (const { index, x, y } of parts) {
          const { imageId, width, height, box } = images[index]!
          expect(imageId).toBe(first.imageId)
          expect(Math.min(x, y, grid.width - x - width, grid.height - y - height)).toBeGreaterThanOrEqual(0)
          // The pixels of the request are where those of the image would be.
          expect(grid.west + x * grid.stepX).toBeCloseTo(box[0], 11)
          expect(grid.north - y * grid.stepY).toBeCloseTo(box[3], 11)
          delivered += width * height
        }
        expect(grid.width * grid.height).toBeLessThanOrEqual(1.5 * delivered)
        if (parts.length > 1) expect(grid.width * grid.height).toBeLessThanOrEqual(2_000_000)
      }
      expect(groupRequests(images, TILE)).toEqual(requests)
    }),
  )
})

/** The rule, implemented naively: merge the best of all pairs each time; ties go to the first. */
function groupedByRule(rects: readonly (readonly [x: number, y: number, width: number, height: number])[]): number[][] {
  let groups = rects.map(([x, y, w, h], i) => ({ x0: x, y0: y, x1: x + w, y1: y + h, delivered: w * h, members: [i] }))
  for (;;) {
    let best: { i: number; j: number; cost: number } | null = null
    for (const [i, a] of groups.entries()) {
      for (const [j, b] of groups.entries()) {
        if (j <= i) continue
        const pixels = (Math.max(a.x1, b.x1) - Math.min(a.x0, b.x0)) * (Math.max(a.y1, b.y1) - Math.min(a.y0, b.y0))
        if (pixels > 2_000_000 || pixels > 1.5 * (a.delivered + b.delivered)) continue
        const cost = pixels - (a.x1 - a.x0) * (a.y1 - a.y0) - (b.x1 - b.x0) * (b.y1 - b.y0)
        if (best === null || cost < best.cost) best = { i, j, cost }
      }
    }
    if (best === null) return groups.map(({ members }) => members)
    const [a, b] = [groups[best.i]!, groups[best.j]!]
    const joined = {
      x0: Math.min(a.x0, b.x0),
      y0: Math.min(a.y0, b.y0),
      x1: Math.max(a.x1, b.x1),
      y1: Math.max(a.y1, b.y1),
      delivered: a.delivered + b.delivered,
      members: [...a.members, ...b.members],
    }
    groups = groups.flatMap((each) => (each === a ? [joined] : each === b ? [] : [each]))
  }
}

test('groups merge in the same order as if all pairs were examined each time', () => {
  const place = fc.oneof(fc.integer({ min: 0, max: 900 }), fc.constantFrom(0, 100, 200, 300, 400))
  const rect = fc.tuple(place, place, fc.constantFrom(100, 150, 300), fc.constantFrom(100, 150, 300))
  fc.assert(
    fc.property(fc.array(rect, { minLength: 1, maxLength: 40 }), (rects) => {
      const requests = groupRequests(
        rects.map((each) => candidateAt(...each)),
        TILE,
      )
      expect(requests.map(({ parts }) => parts.map(({ index }) => index))).toEqual(groupedByRule(rects))
    }),
    { numRuns: 300 },
  )
})

test('without a tile, or off its lattice, each image has its own request', () => {
  const images = [candidateAt(0, 0, 100, 100), candidateAt(10, 10, 100, 100)]
  expect(groupRequests(images, TILE)).toHaveLength(1)
  expect(groupRequests(images, TILE, [], false)).toHaveLength(2)
  const [west, south, east, north] = images[1]!.box
  const { stepX } = latticeOf(TILE, 0.6)
  const off: ImageCandidate = { ...images[1]!, box: [west + stepX / 2, south, east + stepX / 2, north] }
  expect(groupRequests([images[0]!, off], TILE)).toHaveLength(2)
})

test('a hundred images of one crossroads are one request, and a hundred distant ones are a hundred requests', () => {
  const near = Array.from({ length: 100 }, (_, i) => candidateAt((i % 10) * 9, Math.floor(i / 10) * 9, 300, 300))
  expect(groupRequests(near, TILE)).toHaveLength(1)
  expect(pixelsIn(groupRequests(near, TILE))).toBe(381 * 381)
  const apart = Array.from({ length: 100 }, (_, i) => candidateAt((i % 10) * 900, Math.floor(i / 10) * 900, 300, 300))
  expect(groupRequests(apart, TILE)).toHaveLength(100)
})

test('a cut-out contains the rows of its part', () => {
  const pixels = Uint8Array.from({ length: 5 * 4 * 4 }, (_, i) => i >> 2)
  const part = cutOut(pixels, 5, { x: 2, y: 1 }, { width: 2, height: 3 })
  expect([...part].filter((_, i) => i % 4 === 0)).toEqual([7, 8, 12, 13, 17, 18])
})

test('colours are the first three bytes of each pixel, for any number of pixels', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 19 }), fc.infiniteStream(fc.nat(255)), (count, bytes) => {
      const part = cutOut(
        Uint8Array.from([...bytes.take(count * 4)]),
        count,
        { x: 0, y: 0 },
        { width: count, height: 1 },
      )
      expect([...coloursOf(part)]).toEqual([...part].filter((_, i) => i % 4 !== 3))
    }),
  )
})

test('grouping changes no image or record, and requests far fewer pixels', async () => {
  const [x, y] = PLACE
  const focus = Array.from({ length: 40 }, (_, i) =>
    focusOf(
      `n${i}`,
      { type: 'Point', coordinates: [x + (i % 8) * 0.00012, y + Math.floor(i / 8) * 0.0001] },
      i % 5 === 0 ? 1 : 0.1,
    ),
  )
  const { kept: plans } = await planAll({
    origin: async () => 'test',
    tile: TILE,
    focus,
    settings: settingsOf([SOURCES.CH, SOURCES.P3], {
      tiles: { minPixels: 64, maxPixels: 400, pointPixels: 160, shift: 0.2 },
    }),
    candidates: (source) => imageryOf(ee).find(source, mapTileBox(TILE)),
  })
  expect(plans.length).toBe(40)
  const fetched = async (name: string, grouping: boolean) => {
    const storage = await openFolder(join(folder, name))
    const before = ee.stats().pixelRequests
    const outcome = await fetchImages(plans, contextOf(ee, storage, { tile: TILE, grouping }))
    return { outcome, requests: ee.stats().pixelRequests - before }
  }
  const apart = await fetched('apart', false)
  const together = await fetched('together', true)
  expect(apart.outcome.kept.length).toBeGreaterThan(30)
  // Records hold the sha256 of each JPEG.
  expect(together.outcome).toEqual(apart.outcome)
  expect(together.requests).toBeLessThan(apart.requests / 4)
})
