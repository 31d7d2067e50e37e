/** A dataset of a service that has some levels of its tiles only enlarged, and none in places. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTiles, type TileServer } from '../packages/gee-fetch/test/xyz-server.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { buildHere, place, SMALL_TOWN, smallRegion, writeMap } from './support/small-map.ts'

/** The last level of the service, and the last that it has of the east of the town. */
const LAST = 19
const REAL = 17
/** The first column of tiles of the last level that are in the east, in the middle of the town, and its edge in degrees. */
const EDGE = Math.round(((place([-20, 0])[0] + 180) / 360) * 2 ** LAST)
const EDGE_DEGREES = (EDGE / 2 ** LAST) * 360 - 180

let folder: string
let server: TileServer
const at = (...path: string[]) => join(folder, ...path)

/** A number in [0, 1) for a pixel of a level. */
function noise(x: number, y: number, cell: number): number {
  const hash = Math.imul(Math.imul(Math.floor(x / cell) + 7, 73_856_093) ^ Math.imul(Math.floor(y / cell) + 3, 19_349_663), 83_492_791) // biome-ignore format: one hash
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32
}

/** What a camera sees: structures of all sizes, the finest of a pixel. */
const seen = (x: number, y: number): number =>
  40 + [64, 31, 17, 9, 5, 3, 1].reduce((sum, cell) => sum + 28 * noise(x, y, cell), 0)

/** A square of pixels of a level, from a corner. */
function drawn(left: number, top: number, side: number): Buffer {
  const pixels = Buffer.alloc(side * side * 3)
  for (let y = 0, i = 0; y < side; y++)
    for (let x = 0; x < side; x++, i += 3) pixels.fill(seen(left + x, top + y), i, i + 3)
  return pixels
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-enlarged-'))
  await writeMap(at('map.osm.pbf'), SMALL_TOWN)
  server = await startTiles((request, response) => {
    const [, z, x, y] = request.url!.split('/').map(Number) as [number, number, number, number]
    const isEast = x / 2 ** (z - LAST) >= EDGE
    const factor = isEast && z > REAL ? 2 ** (z - REAL) : 1
    const side = 256 / factor
    const tile = sharp(drawn((x * 256) / factor, (y * 256) / factor, side), {
      raw: { width: side, height: side, channels: 3 },
    })
    void tile
      .resize(256, 256, { kernel: 'cubic' })
      .jpeg({ quality: 90 })
      .toBuffer()
      .then((jpeg) => response.writeHead(200, { 'Content-Type': 'image/jpeg' }).end(jpeg))
    return true
  })
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

const region = (zoom: readonly [number, number], output: string, checks = {}) =>
  smallRegion(at('map.osm.pbf'), at(output), {
    tiles: { minPixels: 64, maxPixels: 600, pointPixels: 128 },
    imagery: {
      sources: [
        {
          kind: 'xyz',
          alias: 'TOWN',
          url: `${server.url}/{z}/{x}/{y}`,
          zoom,
          licence: 'CC0',
          requests: { concurrent: 20, perSecond: 1000 },
        },
      ],
      checks,
    },
  })
const gsdsOf = async (output: string) => {
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(at(output, 'manifest.parquet')) })
  const halves = Map.groupBy(rows, ({ west, east }) =>
    west >= EDGE_DEGREES - 1e-9 ? 'east' : east <= EDGE_DEGREES + 1e-9 ? 'west' : 'both',
  )
  return {
    rows,
    east: new Set((halves.get('east') ?? []).map(({ gsd }) => gsd)),
    west: new Set((halves.get('west') ?? []).map(({ gsd }) => gsd)),
  }
}
const gsdAt = (level: number) =>
  Number((((2 * 20_037_508.342789244) / (256 * 2 ** level)) * Math.cos((46.75 * Math.PI) / 180)).toPrecision(4))

test('images of enlarged tiles are left out, and taken from the level that has their pixels where tags are seen at it', async () => {
  const { lock } = await buildHere(region([0, LAST], 'all'), folder)
  const { rows, east, west } = await gsdsOf('all')
  expect(west).toEqual(new Set([gsdAt(LAST)]))
  expect(east).toEqual(new Set([gsdAt(REAL)]))
  // What is seen at 0.2 m only has no image in the east.
  expect(lock.counts.dropped['image-enlarged']).toBeGreaterThan(0)
  expect(rows.length).toBeGreaterThan(4)
  const verified = await skyscriptHere(['verify', at('all')])
  expect(verified.code, verified.stdout).toBe(0)
  expect(await buildHere(region([0, LAST], 'all'), folder)).toEqual(
    expect.objectContaining({ unchanged: true, jobs: {} }),
  )
})

test('without other levels they are dropped, and kept where the settings say so', async () => {
  const { lock } = await buildHere(region([LAST, LAST], 'one'), folder)
  const one = await gsdsOf('one')
  expect(one.east.size).toBe(0)
  expect(lock.counts.dropped['image-enlarged']).toBeGreaterThan(2)
  const { lock: kept } = await buildHere(region([LAST, LAST], 'kept', { maxEnlarged: 4 }), folder)
  expect(kept.counts.dropped).not.toHaveProperty('image-enlarged')
  expect((await gsdsOf('kept')).east).toEqual(new Set([gsdAt(LAST)]))
})
