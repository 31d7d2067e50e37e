// @module-tag slow
/** A dataset of OpenAerialMap's scenes, from a catalogue and files on loopback. */
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { FileServer } from '../packages/gee-fetch/test/cog-set-up.ts'
import { type DrawnScene, entryOf, serveScenes } from '../packages/gee-fetch/test/oam-server.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { buildHere, place, SMALL_TOWN, smallRegion, writeMap } from './support/small-map.ts'

const FAST = { concurrent: 20, perSecond: 1000 }
let folder: string
let server: FileServer
const at = (...path: string[]) => join(folder, ...path)
const scene = (id: string, west: number, north: number, metres: number, step: number, entry = {}): DrawnScene => ({
  id,
  at: place([west, north]),
  size: Math.round(metres / step),
  step,
  entry,
})

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-scenes-'))
  await mkdir(at('files'))
  await writeMap(at('map.osm.pbf'), SMALL_TOWN)
  server = await serveScenes(
    at('files'),
    [
      scene('west', -230, 150, 230, 0.8, { gsd: 0.8 }),
      scene('east', -20, 150, 300, 0.5, {
        properties: { license: 'CC BY-SA 4.0' },
        acquisition_start: '2019-05-01',
        acquisition_end: '2019-09-01',
      }),
    ],
    {
      most: 3,
      more: [
        { _id: 'broken' },
        ...[{ license: 'CC BY-NC 4.0' }, {}].map((properties, i) => ({
          ...entryOf(scene(`closed${i}`, -230, 150, 460, 0.3, { properties, acquisition_start: '2023-01-01' })),
          uuid: 'http://127.0.0.1:1/closed.tif',
        })),
      ],
    },
  )
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

const region = (changes = {}, imagery = {}, output = 'out') =>
  smallRegion(at('map.osm.pbf'), at(output), {
    imagery: {
      sources: [{ kind: 'oam', alias: 'OAMX', url: server.url, gsd: [0.03, 1], requests: FAST, ...changes }],
      ...imagery,
    },
  })
const rowsOf = async (output = 'out') =>
  parquetReadObjects({ file: await asyncBufferFromFile(at(output, 'manifest.parquet')) })
const asked = () => server.requests.length

test('each image has the GSD, date, licence and credit of its scene, and the dataset is whole', async () => {
  const { leftOut } = await buildHere(region(), folder)
  expect(leftOut).toEqual({ OAMX: { 'image-entry-broken': 1, 'image-licence-not-open': 2 } })
  const rows = await rowsOf()
  const kinds = Map.groupBy(rows, ({ image_id }) => image_id)
  expect([...kinds.keys()].sort()).toEqual(['OAMX/east', 'OAMX/west'])
  for (const row of kinds.get('OAMX/west')!)
    expect(row).toMatchObject({
      ...{ gsd: 0.8, licence: 'CC BY 4.0', credit: 'Pilot of west, via OpenAerialMap' },
      ...{ time: new Date('2021-06-03T10:00:00Z'), date_precision: 'day' },
    })
  for (const row of kinds.get('OAMX/east')!)
    expect(row).toMatchObject({
      ...{ gsd: 0.5, licence: 'CC BY-SA 4.0', credit: 'Pilot of east, via OpenAerialMap' },
      ...{ time: new Date('2019-01-01'), date_precision: 'year' },
    })
  const attribution = readFileSync(at('out/ATTRIBUTION.md'), 'utf8')
  expect(attribution).toMatch(
    /- Licence: CC BY 4\.0\n- Credit: Pilot of west.*\n- Licence: CC BY-SA 4\.0\n- Credit: Pilot of east/,
  )
  expect(readFileSync(at('out/report/index.html'), 'utf8')).toContain('image-licence-not-open')
  const verified = await skyscriptHere(['verify', at('out')])
  expect(verified.code, verified.stdout).toBe(0)
})

test('it is rebuilt without another image, and planned with what was left out', async () => {
  const before = server.requests.filter(({ url }) => url.includes('.tif')).length
  const again = await buildHere(region({ requests: { concurrent: 5, perSecond: 900 } }), folder)
  expect(again).toEqual(expect.objectContaining({ unchanged: true, jobs: {} }))
  // Of each file only whether it is still the same.
  expect(server.requests.filter(({ url }) => url.includes('.tif')).length - before).toBeLessThanOrEqual(2)
  await writeFile(at('region.yaml'), stringify(region()))
  const { code, stdout } = await skyscriptHere(['plan', at('region.yaml')])
  expect(code, stdout).toBe(0)
  expect(stdout).toMatch(/images left out, by source and reason\n +OAMX image-entry-broken +1\n +OAMX image-licence-not-open +2\n/) // biome-ignore format: one line
})

test('the licences that a region allows hold for every scene', async () => {
  const from = asked()
  await buildHere(region({}, { licences: ['CC BY 4.0'] }, 'by'), folder)
  expect(new Set((await rowsOf('by')).map(({ image_id }) => image_id))).toEqual(new Set(['OAMX/west']))
  expect(server.requests.slice(from).some(({ url }) => url === '/east.tif')).toBe(false)
})

test('a range of GSDs the wrong way round, and a key in the address, are refused in one sentence', async () => {
  for (const [changes, sentence] of [
    [{ gsd: [1, 0.1] }, /gsd: must be \[finest, coarsest\]/],
    [{ url: 'https://host?key=abc' }, /holds a key or a login/],
    [{ platform: 'rocket' }, /platform/],
  ] as const) {
    await writeFile(at('bad.yaml'), stringify(region(changes)))
    const { code, stderr } = await skyscriptHere(['plan', at('bad.yaml')])
    expect(code).toBe(1)
    expect(stderr).toMatch(sentence)
  }
})
