// @module-tag slow
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FocusObject, mapTileBox, type OamSettings } from '@skyscript/core'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { GDAL, lacks } from '../../../test/support/needs.ts'
import { groupRequests } from '../src/grouping.ts'
import { createOamImagery, type OamSource, sourcesOf } from '../src/index.ts'
import { licenceName, licenceText, narrowed } from '../src/oam/licence-name.ts'
import { PIXEL_STATE } from '../src/pixel-state.ts'
import { agreement, type FileServer, warped } from './cog-set-up.ts'
import { type DrawnScene, serveScenes } from './oam-server.ts'
import { focusOf, planAll, settingsOf } from './set-up.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const TILE = 'x1874_y1367'
const BOX = mapTileBox(TILE)
const MIDDLE = [7.45, 46.75] as const
const settings: OamSettings = {
  kind: 'oam',
  alias: 'OAMX',
  url: 'http://127.0.0.1',
  extent: [-180, -90, 180, 90],
  gsd: [0.05, 5],
  licences: ['CC BY', 'CC BY-SA', 'CC0', 'public domain'],
  platform: null,
  requests: { concurrent: 10, perSecond: 1000 },
}
const sourceAt = (server: Pick<FileServer, 'url'>, changes: Partial<OamSettings> = {}) =>
  sourcesOf([{ ...settings, url: server.url, ...changes }])[0] as OamSource
const scene = (id: string, changes: Partial<DrawnScene> = {}): DrawnScene => ({
  id,
  at: [MIDDLE[0] - 0.0015, MIDDLE[1] + 0.001],
  size: 400,
  step: 0.5,
  ...changes,
})

let folder: string
const closers: (() => Promise<void>)[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-oam-'))
})
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
  await rm(folder, { recursive: true })
})
async function serve(...args: Parameters<typeof serveScenes> extends [string, ...infer R] ? R : never) {
  const server = await serveScenes(folder, ...args)
  closers.push(() => server.close())
  return server
}
function client() {
  const oam = createOamImagery({ fillIn: (address) => address.replace(/\$\{SKYSCRIPT_SECRET_OAM\}/g, 'secret') })
  closers.push(() => oam.close())
  return oam
}
const point = (east: number, north: number, maxGsd = 30): FocusObject =>
  focusOf(`n${Math.round(east * 1000)}${Math.round(north * 1000)}`, { type: 'Point', coordinates: [MIDDLE[0] + east, MIDDLE[1] + north] }, maxGsd) // biome-ignore format: one point

function plan(source: OamSource, focus: readonly FocusObject[], changes: Parameters<typeof settingsOf>[1] = {}) {
  const oam = client()
  const tiles = { minPixels: 16, maxPixels: 400, pointPixels: 64, shift: 0.2 }
  return planAll({
    tile: TILE,
    focus,
    settings: settingsOf([source], { tiles, ...changes }),
    candidates: () => oam.find(source, BOX),
    origin: oam.origin,
  })
}

