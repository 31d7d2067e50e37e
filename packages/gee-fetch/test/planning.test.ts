import {
  type Box,
  type FocusObject,
  type Geometry,
  mapTileAt,
  mapTileBox,
  ServiceError,
  SOURCE_ALIASES,
} from '@skyscript/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BoxSettings, boxesIn } from '../src/boxes.ts'
import { SOURCES, type SourceImage, suitableSources } from '../src/index.ts'
import { byPreference } from '../src/preference.ts'
import { focusOf, planAll, settingsOf, TILES } from './set-up.ts'

const TEN = SOURCE_ALIASES.map((alias) => SOURCES[alias])
const settings = settingsOf(TEN)
const boxFor = (focus: FocusObject, tile: string, gsd: number, by: BoxSettings) => boxesIn(tile, by)(focus)({ gsd })
const METRES = 111_320

const point = (x: number, y: number, maxGsd: number): FocusObject =>
  focusOf('n1', { type: 'Point', coordinates: [x, y] }, maxGsd)
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
  return focusOf(id, { type: 'Polygon', coordinates: [ring] }, maxGsd)
}

const aliases = (found: ReturnType<typeof suitableSources>) =>
  'reason' in found ? found : { sources: found.sources.map(({ alias }) => alias) }
const sources = (focus: FocusObject) => aliases(suitableSources(focus, settings))

test('a point is shown by sources fine enough for its tags, finest first, and never by 30 m images', () => {
  expect(sources(point(7.45, 46.7, 0.2))).toEqual({ sources: ['CH'] })
  expect(sources(point(7.45, 46.7, 1))).toEqual({ sources: ['CH', 'P3'] })
  expect(sources(point(7.45, 46.7, 30))).toEqual({ sources: ['CH', 'P3', 'P5', 'S2'] })
  expect(sources(point(13.1, 52.4, 0.6))).toEqual({ sources: ['DE'] })
  expect(sources(point(60, 10, 0.6))).toEqual({ reason: 'no-source-fine-enough' })
  expect(suitableSources(point(7.45, 46.7, 30), settingsOf([SOURCES.L8, SOURCES.L9]))).toEqual({
    reason: 'no-source-fine-enough',
  })
})

test('an area is shown by sources in which it fills hundreds of pixels, not tens of thousands', () => {
  expect(sources(area(7.45, 46.7, 50, 30))).toEqual({ sources: ['CH', 'P3'] })
  expect(sources(area(7.45, 46.7, 600, 30))).toEqual({ sources: ['P3', 'P5', 'S2'] })
  expect(sources(area(7.45, 46.7, 6000, 30))).toEqual({ sources: ['S2', 'L8', 'L9'] })
  expect(sources(area(7.45, 46.7, 3, 30))).toEqual({ reason: 'area-too-small' })
  expect(sources(area(7.45, 46.7, 60_000, 30))).toEqual({ reason: 'area-too-large' })
  const gap = settingsOf([SOURCES.CH, SOURCES.S2])
  expect(suitableSources(area(7.45, 46.7, 150, 30), gap)).toEqual({ reason: 'area-between-sources' })
})

