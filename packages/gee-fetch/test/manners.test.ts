// @module-tag slow
/** How web services are asked: who asks, how often, and not for what is known. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TOOL_VERSION } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import sharp from 'sharp'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createTileImagery, openFileCache, sourcesOf, type TileSource } from '../src/index.ts'
import { startTiles, type TileServer } from './xyz-server.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const KEY = 'k3y-of-the-town'
const PLACEHOLDER = '$' + '{SKYSCRIPT_SECRET_TOWN}'
const fillIn = (address: string) => address.replaceAll(PLACEHOLDER, KEY)

let folder: string
let server: TileServer
let headers: IncomingHttpHeaders[]
/** By path, the colour of a tile; its ETag follows. */
let colour: string
let etags: boolean
let sent: number
const closers: (() => Promise<void>)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-manners-'))
  ;[headers, colour, etags, sent] = [[], '#385', true, 0]
  server = await startTiles((request, response) => {
    headers.push(request.headers)
    const etag = `"${colour}"`
    if (etags && request.headers['if-none-match'] === etag) response.writeHead(304, { ETag: etag }).end()
    else {
      sent++
      const create = { width: 256, height: 256, channels: 3 as const, background: colour }
      void sharp({ create })
        .png()
        .toBuffer()
        .then((png) => response.writeHead(200, { 'Content-Type': 'image/png', ...(etags && { ETag: etag }) }).end(png))
    }
    return true
  })
})
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

const sourceAt = (query = ''): TileSource =>
  sourcesOf(
    parseConfig(
      JSON.stringify({
        osm: { source: 'x.osm.pbf' },
        output: 'out',
        imagery: {
          sources: [
            { kind: 'xyz', alias: 'TOWN', url: `${server.url}/{z}/{x}/{y}${query}`, zoom: [0, 18], licence: 'CC0' },
          ],
        },
      }),
      '/r.yaml',
    ).imagery.sources,
  )[0] as TileSource

/** The pixels of one tile, as a process that has not asked for it yet gets them. */
async function pixels(source: TileSource, options: Partial<Parameters<typeof createTileImagery>[0]> = {}) {
  const tiles = createTileImagery({ fillIn, ...options })
  closers.push(() => tiles.close())
  const lattice = source.latticeIn('x1874_y1367')
  const grid = { west: lattice.west + 1000 * 256 * lattice.stepX, north: lattice.south + 1000 * 256 * lattice.stepY }
  return tiles.pixels(source, 'TOWN/18', {
    crs: 'EPSG:3857',
    width: 64,
    height: 64,
    ...grid,
    stepX: lattice.stepX,
    stepY: lattice.stepY,
  })
}

test('services are told the tool, its version and the contact of the settings', async () => {
  await pixels(sourceAt(), { contact: 'maps@example.org' })
  await pixels(sourceAt())
  expect(headers.map((each) => each['user-agent'])).toEqual([
    `skyscript-pipeline/${TOOL_VERSION} (+maps@example.org)`,
    `skyscript-pipeline/${TOOL_VERSION}`,
  ])
})

test('a tile that the service has not changed is not sent again, and one that it changed is', async () => {
  const cached = () => pixels(sourceAt(), { cache: openFileCache({ folder, mostBytes: 1e6 }) })
  const first = await cached()
  expect(await cached()).toEqual(first)
  expect([headers.length, sent]).toEqual([2, 1])
  expect(headers[1]!['if-none-match']).toBe('"#385"')
  colour = '#a52'
  const changed = await cached()
  expect(changed).not.toEqual(first)
  expect(changed).toEqual(await pixels(sourceAt()))
  expect(await cached()).toEqual(changed)
})

test('what has no ETag is not kept, and a key is in no file', async () => {
  const cache = openFileCache({ folder, mostBytes: 1e6 })
  etags = false
  await pixels(sourceAt(), { cache })
  expect(await readdir(folder)).toEqual([])
  etags = true
  await pixels(sourceAt('?k={key}'), { cache })
  expect(server.asked.at(-1)).toContain(`?k=${KEY}`)
  expect((await cache.get(server.url + server.asked.at(-1)!.replace(KEY, PLACEHOLDER)))?.etag).toBe('"#385"')
  expect(await cache.get(server.url + server.asked.at(-1)!)).toBeNull()
})

test('a service that says when to come back is not asked by anyone until then', async () => {
  let refusals = 0
  await server.close()
  server = await startTiles((_, response) => {
    if (refusals++ > 0) return false
    response.writeHead(503, { 'Retry-After': '7' }).end()
    return true
  })
  const waits: (number | null)[] = []
  const limiter = {
    acquire: async () => () => {},
    refused: (ms: number | null) => waits.push(ms),
    restricted: () => {},
  }
  await pixels(sourceAt(), { limiter: async () => limiter })
  expect(waits).toEqual([7000])
})