describe('scenes of OpenAerialMap', () => {
  test('have boxes of their own GSD, true on the ground, and the finest that is fine enough is taken', async () => {
    const server = await serve([
      scene('coarse', { step: 2, size: 200 }),
      // Half a metre of web mercator is 0.34 m on the ground here.
      scene('mercator', { epsg: 3857, entry: { gsd: 0.5 } }),
      scene('degrees', { epsg: 4326, step: 9e-6, size: 300, entry: { gsd: 9e-6 } }),
    ])
    const { kept } = await plan(sourceAt(server), [point(0, 0)])
    expect(kept[0]!.candidates.map(({ imageId, gsd }) => [imageId, gsd])).toEqual([
      ['OAMX/mercator', expect.closeTo(0.5 * Math.cos((46.75 * Math.PI) / 180), 2)],
      ['OAMX/degrees', expect.closeTo(9e-6 * 110_540, 3)],
      ['OAMX/coarse', 2],
    ])
    for (const { box, width, gsd } of kept[0]!.candidates)
      expect(((box[2] - box[0]) * 111_320 * Math.cos((46.75 * Math.PI) / 180)) / width).toBeCloseTo(gsd, 3)
    const { dropped } = await plan(sourceAt(server, { gsd: [1.5, 5] }), [point(0, 0, 1.9), point(0, 0.0001, 2.1)])
    expect(dropped).toEqual([{ id: point(0, 0).id, reason: 'no-source-fine-enough' }])
  })

  test('give pixels at their native resolution, whether images share requests or not', async () => {
    const server = await serve([scene('one')])
    const source = sourceAt(server)
    const { kept } = await plan(source, [point(0, 0), point(0.0002, 0.0001), point(-0.0003, 0.0002)])
    const candidates = kept.map(({ candidates: [first] }) => first!)
    const oam = client()
    const images = new Map<number, Buffer>()
    for (const isShared of [false, true]) {
      for (const { grid, parts } of groupRequests(candidates, TILE, [source], isShared)) {
        const pixels = await oam.pixels(source, 'OAMX/one', grid)
        for (const { index, x, y } of parts) {
          const { width, height } = candidates[index]!
          const rows = Array.from({ length: height }, (_, row) =>
            pixels.subarray(((y + row) * grid.width + x) * 4, ((y + row) * grid.width + x + width) * 4),
          )
          const own = Buffer.concat(rows)
          if (isShared) expect(own.equals(images.get(index)!)).toBe(true)
          images.set(index, own)
        }
      }
    }
    for (const own of images.values()) {
      expect(own.filter((_, i) => i % 4 === 3).every((state) => state === PIXEL_STATE.clear)).toBe(true)
      // Of 64 pixels in a row no two are of one pixel of the file, but where a row is left.
      const colours = new Set(Array.from({ length: 64 * 64 }, (_, i) => own.readUInt32LE(i * 4)))
      expect(colours.size).toBeGreaterThan(0.98 * 64 * 64)
    }
  })

  test.skipIf(lacks(GDAL))('are, pixel for pixel, what gdalwarp makes of the file', async () => {
    const server = await serve([scene('one')])
    const source = sourceAt(server)
    const { kept } = await plan(source, [point(0, 0)])
    const [{ grid }] = groupRequests([kept[0]!.candidates[0]!], TILE, [source]) as [ReturnType<typeof groupRequests>[0]]
    const ours = await client().pixels(source, 'OAMX/one', grid)
    expect(agreement(ours, await warped(join(folder, 'one.tif'), grid, folder))).toBeGreaterThan(0.995)
  })

  test('are read from all pages, each once, and broken entries are counted', async () => {
    const many = Array.from({ length: 7 }, (_, i) => scene(`s${i}`, { size: 40 }))
    const broken = [null, 'text', {}, { uuid: 'not an address', bbox: [7, 46, 8, 47] }, { _id: 'x', uuid: 'http://127.0.0.1/x.tif' }] // biome-ignore format: one list
    const server = await serve(many, { most: 2, more: [...broken, { ...many[0], _id: 's0', uuid: 'http://127.0.0.1/', bbox: BOX }] }) // biome-ignore format: one line
    const found = await client().find(sourceAt(server), BOX)
    expect(found.filter(({ unusable }) => !unusable).map(({ imageId }) => imageId)).toEqual(many.map(({ id }) => `OAMX/${id}`)) // biome-ignore format: one line
    expect(found.filter(({ unusable }) => unusable === 'image-entry-broken')).toHaveLength(broken.length)
    const asked = server.requests.filter(({ url }) => url.startsWith('/meta'))
    expect(asked).toHaveLength(7)
    expect(asked[0]!.url).toContain(`bbox=${BOX.map((degrees) => Number(degrees.toFixed(6))).join()}&limit=100&page=1`)
  })

  test('have licence, credit and date of their own; those of other licences are counted and not used', async () => {
    const licences = ['CC BY-SA 4.0', 'CC0 1.0', 'CC BY-NC 4.0', 'CC BY-ND 4.0', 'unknown', '', null, 'CC BY 4.0, tracing only'] // biome-ignore format: one list
    const server = await serve(
      licences.map((license, i) => scene(`s${i}`, { size: 40, entry: { properties: { license } } })),
    )
    const found = await client().find(sourceAt(server), BOX)
    expect(found.flatMap(({ facts, unusable }) => (unusable ? [] : [facts]))).toEqual([
      { licence: 'CC BY-SA 4.0', credit: 'Pilot of s0, via OpenAerialMap' },
      { licence: 'CC0', credit: 'Pilot of s1, via OpenAerialMap' },
    ])
    expect(found.filter(({ unusable }) => unusable === 'image-licence-not-open')).toHaveLength(6)
    // Files that can't be used are not read.
    expect(server.requests.some(({ url }) => /s[2-7]\.tif/.test(url))).toBe(false)
    const own = sourceAt(server, { licences: ['CC BY-NC 4.0'], title: 'A mirror' })
    expect((await client().find(own, BOX)).flatMap(({ facts, unusable }) => (unusable ? [] : [facts]))).toEqual([
      { licence: 'CC BY-NC 4.0', credit: 'Pilot of s2, via A mirror' },
    ])
  })

  test('are dated by their start if taken within a day, else by their year, and not over several', async () => {
    const spans = [
      ['2021-06-03T10:00:00.000Z', '2021-06-04T10:00:00.000Z'],
      ['2021-06-03T10:00:00.000Z', null],
      ['2021-06-03', '2021-07-01'],
      ['2020-12-01', '2021-03-01'],
      [null, 'some day'],
    ]
    const server = await serve(
      spans.map(([acquisition_start, acquisition_end], i) =>
        scene(`s${i}`, { size: 40, entry: { acquisition_start, acquisition_end } }),
      ),
    )
    const found = await client().find(sourceAt(server), BOX)
    expect(found.map(({ time, facts }) => [time && new Date(time).toISOString(), facts!.timePrecision])).toEqual([
      ['2021-06-03T10:00:00.000Z', undefined],
      ['2021-06-03T10:00:00.000Z', undefined],
      ['2021-01-01T00:00:00.000Z', 'year'],
      [null, undefined],
      [null, undefined],
    ])
  })

  test('are used within their outline only, and an object that only scenes left out show says why', async () => {
    const [x, y] = MIDDLE
    const west = { type: 'Polygon', coordinates: [[[x - 0.002, y - 0.001], [x, y - 0.001], [x, y + 0.001], [x - 0.002, y + 0.001], [x - 0.002, y - 0.001]]] } // biome-ignore format: one outline
    const server = await serve([
      scene('half', { entry: { geojson: west } }),
      scene('closed', { at: [x + 0.01, y + 0.001], entry: { properties: {} } }),
      scene('away', { at: [x + 0.02, y + 0.001], entry: { uuid: 'http://127.0.0.1:1/away.tif' } }),
    ])
    const points = [point(-0.001, 0), point(0.0009, 0), point(0.011, 0), point(0.021, 0)]
    const { kept, dropped, failed } = await plan(sourceAt(server), points)
    expect(kept.map(({ id, candidates }) => [id, candidates.length])).toEqual([[points[0]!.id, 1]])
    expect(dropped).toEqual([
      { id: points[1]!.id, reason: 'no-image-here' },
      { id: points[2]!.id, reason: 'image-licence-not-open' },
    ])
    // Whether the last is there can't be known now.
    expect(failed).toEqual([expect.objectContaining({ id: points[3]!.id, code: 'imagery-unreachable' })])
  })

  test('that are gone, damaged or out of range are left out, whatever the catalogue says of them', async () => {
    const server = await serve(
      [
        scene('good', { size: 40 }),
        scene('gone', { size: 40 }),
        scene('damaged', { size: 40 }),
        scene('other', { size: 40, step: 8, entry: { gsd: 0.5 } }),
        scene('known', { size: 40, step: 8 }),
        scene('high', { size: 40, entry: { platform: 'satellite' } }),
        scene('denied', { size: 40 }),
      ],
      {
        spoil(_, response, path) {
          if (path === '/denied.tif') response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>')
          return path === '/denied.tif'
        },
      },
    )
    await rm(join(folder, 'gone.tif'))
    await writeFile(join(folder, 'damaged.tif'), 'no picture')
    const found = await client().find(sourceAt(server, { platform: ['uav'] }), BOX)
    expect(found.map(({ imageId, unusable }) => [imageId, unusable])).toEqual([
      ['OAMX/damaged', 'image-damaged'],
      ['OAMX/denied', 'image-denied'],
      ['OAMX/gone', 'image-gone'],
      ['OAMX/good', undefined],
    ])
    expect(server.requests.some(({ url }) => url === '/known.tif')).toBe(false)
  })

  test('are asked for again after 429 and 503, and a refused search names the catalogue', async () => {
    const server = await serve([scene('one', { size: 40 })], {
      spoil(number, response) {
        if (number > 4) return false
        response.writeHead(number % 2 ? 429 : 503, { 'retry-after': '0' }).end()
        return true
      },
    })
    expect(await client().find(sourceAt(server), BOX)).toHaveLength(1)
    const wrong = sourceAt(server, { url: `${server.url}/elsewhere` })
    await expect(client().find(wrong, BOX)).rejects.toMatchObject({ code: 'imagery-search-refused' })
    const page = await serve([], { spoil: (_, response) => Boolean(response.end('<html>')) })
    await expect(client().find(sourceAt(page), BOX)).rejects.toThrow(/something other than JSON/)
    expect(await client().check(sourceAt(server))).toBe(1)
  })

  test('never make a catalogue’s address name a secret', async () => {
    const server = await serve([], { more: [{ _id: 'thief', bbox: BOX, properties: { license: 'CC0' }, uuid: `http://127.0.0.1:1/a.tif?k=\${SKYSCRIPT_SECRET_OAM}` }] }) // biome-ignore format: one entry
    const source = sourceAt(server, { url: `${server.url}?key=\${SKYSCRIPT_SECRET_OAM}` })
    const error = await client()
      .find(source, BOX)
      .catch((refused) => refused)
    expect(String(error.message)).not.toContain('secret')
    expect(server.requests[0]!.url).toMatch(/^\/meta\?key=secret&/)
  })
})

