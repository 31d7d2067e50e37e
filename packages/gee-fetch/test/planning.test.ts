import {
  type Box,
  boxOf,
  type FocusObject,
  type Geometry,
  mapTileAt,
  mapTileBox,
  SOURCE_ALIASES,
} from '@skyscript/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { boxFor, planTile, SOURCES, type SourceImage, suitableSources } from '../src/index.ts'

const TILES = { minPixels: 100, maxPixels: 1000, pointPixels: 300, shift: 0.2 }
const settings = { sources: SOURCE_ALIASES, tiles: TILES, seed: 51 }
const METRES = 111_320

const point = (x: number, y: number, maxGsd: number): FocusObject => ({
  id: 'n1',
  geometry: { type: 'Point', coordinates: [x, y] },
  maxGsd,
})
/** A square area with a side in metres. */
function area(x: number, y: number, metres: number, maxGsd: number, id = 'a1'): FocusObject {
  const [w, h] = [metres / METRES / Math.cos((y * Math.PI) / 180), metres / METRES]
  const ring: [number, number][] = [
    [x, y],
    [x + w, y],
    [x + w, y + h],
    [x, y + h],
    [x, y],
  ]
  return { id, geometry: { type: 'Polygon', coordinates: [ring] }, maxGsd }
}

const sources = (focus: FocusObject) => suitableSources(focus, settings)

test('a point is shown by sources fine enough for its tags, finest first, and never by 30 m images', () => {
  expect(sources(point(7.45, 46.7, 0.2))).toEqual({ sources: ['CH'] })
  expect(sources(point(7.45, 46.7, 1))).toEqual({ sources: ['CH', 'P3'] })
  expect(sources(point(7.45, 46.7, 30))).toEqual({ sources: ['CH', 'P3', 'P5', 'S2'] })
  expect(sources(point(13.1, 52.4, 0.6))).toEqual({ sources: ['DE'] })
  expect(sources(point(60, 10, 0.6))).toEqual({ reason: 'no-source-fine-enough' })
  expect(suitableSources(point(7.45, 46.7, 30), { ...settings, sources: ['L8', 'L9'] })).toEqual({
    reason: 'no-source-fine-enough',
  })
})

test('an area is shown by the sources whose pixels it fills by the hundred, not by the ten thousand', () => {
  expect(sources(area(7.45, 46.7, 50, 30))).toEqual({ sources: ['CH', 'P3'] })
  expect(sources(area(7.45, 46.7, 600, 30))).toEqual({ sources: ['P3', 'P5', 'S2'] })
  expect(sources(area(7.45, 46.7, 6000, 30))).toEqual({ sources: ['S2', 'L8', 'L9'] })
  expect(sources(area(7.45, 46.7, 3, 30))).toEqual({ reason: 'area-too-small' })
  expect(sources(area(7.45, 46.7, 60_000, 30))).toEqual({ reason: 'area-too-large' })
  const gap = { ...settings, sources: ['CH', 'S2'] as const }
  expect(suitableSources(area(7.45, 46.7, 150, 30), gap)).toEqual({ reason: 'area-between-sources' })
})

test('an object outside of every source has none', () => {
  expect(suitableSources(point(60, 10, 30), { ...settings, sources: ['CH', 'US'] })).toEqual({
    reason: 'no-source-here',
  })
})

const place = fc.record({
  x: fc.double({ min: -179, max: 179, noNaN: true }),
  y: fc.double({ min: -80, max: 80, noNaN: true }),
  gsd: fc.constantFrom(...SOURCE_ALIASES.map((alias) => SOURCES[alias].gsd)),
  id: fc.nat().map((n) => `n${n}`),
})
const isInside = ([west, south, east, north]: Box, x: number, y: number) =>
  x >= west && x <= east && y >= south && y <= north

test('a point lies in its box, whatever the shift; the box has the asked pixels and lies on the lattice of its tile', () => {
  fc.assert(
    fc.property(place, fc.double({ min: 0, max: 0.45, noNaN: true }), ({ x, y, gsd, id }, shift) => {
      const tile = mapTileAt([x, y])
      const focus = { ...point(x, y, 30), id }
      const found = boxFor(focus, tile, gsd, { tiles: { ...TILES, shift }, seed: 51 })
      fc.pre(found !== null)
      const { box, width, height } = found
      expect([width, height]).toEqual([300, 300])
      expect(isInside(box, x, y)).toBe(true)
      const [west, south] = mapTileBox(tile)
      const [stepX, stepY] = [(box[2] - box[0]) / width, (box[3] - box[1]) / height]
      for (const offset of [(box[0] - west) / stepX, (box[1] - south) / stepY]) {
        expect(Math.abs(offset - Math.round(offset))).toBeLessThan(1e-4)
      }
      expect(stepY * 110_540).toBeCloseTo(gsd, 3)
    }),
  )
})

