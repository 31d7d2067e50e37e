import type { Box, FocusObject, SourceSettings } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { afterEach, expect, test, vi } from 'vitest'
import { groupRequests } from '../src/grouping.ts'
import { createTileImagery, SOURCES, type Source, sourcesOf } from '../src/index.ts'
import { sourceFor } from '../src/sources/coarser.ts'
import { suitableSources } from '../src/suitable.ts'
import type { TileSource } from '../src/web/tile-source.ts'
import { focusOf, planAll, settingsOf, TILES } from './set-up.ts'
import { colourAt, startTiles } from './xyz-server.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})
const TILE = 'x1874_y1467'
const [X, Y] = [7.45, 46.73]

/** A square area about the place. */
function area(metres: number, maxGsd: number): FocusObject {
  const [dx, dy] = [metres / 2 / (111_320 * Math.cos((Y * Math.PI) / 180)), metres / 2 / 110_540]
  const [w, s, e, n]: Box = [X - dx, Y - dy, X + dx, Y + dy]
  const ring = [[w, s], [e, s], [e, n], [w, n], [w, s]] as [number, number][] // biome-ignore format: one square
  return focusOf(`a${metres}`, { type: 'Polygon', coordinates: [ring] }, maxGsd)
}
const tilesWith = (coarsen?: 2 | 4 | 8) => ({ ...TILES, ...(coarsen && { coarsen }) })
const gsdsFor = (object: FocusObject, sources: readonly Source[], coarsen?: 2 | 4 | 8) => {
  const found = suitableSources(object, { sources, prefer: 'finest', tiles: tilesWith(coarsen) })
  return 'reason' in found ? found.reason : found.sources.map(({ gsd }) => gsd)
}
const described = (settings: Record<string, unknown>) => {
  const source = { alias: 'TOWN', licence: 'CC0', requests: { concurrent: 50, perSecond: 1000 }, ...settings }
  const region = { output: '/tmp/o', osm: { source: 'x.osm.pbf' }, imagery: { sources: [source] } }
  return sourcesOf(parseConfig(JSON.stringify(region), '/tmp/region.yaml').imagery.sources as SourceSettings[])[0]!
}

test('an area too large for a source is read at the smallest multiple of its GSD that fits, if the tags are still seen', () => {
  const { CH, S2 } = SOURCES
  // 1,000 pixels of 0.1 m, with a tenth of padding on each side, show 83 m; 10 m show areas from 420 m.
  expect(gsdsFor(area(80, 10), [CH, S2], 8)).toEqual([0.1])
  expect(gsdsFor(area(150, 10), [CH, S2])).toBe('area-between-sources')
  expect(gsdsFor(area(150, 10), [CH, S2], 2)).toEqual([0.2])
  expect(gsdsFor(area(300, 10), [CH, S2], 2)).toBe('area-between-sources')
  expect(gsdsFor(area(300, 10), [CH, S2], 8)).toEqual([0.4])
  expect(gsdsFor(area(300, 0.3), [CH, S2], 8)).toBe('area-too-large')
  // The finest image first, also among multiples.
  expect(gsdsFor(area(600, 10), [CH, S2], 8)).toEqual([0.8, 10])
})

test('points are never coarsened', () => {
  const point = focusOf('n1', { type: 'Point', coordinates: [X, Y] }, 30)
  expect(gsdsFor(point, [SOURCES.CH], 8)).toEqual([0.1])
})

test('image tiles are read from a lower level, with its pixels and a true GSD, and only from levels that there are', async () => {
  const server = await startTiles()
  closers.push(() => server.close())
  const source = described({ kind: 'xyz', url: `${server.url}/{z}/{x}/{y}`, zoom: [18, 19] }) as TileSource
  const tiles = createTileImagery({ fillIn: (address) => address })
  closers.push(() => tiles.close())
  const { kept } = await planAll({
    tile: TILE,
    focus: [area(100, 10), area(250, 10), area(500, 10)],
    settings: settingsOf([source], { tiles: tilesWith(8) }),
    candidates: async (of) => tiles.find(of as TileSource, [7, 46, 8, 47]),
    origin: async (of, imageId, box) => tiles.origin(of as TileSource, imageId, box),
  })
  // Level 17 is not there, so 500 m are too large.
  expect(kept.map(({ id }) => id)).toEqual(['a100', 'a250'])
  const [fine, coarse] = kept.map(({ candidates: [first] }) => first!)
  expect(coarse!.gsd / fine!.gsd).toBeCloseTo(2, 3)
  expect(coarse!.imageId).toBe(fine!.imageId)
  const read = sourceFor(coarse!, [source]) as TileSource
  const { grid } = groupRequests([coarse!], TILE, [source])[0]!
  const pixels = await tiles.pixels(read, coarse!.imageId, grid)
  const step = (2 * 20_037_508.342789244) / (256 * 2 ** 18)
  const [left, top] = [(grid.west + 20_037_508.342789244) / step, (20_037_508.342789244 - grid.north) / step]
  expect([...pixels.subarray(0, 3)]).toEqual([...colourAt(Math.round(left), Math.round(top))])
  expect(server.asked.every((path) => path.startsWith('/18/'))).toBe(true)
})

test('maps of a service are asked for with larger pixels', () => {
  const settings = {
    url: 'https://x/wms',
    layers: 'a',
    gsd: 0.2,
    crs: 'EPSG:25832',
    version: '1.3.0',
    format: 'image/png',
  }
  const source = described({ kind: 'wms', ...settings })
  const [coarse] = (
    suitableSources(area(300, 10), { sources: [source], prefer: 'finest', tiles: tilesWith(8) }) as {
      sources: TileSource[]
    }
  ).sources
  expect([coarse!.gsd, coarse!.latticeIn(TILE).stepX]).toEqual([0.4, 0.4])
})
