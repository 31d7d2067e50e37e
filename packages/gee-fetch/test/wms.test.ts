// @module-tag slow
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type FocusObject, mapTileAt, type Position } from '@skyscript/core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { GDAL, lacks, MAPSERVER } from '../../../test/support/needs.ts'
import { gridSystemOf } from '../src/crs/grid-system.ts'
import { cutOut } from '../src/cut-out.ts'
import { groupRequests, type PixelRequest } from '../src/grouping.ts'
import type { TileSource } from '../src/index.ts'
import { PIXEL_STATE } from '../src/pixel-state.ts'
import { colourOf, type Ortho, startMapServer, writeOrtho } from './map-server.ts'
import type { Service } from './service.ts'
import { focusOf, planAll, settingsOf } from './set-up.ts'
import { useWeb } from './web-set-up.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const PLACE: Position = [10.75, 48.35]
const WARSAW: Position = [21.0, 52.2]

/** A picture of 1,200 by 1,000 pixels around the place. */
function orthoAt(layer: string, epsg: number, step: number, [x, y]: Position = PLACE): Ortho {
  const [east, north] = gridSystemOf(epsg, layer).forward([x, y])
  const at = (value: number) => Math.round(value / step) * step
  return { layer, epsg, step, width: 1200, height: 1000, west: at(east!) - 600 * step, north: at(north!) + 500 * step }
}

const ORTHOS = {
  utm: orthoAt('utm', 25832, 0.2),
  mercator: orthoAt('mercator', 3857, 0.3),
  degrees: orthoAt('degrees', 4326, 2e-6),
  // Northing before easting.
  polish: orthoAt('polish', 2180, 0.25, WARSAW),
} as const

let folder: string
let service: Service
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-wms-'))
  if (lacks(GDAL, MAPSERVER)) return
  for (const ortho of Object.values(ORTHOS)) await writeOrtho(folder, ortho)
  service = await startMapServer(folder, Object.values(ORTHOS))
})
afterAll(async () => {
  await service?.close()
  await rm(folder, { recursive: true, force: true })
})
const { closers, client, sourceFor: completedSource } = useWeb()
const sourceFor = (settings: Record<string, unknown>) =>
  completedSource({ kind: 'wms', format: 'image/png', ...settings })
const points = ([x, y]: Position, n: number): FocusObject[] =>
  Array.from({ length: n }, (_, i) =>
    focusOf(`n${i}`, { type: 'Point', coordinates: [x! + (i - n / 2) * 0.0002, y! + ((i % 3) - 1) * 0.00015] }, 30),
  )

/** The candidates of points, planned as a build does. */
async function planned(source: TileSource, focus: readonly FocusObject[], tile: string) {
  const tiles = client()
  const { kept } = await planAll({
    tile,
    focus,
    settings: settingsOf([source], { tiles: { minPixels: 64, maxPixels: 400, pointPixels: 200, shift: 0.2 } }),
    candidates: async () => tiles.find(source, source.extent),
    origin: async (_, imageId, box) => tiles.origin(source, imageId, box),
  })
  return kept.map(({ candidates: [first] }) => first!)
}