test('the image of an area holds at least half of its box each way, and its sides lie within the asked range', () => {
  fc.assert(
    fc.property(place, fc.double({ min: 10, max: 900, noNaN: true }), ({ x, y, id }, pixels) => {
      const gsd = 1
      const focus = { ...area(x, Math.min(y, 79.9), pixels * gsd, 30), id: id.replace('n', 'a') }
      const found = boxFor(focus, mapTileAt([x, y]), gsd, settings)
      fc.pre(found !== null)
      const [bounds, { box, width, height }] = [boxOf(focus.geometry), found]
      for (const side of [width, height]) {
        expect(side).toBeGreaterThanOrEqual(TILES.minPixels)
        expect(side).toBeLessThanOrEqual(TILES.maxPixels)
      }
      const share = (axis: 0 | 1) =>
        (Math.min(bounds[axis + 2]!, box[axis + 2]!) - Math.max(bounds[axis]!, box[axis]!)) /
        (bounds[axis + 2]! - bounds[axis]!)
      expect(share(0)).toBeGreaterThan(0.49)
      expect(share(1)).toBeGreaterThan(0.49)
    }),
  )
})

test('the image of a line is centred near one of its nodes, chosen by seed and id alone', () => {
  const nodes: [number, number][] = Array.from({ length: 9 }, (_, i) => [7.4 + i * 0.01, 46.7])
  const geometry: Geometry = { type: 'LineString', coordinates: nodes }
  const tile = mapTileAt(nodes[0]!)
  const boxes = Array.from(
    { length: 60 },
    (_, i) => boxFor({ id: `w${i}`, geometry, maxGsd: 1 }, tile, 0.8, settings)!.box,
  )
  const chosen = boxes.map((box) => nodes.findIndex(([x, y]) => isInside(box, x, y)))
  expect(chosen).not.toContain(-1)
  expect(new Set(chosen).size).toBeGreaterThan(6)
  expect(boxFor({ id: 'w7', geometry, maxGsd: 1 }, tile, 0.8, settings)!.box).toEqual(boxes[7])
  expect(boxFor({ id: 'w7', geometry, maxGsd: 1 }, tile, 0.8, { ...settings, seed: 52 })!.box).not.toEqual(boxes[7])
})

test('of a long line a node in its map tile is chosen, where there is one', () => {
  const nodes: [number, number][] = Array.from({ length: 40 }, (_, i) => [7.2 + i * 0.01, 46.75])
  const geometry: Geometry = { type: 'LineString', coordinates: nodes }
  const tile = mapTileAt([7.45, 46.75])
  for (let i = 0; i < 40; i++) {
    const { box } = boxFor({ id: `w${i}`, geometry, maxGsd: 1 }, tile, 0.8, settings)!
    const [node] = nodes.filter(([x, y]) => isInside(box, x, y))
    expect(mapTileAt(node!)).toBe(tile)
  }
})

test('candidates of a tile are asked once for each source, and only of sources that an object may need', async () => {
  const asked: string[] = []
  const image = (imageId: string, footprint: Box): SourceImage => ({ imageId, time: 0, cloud: null, footprint })
  const tile = mapTileAt([7.45, 46.72])
  const whole = mapTileBox(tile)
  const focus = Array.from({ length: 40 }, (_, i) => ({ ...point(7.44 + i * 1e-4, 46.72, 0.8), id: `n${i}` }))
  const plan = await planTile({
    tile,
    focus,
    settings,
    candidates: async (source) => {
      asked.push(source)
      return source === 'P3' ? [] : [image(`${source}/1`, whole), image(`${source}/2`, whole)]
    },
  })
  expect(asked.sort()).toEqual(['CH', 'P3'])
  expect(plan.kept).toHaveLength(40)
  for (const { candidates } of plan.kept) expect(candidates.map(({ imageId }) => imageId)).toEqual(['CH/1', 'CH/2'])
})

test('images that hold the whole box go before those that hold a part; an object without any is dropped and counted', async () => {
  const tile = mapTileAt([7.45, 46.72])
  const half: Box = [7.4, 46.7, 7.45, 46.8]
  const images = (alias: string): SourceImage[] =>
    alias === 'CH'
      ? [
          { imageId: 'half', time: 2, cloud: null, footprint: half },
          { imageId: 'whole', time: 1, cloud: null, footprint: mapTileBox(tile) },
        ]
      : []
  const focus = [point(7.45, 46.72, 0.2), { ...point(7.45, 46.72, 30), id: 'n2' }]
  const { kept, dropped } = await planTile({ tile, focus, settings, candidates: async (alias) => images(alias) })
  expect(kept.map(({ candidates }) => candidates.map(({ imageId }) => imageId))).toEqual([['whole'], ['whole']])
  expect(dropped).toEqual([])
  const none = await planTile({ tile, focus, settings, candidates: async () => [] })
  expect(none.dropped.map(({ reason }) => reason)).toEqual(['no-image-here', 'no-image-here'])
})
