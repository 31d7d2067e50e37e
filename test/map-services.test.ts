// @module-tag slow
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { gridSystemOf } from '../packages/gee-fetch/src/crs/grid-system.ts'
import { filesOf } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { buildHere, SMALL_TOWN, smallRegion, writeMap } from './support/small-map.ts'

const GSD = 0.25
const CAPABILITIES = `<?xml version="1.0"?><WMS_Capabilities version="1.3.0" xmlns="http://www.opengis.net/wms"><Service><Name>WMS</Name><Fees>none</Fees><AccessConstraints>Name the town</AccessConstraints><MaxWidth>1000</MaxWidth><MaxHeight>1000</MaxHeight></Service><Capability><Request><GetMap><Format>image/png</Format></GetMap></Request><Layer><CRS>EPSG:3857</CRS><CRS>EPSG:25832</CRS><EX_GeographicBoundingBox><westBoundLongitude>6</westBoundLongitude><eastBoundLongitude>9</eastBoundLongitude><southBoundLatitude>46</southBoundLatitude><northBoundLatitude>48</northBoundLatitude></EX_GeographicBoundingBox><Layer><Name>ortho</Name><Dimension name="time" units="ISO8601">2018,2021</Dimension></Layer></Layer></Capability></WMS_Capabilities>`

/** The colour of the ground in a square of a pixel, counted from the system's origin. */
const colourAt = (column: number, row: number) => [column % 251, row % 241, (column + 3 * row) % 239] as const