describe.skipIf(lacks(GDAL, MAPSERVER))('maps of a service', () => {
  test.each([
    ['a metric system', 'utm', { crs: 'EPSG:25832', gsd: 0.2 }],
    ['a system with northing first', 'polish', { crs: 'EPSG:2180', gsd: 0.25 }],
    ['the same by the older version', 'polish', { crs: 'EPSG:2180', gsd: 0.25, version: '1.1.1' }],
  ] as const)('are the pixels of its pictures, none resampled, in %s', async (_, layer, settings) => {
    const ortho = ORTHOS[layer]
    const place = layer === 'polish' ? WARSAW : PLACE
    const source = await sourceFor({ url: service.url, layers: layer, ...settings })
    const tile = mapTileAt(place)
    const candidates = await planned(source, points(place, 9), tile)
    expect(candidates).toHaveLength(9)
    for (const isShared of [true, false]) {
      const requests = groupRequests(candidates, tile, [source], isShared)
      if (isShared) expect(requests.length).toBeLessThan(candidates.length)
      for (const { grid, parts } of requests) {
        const pixels = await client().pixels(source, 'TOWN/latest', grid)
        const left = Math.round((grid.west - ortho.west) / ortho.step)
        const top = Math.round((ortho.north - grid.north) / ortho.step)
        const wrong = parts.filter(({ index, x, y }) => {
          const { width, height } = candidates[index]!
          const own = cutOut(pixels, grid.width, { x, y }, { width, height })
          return own.some((value, i) => {
            const [column, row] = [left + x + ((i >> 2) % width), top + y + Math.floor((i >> 2) / width)]
            return value !== [...colourOf(column, row), PIXEL_STATE.clear][i % 4]
          })
        })
        expect(wrong).toEqual([])
      }
    }
  })

  test('are, pixel for pixel, what GDAL reads from the same service', async () => {
    const source = await sourceFor({ url: service.url, layers: 'utm', crs: 'EPSG:25832', gsd: 0.2, version: '1.3.0' })
    const tile = mapTileAt(PLACE)
    const [request] = groupRequests(await planned(source, points(PLACE, 1), tile), tile, [source])
    const { width, height, west, north, stepX } = request!.grid
    const window = [west, north, west + width * stepX, north - height * stepX].map((side) => side.toFixed(6))
    const [ulx, uly, lrx, lry] = window
    const xml = `<GDAL_WMS><Service name="WMS"><Version>1.3.0</Version><ServerUrl>${service.url}/?</ServerUrl><Layers>utm</Layers><CRS>EPSG:25832</CRS><ImageFormat>image/png</ImageFormat><BBoxOrder>xyXY</BBoxOrder></Service><DataWindow><UpperLeftX>${ulx}</UpperLeftX><UpperLeftY>${uly}</UpperLeftY><LowerRightX>${lrx}</LowerRightX><LowerRightY>${lry}</LowerRightY><SizeX>${width}</SizeX><SizeY>${height}</SizeY></DataWindow><Projection>EPSG:25832</Projection><BandsCount>3</BandsCount></GDAL_WMS>`
    await writeFile(join(folder, 'wms.xml'), xml)
    const args = ['-q', '-of', 'ENVI', '-co', 'INTERLEAVE=BIP', join(folder, 'wms.xml'), join(folder, 'out.bin')]
    await promisify(execFile)('gdal_translate', args)
    const ours = (await client().pixels(source, 'TOWN/latest', request!.grid)).filter((_, i) => i % 4 < 3)
    expect(Buffer.from(ours).equals(await readFile(join(folder, 'out.bin')))).toBe(true)
  })

  test.each([
    ['web mercator', 'mercator', 'EPSG:3857'],
    ['degrees, latitude first', 'degrees', 'EPSG:4326'],
    ['degrees, longitude first', 'degrees', 'CRS:84'],
    ['metres of another zone', 'utm', 'EPSG:25833'],
  ] as const)(
    'are on the ground where gdalwarp puts them, in %s',
    async (_, layer, crs) => {
      const systems = 'EPSG:3857 EPSG:4326 CRS:84 EPSG:25832 EPSG:25833'
      const other = await startMapServer(folder, [ORTHOS[layer]], { systems })
      closers.push(() => other.close())
      const source = await sourceFor({ url: other.url, layers: layer, crs, gsd: 0.2, version: '1.3.0' })
      const tile = mapTileAt(PLACE)
      const [{ grid }] = groupRequests(await planned(source, points(PLACE, 1), tile), tile, [source]) as [PixelRequest]
      const { width, height, west, north, stepX, stepY } = grid
      const window = [west, north - height * stepY, west + width * stepX, north].map(String)
      const size = [String(width), String(height)]
      const system = crs === 'CRS:84' ? 'EPSG:4326' : crs
      const format = ['-q', '-overwrite', '-of', 'ENVI', '-co', 'INTERLEAVE=BIP', '-r', 'near', '-t_srs', system]
      const out = join(folder, 'warped.bin')
      const file = join(folder, `${layer}.tif`)
      await promisify(execFile)('gdalwarp', [...format, '-et', '0', '-te', ...window, '-ts', ...size, file, out])
      const theirs = await readFile(out)
      const ours = (await client().pixels(source, 'TOWN/latest', grid)).filter((_value, i) => i % 4 < 3)
      expect(theirs).toHaveLength(ours.length)
      // Programs differ in which of two pixels is nearer where both are as near.
      const same = ours.reduce((sum, value, i) => sum + (value === theirs[i] ? 1 : 0), 0)
      expect(same / ours.length).toBeGreaterThan(0.9)
    },
    60_000,
  )

  test('are shared by neighbours: far fewer requests than images', async () => {
    const source = await sourceFor({ url: service.url, layers: 'utm', gsd: 0.2 })
    const tile = mapTileAt(PLACE)
    const before = service.asked.length
    const tiles = client()
    const candidates = await planned(source, points(PLACE, 9), tile)
    for (const { grid } of groupRequests(candidates, tile, [source], false))
      await tiles.pixels(source, 'TOWN/latest', grid)
    expect(service.asked.length - before).toBeLessThan(9)
  })
})