test('an object outside every source has none', () => {
  expect(suitableSources(point(60, 10, 30), settingsOf([SOURCES.CH, SOURCES.US]))).toEqual({
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

test('a point is in its box, whatever the shift; the box has the requested size and is on the lattice of its tile', () => {
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

test('the image of an area contains at least half of its box in each direction, and its sides are within the limits', () => {
  fc.assert(
    fc.property(place, fc.double({ min: 10, max: 900, noNaN: true }), ({ x, y, id }, pixels) => {
      const gsd = 1
      const focus = { ...area(x, Math.min(y, 79.9), pixels * gsd, 30), id: id.replace('n', 'a') }
      const found = boxFor(focus, mapTileAt([x, y]), gsd, settings)
      fc.pre(found !== null)
      const [bounds, { box, width, height }] = [focus.box, found]
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

test('near 180 degrees the box of an image stays on the map and contains its object', () => {
  // At the edge, up to a pixel of the coarsest source is left out.
  const offset = fc.double({ min: 1e-4, max: 0.02, noNaN: true })
  const gsds = fc.constantFrom(0.1, 0.8, 10)
  fc.assert(
    fc.property(offset, fc.boolean(), gsds, fc.nat(999), (far, isEast, gsd, number) => {
      const x = isEast ? 180 - far : -180 + far
      const tile = mapTileAt([x, -16.8])
      const { box, width } = boxFor({ ...point(x, -16.8, 30), id: `n${number}` }, tile, gsd, settings)!
      expect(isInside(box, x, -16.8)).toBe(true)
      expect([box[0] >= -180, box[2] <= 180, width]).toEqual([true, true, 300])
    }),
  )
})

test('the image of an area on both sides of 180 degrees shows its larger part', () => {
  const half = (west: number, east: number): [number, number][] => [
    [west, -16.82],
    [east, -16.82],
    [east, -16.8],
    [west, -16.8],
    [west, -16.82],
  ]
  const geometry: Geometry = { type: 'MultiPolygon', coordinates: [[half(-180, -179.97)], [half(179.99, 180)]] }
  for (const [i, { box }] of Array.from(
    { length: 20 },
    (_, i) => [i, boxFor(focusOf(`a${i}`, geometry, 30), mapTileAt([-179.985, -16.81]), 10, settings)!] as const,
  )) {
    expect([i, box[0] >= -180, box[2] < -179.9, isInside(box, -179.985, -16.81)]).toEqual([i, true, true, true])
  }
  const large: Geometry = { type: 'MultiPolygon', coordinates: [[half(-180, -179.97)], [half(179, 180)]] }
  const suited = suitableSources(focusOf('a1', large, 30), {
    ...settings,
    sources: Object.values(SOURCES),
    prefer: 'finest',
  })
  expect('sources' in suited && suited.sources.map(({ alias }) => alias)).toBe(false)
})

test('the image of a line is centred near one of its nodes, chosen only by seed and id', () => {
  const nodes: [number, number][] = Array.from({ length: 9 }, (_, i) => [7.4 + i * 0.01, 46.7])
  const geometry: Geometry = { type: 'LineString', coordinates: nodes }
  const tile = mapTileAt(nodes[0]!)
  const boxes = Array.from({ length: 60 }, (_, i) => boxFor(focusOf(`w${i}`, geometry, 1), tile, 0.8, settings)!.box)
  const chosen = boxes.map((box) => nodes.findIndex(([x, y]) => isInside(box, x, y)))
  expect(chosen).not.toContain(-1)
  expect(new Set(chosen).size).toBeGreaterThan(6)
  expect(boxFor(focusOf('w7', geometry, 1), tile, 0.8, settings)!.box).toEqual(boxes[7])
  expect(boxFor(focusOf('w7', geometry, 1), tile, 0.8, { ...settings, seed: 52 })!.box).not.toEqual(boxes[7])
})

test('for a long line, a node in its map tile is chosen if there is one', () => {
  const nodes: [number, number][] = Array.from({ length: 40 }, (_, i) => [7.2 + i * 0.01, 46.75])
  const geometry: Geometry = { type: 'LineString', coordinates: nodes }
  const tile = mapTileAt([7.45, 46.75])
  for (let i = 0; i < 40; i++) {
    const { box } = boxFor(focusOf(`w${i}`, geometry, 1), tile, 0.8, settings)!
    const [node] = nodes.filter(([x, y]) => isInside(box, x, y))
    expect(mapTileAt(node!)).toBe(tile)
  }
})

test('candidates of a tile are requested once per source, and only from sources that an object may need', async () => {
  const asked: string[] = []
  const image = (imageId: string, footprint: Box): SourceImage => ({ imageId, time: 0, cloud: null, footprint })
  const tile = mapTileAt([7.45, 46.72])
  const whole = mapTileBox(tile)
  const focus = Array.from({ length: 40 }, (_, i) => ({ ...point(7.44 + i * 1e-4, 46.72, 0.8), id: `n${i}` }))
  const plan = await planAll({
    origin: async () => 'test',
    tile,
    focus,
    settings,
    candidates: async ({ alias }) => {
      asked.push(alias)
      return alias === 'P3' ? [] : [image(`${alias}/1`, whole), image(`${alias}/2`, whole)]
    },
  })
  expect(asked.sort()).toEqual(['CH', 'P3'])
  expect(plan.kept).toHaveLength(40)
  for (const { candidates } of plan.kept) expect(candidates.map(({ imageId }) => imageId)).toEqual(['CH/1', 'CH/2'])
})

test('images that cover the whole box rank before partial ones; an object without any is dropped and counted', async () => {
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
  const { kept, dropped } = await planAll({
    origin: async () => 'test',
    tile,
    focus,
    settings,
    candidates: async ({ alias }) => images(alias),
  })
  expect(kept.map(({ candidates }) => candidates.map(({ imageId }) => imageId))).toEqual([['whole'], ['whole']])
  expect(dropped).toEqual([])
  const none = await planAll({ origin: async () => 'test', tile, focus, settings, candidates: async () => [] })
  expect(none.dropped.map(({ reason }) => reason)).toEqual(['no-image-here', 'no-image-here'])
})

test('sources are tried in the order of the settings, if the settings say so', () => {
  const listed = settingsOf([SOURCES.S2, SOURCES.P3, SOURCES.CH], { prefer: 'listed' })
  expect(aliases(suitableSources(point(7.45, 46.7, 30), listed))).toEqual({ sources: ['S2', 'P3', 'CH'] })
  expect(aliases(suitableSources(point(7.45, 46.7, 1), listed))).toEqual({ sources: ['P3', 'CH'] })
})

describe('among the images of a source', () => {
  const year = (year: number, cloud: number | null = null, month = 5): SourceImage => ({
    imageId: `${year}-${month}-${cloud}`,
    time: Date.UTC(year, month, 1),
    cloud,
    footprint: [0, 0, 1, 1],
  })
  const images = [year(2016, 3), year(2018, 19), year(2019, 4), year(2021, 2), year(2023, 7), year(2024, 12)]
  const first = (setting: 'latest' | 'closest' | 'all', edited: number | null = null, id = 'n1') =>
    byPreference(images, { ...point(0, 0, 1), id, edited }, { year: setting, seed: 51 }).map(({ imageId }) => imageId)

  test('the clearest come first, in steps of 5 %, then the latest', () => {
    expect(first('latest')).toEqual(['2021-5-2', '2019-5-4', '2016-5-3', '2023-5-7', '2024-5-12', '2018-5-19'])
    expect(first('closest', null)).toEqual(first('latest'))
  })

  test('those closest to the last edit come first, if the settings say so', () => {
    expect(first('closest', Date.UTC(2018, 11, 1)).slice(0, 3)).toEqual(['2019-5-4', '2021-5-2', '2016-5-3'])
    expect(first('closest', Date.UTC(2015, 1, 1)).slice(0, 3)).toEqual(['2016-5-3', '2019-5-4', '2021-5-2'])
  })

  test('all years are equally likely, if the settings say so, and always the same for an object', () => {
    const counts = new Map<string, number>()
    for (let i = 0; i < 900; i++) {
      const [best] = first('all', null, `n${i}`)
      counts.set(best!, (counts.get(best!) ?? 0) + 1)
      expect(first('all', null, `n${i}`)[0]).toBe(best)
    }
    expect([...counts.keys()].sort()).toEqual(['2016-5-3', '2019-5-4', '2021-5-2'])
    for (const n of counts.values()) expect(n).toBeGreaterThan(240)
  })
})

test('an image’s own area must cover the box, not only its bounds; partial ones are used if none covers it', async () => {
  const [x, y] = [7.05, 46.05]
  const tile = mapTileAt([x, y])
  const bounds: SourceImage['footprint'] = [7, 46, 7.1, 46.1]
  const triangle = (corner: [number, number]): Geometry => ({
    type: 'Polygon',
    coordinates: [[[7, 46.1], [7.1, 46], corner, [7, 46.1]]],
  })
  const image = (imageId: string, month: number, outline: Geometry | null): SourceImage => ({
    imageId,
    time: Date.UTC(2020, month),
    cloud: null,
    footprint: bounds,
    outline,
  })
  const south = image('south', 1, triangle([7, 46]))
  const north = image('north', 2, triangle([7.1, 46.1]))
  const whole = image('whole', 0, null)
  const chosen = async (at: [number, number], ...images: SourceImage[]) => {
    const focus = [point(...at, 30)]
    const settings = settingsOf([SOURCES.P3])
    const { kept } = await planAll({
      origin: async () => 'test',
      tile,
      focus,
      settings,
      candidates: async () => images,
    })
    return kept[0]?.candidates.map(({ imageId }) => imageId) ?? []
  }
  expect(await chosen([7.02, 46.02], south, north)).toEqual(['south'])
  expect(await chosen([7.08, 46.08], south, north)).toEqual(['north'])
  expect(await chosen([7.05, 46.05], south, north, whole)).toEqual(['whole'])
  expect(await chosen([7.05, 46.05], south, north)).toEqual(['north', 'south'])
})

test('at least half of an area is in view, whatever its shape and the shift', () => {
  fc.assert(
    fc.property(
      place,
      fc.double({ min: 0.05, max: 0.9, noNaN: true }),
      fc.double({ min: 0, max: 0.45, noNaN: true }),
      ({ x, y, id }, arm, shift) => {
        // An L: its thin arms leave most of the box empty, so a shift can push all of it out of view.
        const [w, h] = [200 / METRES / Math.cos((y * Math.PI) / 180), 200 / METRES]
        const [right, top] = [x + w, y + h]
        const ring: [number, number][] = [
          [x, y],
          [right, y],
          [right, y + h * arm],
          [x + w * arm, y + h * arm],
          [x + w * arm, top],
          [x, top],
          [x, y],
        ]
        const geometry: Geometry = { type: 'Polygon', coordinates: [ring] }
        const focus = focusOf(id.replace('n', 'a'), geometry, 30)
        const found = boxFor(focus, mapTileAt([x, y]), 1, { tiles: { ...TILES, shift }, seed: 51 })
        fc.pre(found !== null)
        const { box } = found
        // Counted with a grid of points over the area, independent of the formula that places the box.
        let inside = 0
        let all = 0
        for (let i = 0; i < 60; i++) {
          for (let j = 0; j < 60; j++) {
            const [u, v] = [(i + 0.5) / 60, (j + 0.5) / 60]
            if (u > arm && v > arm) continue
            all++
            if (isInside(box, x + u * w, y + v * h)) inside++
          }
        }
        expect(inside / all).toBeGreaterThan(0.47)
      },
    ),
  )
})

test('planning skips images whose files are missing or damaged', async () => {
  const tile = mapTileAt([7.45, 46.72])
  const images = ['1', '2', '3', '4', '5'].map(
    (name): SourceImage => ({ imageId: name, time: 0, cloud: null, footprint: mapTileBox(tile) }),
  )
  const plan = (faults: Readonly<Record<string, ServiceError>>) =>
    planAll({
      tile,
      focus: [point(7.45, 46.72, 0.3)],
      settings: settingsOf([SOURCES.CH]),
      candidates: async () => images,
      origin: async (_source, imageId) => {
        if (faults[imageId]) throw faults[imageId]
        return 'test'
      },
    })
  const fault = (code: string, status: number, retry = false) => new ServiceError(code, code, { retry, status })
  const gone = fault('imagery-refused', 404)
  const damaged = fault('image-damaged', 400)
  const some = await plan({ 1: gone, 3: damaged })
  expect(some.kept.map(({ candidates }) => candidates.map(({ imageId }) => imageId))).toEqual([['2', '4', '5']])
  const none = await plan({ 1: damaged, 2: gone, 3: gone, 4: gone, 5: fault('image-without-asset', 400) })
  expect([none.dropped, none.failed]).toEqual([[{ id: 'n1', reason: 'image-damaged' }], []])
  // A temporary failure decides nothing.
  const later = await plan({ 1: fault('imagery-failed', 503, true) })
  expect(later).toMatchObject({ kept: [], dropped: [], failed: [{ id: 'n1', code: 'imagery-failed' }] })
})