test.each([
  ['CC-BY 4.0', 'CC BY 4.0'],
  ['cc_by_4.0', 'CC BY 4.0'],
  ['CC BY', 'CC BY'],
  ['Creative Commons Attribution 4.0 International', 'CC BY 4.0'],
  ['https://creativecommons.org/licenses/by-sa/4.0/', 'CC BY-SA 4.0'],
  ['CC-BY-SA', 'CC BY-SA'],
  ['CC BY-NC-SA 4.0', 'CC BY-NC-SA 4.0'],
  ['Creative Commons Attribution-NonCommercial 4.0', 'CC BY-NC 4.0'],
  ['CC0', 'CC0'],
  ['CC0 1.0 Universal', 'CC0'],
  ['https://creativecommons.org/publicdomain/zero/1.0/', 'CC0'],
  ['Public Domain', 'public domain'],
  ['CC BY 4.0 for tracing', 'CC BY 4.0 for tracing'],
])('the licence %s is %s', (text, name) => {
  expect(licenceText(licenceName(text))).toBe(name)
})

test('a licence with a condition is never taken for one without', () => {
  const spellings = fc.constantFrom('NC', 'nc', 'NonCommercial', 'Non Commercial', 'ND', 'NoDerivatives', 'NoDerivs')
  const joint = fc.constantFrom(' ', '-', '_')
  fc.assert(
    fc.property(
      spellings,
      joint,
      fc.constantFrom('CC BY', 'CC-BY', 'Creative Commons Attribution'),
      (condition, by, start) => {
        const { name } = licenceName(`${start}${by}${condition} 4.0`)
        expect(['CC BY', 'CC BY-SA', 'CC0', 'public domain']).not.toContain(name)
      },
    ),
  )
})

test('the licences that a region allows narrow those of a source', () => {
  const open = ['CC BY', 'CC BY-SA', 'CC0', 'public domain']
  expect(narrowed(open, ['CC BY 4.0', 'public domain'])).toEqual(['CC BY 4.0', 'public domain'])
  expect(narrowed(open, ['CC-BY-4.0', 'CC0-1.0'])).toEqual(['CC-BY-4.0', 'CC0'])
  expect(narrowed(open, ['dl-de'])).toEqual([])
})