let folder: string
let server: Server
const asked: URL[] = []
let capabilities = CAPABILITIES
const at = (...path: string[]) => join(folder, ...path)
const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/wms`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-maps-'))
  server = createServer(async (request, response) => {
    const address = new URL(request.url!, 'http://x')
    asked.push(address)
    const values = address.searchParams
    if (values.get('REQUEST') === 'GetCapabilities') return response.end(capabilities)
    const [west, , , north] = values.get('BBOX')!.split(',').map(Number) as [number, number, number, number]
    const size = Number(values.get('WIDTH'))
    const pixels = Buffer.alloc(size * size * 3)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++)
        pixels.set(colourAt(Math.round(west / GSD) + x, Math.round(north / GSD) - y), (y * size + x) * 3)
    const png = await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
      .png({ compressionLevel: 1 })
      .toBuffer()
    return response.writeHead(200, { 'content-type': 'image/png' }).end(png)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  await writeMap(at('map.osm.pbf'), SMALL_TOWN)
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(folder, { recursive: true })
})

const region = (changes = {}) =>
  smallRegion(at('map.osm.pbf'), at('out'), {
    imagery: {
      year: 'latest',
      sources: [
        {
          ...{
            kind: 'wms',
            alias: 'TOWN',
            url: url(),
            layers: 'ortho',
            gsd: GSD,
            years: [2018, 2021],
            licence: 'CC BY 4.0',
          },
          ...{ credit: 'Town of the test', requests: { concurrent: 20, perSecond: 1000 }, ...changes },
        },
      ],
    },
  })

test('a dataset of maps in a metric system has the pixels of its pictures, verifies, and is rebuilt without asking for a map', async () => {
  await buildHere(region(), folder)
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(at('out/manifest.parquet')) })
  expect(rows.length).toBeGreaterThan(8)
  const { forward } = gridSystemOf(25832, 'test')
  for (const { filepath, west, south, east, north, gsd, time } of rows) {
    expect([gsd, time]).toEqual([GSD, new Date('2021-01-01')])
    const { data, info } = await sharp(at('out', filepath)).raw().toBuffer({ resolveWithObject: true })
    const [x, y] = forward([(west + east) / 2, (south + north) / 2])
    const left = Math.round(x / GSD - info.width / 2)
    const top = Math.round(y / GSD + info.height / 2)
    // A JPEG is near its pixels, and no shift of the picture by a pixel would be as near.
    let off = 0
    for (let row = 0; row < info.height; row++)
      for (let column = 0; column < info.width; column++)
        off += Math.abs(data[(row * info.width + column) * 3 + 1]! - colourAt(left + column, top - row)[1])
    expect(off / (info.width * info.height)).toBeLessThan(12)
  }
  const maps = () => asked.filter(({ searchParams }) => searchParams.get('REQUEST') === 'GetMap')
  expect(maps().length).toBeGreaterThan(0)
  expect(maps().every(({ searchParams }) => searchParams.get('TIME') === '2021')).toBe(true)
  const before = maps().length
  const slower = region({ requests: { concurrent: 1, perSecond: 5 } })
  for (const same of [region(), slower])
    expect(await buildHere(same, folder)).toEqual(expect.objectContaining({ unchanged: true, jobs: {} }))
  expect(maps()).toHaveLength(before)
  const verified = await skyscriptHere(['verify', at('out')])
  expect(verified.code, verified.stdout).toBe(0)
})

test('a year that a service adds is used only as imagery.refresh says', async () => {
  const build = (output: string, refresh?: string) => {
    const { imagery, ...rest } = region() as { imagery: object }
    return buildHere({ ...rest, imagery: { ...imagery, ...(refresh && { refresh }) }, output: at(output) }, folder)
  }
  const maps = () => asked.filter(({ searchParams }) => searchParams.get('REQUEST') === 'GetMap').length
  capabilities = CAPABILITIES.replace('2018,2021', '2018,2021,2024')
  const before = maps()
  expect(await build('out')).toMatchObject({ unchanged: true, jobs: {}, refreshed: {} })
  expect(await build('out', '90d')).toMatchObject({ unchanged: true, jobs: {}, refreshed: {} })
  expect(maps()).toBe(before)
  expect((await build('out', 'newer')).refreshed).toEqual({ TOWN: { images: 1, tiles: expect.any(Number) } })
  expect(maps()).toBeGreaterThan(before)
  await build('fresh')
  expect(filesOf(at('out'))).toEqual(filesOf(at('fresh')))
  // It stays.
  expect(await build('out')).toMatchObject({ unchanged: true, jobs: {}, refreshed: {} })
  capabilities = CAPABILITIES
}, 60_000)

test('plan says what the service states about its use, and doctor asks it', async () => {
  await writeFile(at('region.yaml'), stringify({ ...region(), output: at('planned') }))
  const planned = await skyscriptHere(['plan', at('region.yaml')])
  expect(planned.code, planned.stderr).toBe(0)
  expect(planned.stderr).toContain('TOWN: Name the town')
  const { stdout } = await skyscriptHere(['doctor', at('region.yaml')])
  expect(stdout).toMatch(/ok +source:TOWN .*has pictures/)
  await writeFile(at('region.yaml'), stringify({ ...region({ layers: 'orto' }), output: at('planned') }))
  for (const command of ['plan', 'doctor']) {
    const { code, stdout, stderr } = await skyscriptHere([command, at('region.yaml')])
    expect(code).toBe(1)
    expect(stdout + stderr).toMatch(/has no layer orto(;|\n *->) name one of ortho\./i)
  }
})

test('areas that are too large for the pictures are read with larger pixels, and the dataset verifies', async () => {
  const park = { id: 900, tags: { leisure: 'park' }, at: [[0, 0]], half: 140 } as const
  await writeMap(at('park.osm.pbf'), [...SMALL_TOWN, park])
  const settings = { ...region(), osm: { source: at('park.osm.pbf') }, output: at('coarse') }
  await buildHere({ ...settings, tiles: { pointPixels: 224, coarsen: 8 } }, folder)
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(at('coarse/manifest.parquet')) })
  expect(rows.filter(({ id }) => id === 'a900').map(({ gsd }) => gsd)).toEqual([2 * GSD])
  expect(new Set(rows.map(({ gsd }) => gsd))).toEqual(new Set([GSD, 2 * GSD, 4 * GSD]))
  const verified = await skyscriptHere(['verify', at('coarse')])
  expect(verified.code, verified.stdout).toBe(0)
})
