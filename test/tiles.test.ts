import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { colourAt, startTiles, type TileServer } from '../packages/gee-fetch/test/xyz-server.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { buildHere, SMALL_TOWN, smallRegion, writeMap } from './support/small-map.ts'

const KEY = 'k3y-of-the-town'
let folder: string
let server: TileServer
const at = (...path: string[]) => join(folder, ...path)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-tiles-'))
  server = await startTiles()
  process.env.SKYSCRIPT_SECRET_TOWN = KEY
  await writeMap(at('map.osm.pbf'), SMALL_TOWN)
})
afterAll(async () => {
  delete process.env.SKYSCRIPT_SECRET_TOWN
  await server.close()
  await rm(folder, { recursive: true })
})

const town = () => ({
  kind: 'xyz',
  alias: 'TOWN',
  url: `${server.url}/{z}/{x}/{y}?k=\${SKYSCRIPT_SECRET_TOWN}`,
  zoom: [0, 19],
  years: 2021,
  licence: 'CC BY 4.0',
  credit: 'Town of the test',
  requests: { concurrent: 20, perSecond: 1000 },
})
const region = (changes = {}) =>
  smallRegion(at('map.osm.pbf'), at('out'), { imagery: { sources: [{ ...town(), ...changes }] } })

test('a dataset of image tiles is made of their own pixels, and rebuilt without a request, also with other limits of requests', async () => {
  await buildHere(region(), folder)
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(at('out/manifest.parquet')) })
  expect(rows.length).toBeGreaterThan(8)
  const { stepX, side } = { stepX: (2 * 20_037_508.342789244) / (256 * 2 ** 19), side: 256 * 2 ** 19 }
  for (const { filepath, west, north, gsd, time, date_precision } of rows) {
    expect(gsd).toBeCloseTo(0.2986 * Math.cos((46.7 * Math.PI) / 180), 2)
    expect([time, date_precision]).toEqual([new Date('2021-01-01'), 'year'])
    const { data, info } = await sharp(at('out', filepath)).raw().toBuffer({ resolveWithObject: true })
    const left = Math.round(((west / 180) * 20_037_508.342789244 + 20_037_508.342789244) / stepX)
    const top = Math.round(side / 2 - (6_378_137 * Math.asinh(Math.tan((north * Math.PI) / 180))) / stepX)
    // A JPEG is near its pixels, and no shift of the picture by a pixel would be as near.
    let off = 0
    for (let y = 0; y < info.height; y++)
      for (let x = 0; x < info.width; x++)
        off += Math.abs(data[(y * info.width + x) * 3 + 1]! - colourAt(left + x, top + y)[1])
    expect(off / (info.width * info.height)).toBeLessThan(12)
  }
  const asked = server.asked.length
  expect(asked).toBeGreaterThan(0)
  const slower = region({ requests: { concurrent: 1, perSecond: 5 } })
  for (const same of [region(), slower])
    expect(await buildHere(same, folder)).toEqual(expect.objectContaining({ unchanged: true, jobs: {} }))
  expect(server.asked.length).toBe(asked)
  const verified = await skyscriptHere(['verify', at('out')])
  expect(verified.code, verified.stdout).toBe(0)
  expect(readFileSync(at('out/ATTRIBUTION.md'), 'utf8')).toMatch(/Town of the test/)
})

test('a plan says how many requests, bytes and seconds each host takes, and a build asks for no more', async () => {
  const asked = server.asked.length
  const mixed = smallRegion(at('map.osm.pbf'), at('out-plan'), {
    imagery: {
      sources: [{ ...town(), requests: { concurrent: 2, perSecond: 5 } }, 'S2'],
      earthEngine: { endpoint: 'local' },
    },
  })
  writeFileSync(at('plan.yaml'), stringify(mixed))
  const { stdout } = await skyscriptHere(['plan', at('plan.yaml'), '--json'])
  expect(server.asked.length).toBe(asked)
  const { hosts, bytes, secondsAtQuota } = JSON.parse(stdout)
  const { host } = new URL(server.url)
  expect(hosts).toMatchObject([
    { host: 'local', sources: ['S2'] },
    { host, sources: ['TOWN'] },
  ])
  const [drawn, tiles] = hosts
  expect(tiles.seconds).toBeCloseTo(Math.max(tiles.requests / 5, (tiles.requests * 0.3) / 2), 6)
  expect(secondsAtQuota).toBe(Math.max(drawn.seconds, tiles.seconds))
  expect(bytes.transferred).toBe(drawn.bytes + tiles.bytes)
  const table = (await skyscriptHere(['plan', at('plan.yaml')])).stdout
  expect(table).toMatch(
    new RegExp(`of each host, about\\n  local \\(S2\\).*\\n  ${host} \\(TOWN\\) +${tiles.requests} requests`),
  )

  await buildHere({ ...mixed, imagery: { ...(mixed.imagery as object), sources: [town(), 'S2'] } }, folder)
  const needed = new Set(server.asked.slice(asked)).size
  expect(tiles.requests).toBeGreaterThanOrEqual(needed)
  expect(tiles.requests).toBeLessThan(2 * needed)
  // What is there is asked for no more.
  const again = JSON.parse((await skyscriptHere(['plan', at('plan.yaml'), '--json'])).stdout)
  expect(again.hosts).toMatchObject([{ requests: 0 }])
})

test('a key of the environment reaches the service, and no file', () => {
  expect(server.asked.every((path) => path.endsWith(`?k=${KEY}`))).toBe(true)
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  expect(files.length).toBeGreaterThan(20)
  for (const { parentPath, name } of files) expect(readFileSync(join(parentPath, name)).includes(KEY), name).toBe(false)
})
