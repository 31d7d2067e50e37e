import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { FocusObject, XyzSettings } from '@skyscript/core'
import { describedSource, parseConfig } from '@skyscript/core/config'
import fc from 'fast-check'
import sharp from 'sharp'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { GDAL, lacks } from '../../../test/support/needs.ts'
import { WEB_MERCATOR } from '../src/crs/grid-system.ts'
import { groupRequests } from '../src/grouping.ts'
import { createTileImagery, sourcesOf, type TileSource } from '../src/index.ts'
import { PIXEL_STATE } from '../src/pixel-state.ts'
import { coarserOf } from '../src/sources/coarser.ts'
import { tileUrl } from '../src/web/xyz.ts'
import { focusOf, planAll, settingsOf } from './set-up.ts'
import { colourAt, startTiles, type TileServer } from './xyz-server.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const settings: XyzSettings = {
  kind: 'xyz',
  alias: 'TOWN',
  url: 'http://127.0.0.1/{z}/{x}/{y}.png',
  extent: [-180, -90, 180, 90],
  zoom: [0, 19],
  tileSize: 256,
  years: 2021,
  licence: 'CC BY 4.0',
  requests: { concurrent: 50, perSecond: 1000 },
}
const sourceOf = (changes: Partial<XyzSettings> = {}) => sourcesOf([{ ...settings, ...changes }])[0] as TileSource
const fillIn = (template: string) => template

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})
async function serve(...args: Parameters<typeof startTiles>): Promise<TileServer> {
  const server = await startTiles(...args)
  closers.push(() => server.close())
  return server
}
function client(options: Partial<Parameters<typeof createTileImagery>[0]> = {}) {
  const tiles = createTileImagery({ fillIn, ...options })
  closers.push(() => tiles.close())
  return tiles
}
const TILE = 'x1874_y1367'
const point = (x: number, y: number): FocusObject =>
  focusOf(`n${Math.round(x * 1e6)}`, { type: 'Point', coordinates: [x, y] }, 30)

/** The candidates of points, planned as a build does. */
async function planned(source: TileSource, points: readonly FocusObject[]) {
  const tiles = client()
  const { kept } = await planAll({
    tile: TILE,
    focus: points,
    settings: settingsOf([source]),
    candidates: async () => tiles.find(source, [7, 46, 8, 47]),
    origin: async () => tiles.origin(source, source.alias, source.extent),
  })
  return kept.map(({ candidates: [first] }) => first!)
}
const around = (n: number) => Array.from({ length: n }, (_, i) => point(7.41 + i * 0.0004, 46.71 + (i % 3) * 0.0003))

describe('image tiles', () => {
  test('give the pixels of their own level, none resampled, whether images share requests or not', async () => {
    const server = await serve()
    const source = sourceOf({ url: `${server.url}/{z}/{x}/{y}` })
    const candidates = await planned(source, around(7))
    const side = 256 * 2 ** 19
    const tiles = client()
    for (const isShared of [true, false]) {
      const requests = groupRequests(candidates, TILE, [source], isShared)
      if (isShared) expect(requests.length).toBeLessThan(candidates.length)
      for (const { grid, parts } of requests) {
        const pixels = await tiles.pixels(source, 'TOWN/19', grid)
        for (const { index, x, y } of parts) {
          const { box, width, height } = candidates[index]!
          const [west] = WEB_MERCATOR.forward([box[0], box[1]])
          const [, north] = WEB_MERCATOR.forward([box[2], box[3]])
          const { stepX, stepY, west: start, south } = source.latticeIn(TILE)
          const left = (west! - start) / stepX
          const top = side - (north! - south) / stepY
          expect(Math.abs(left - Math.round(left))).toBeLessThan(1e-3)
          expect(Math.abs(top - Math.round(top))).toBeLessThan(1e-3)
          for (const [column, row] of [
            [0, 0],
            [width - 1, 0],
            [17, 200],
            [width - 1, height - 1],
          ] as const) {
            const at = ((y + row) * grid.width + x + column) * 4
            const colour = colourAt(Math.round(left) + column, Math.round(top) + row)
            expect([...pixels.subarray(at, at + 4)]).toEqual([...colour, PIXEL_STATE.clear])
          }
        }
      }
    }
    // Neighbours share decoded tiles too.
    expect(new Set(server.asked).size).toBe(server.asked.length)
  })

  test.skipIf(lacks(GDAL))('are, pixel for pixel, what GDAL reads from the same service', async () => {
    const server = await serve()
    const source = sourceOf({ url: `${server.url}/{z}/{x}/{y}` })
    const folder = await mkdtemp(join(tmpdir(), 'skyscript-xyz-'))
    closers.push(() => rm(folder, { recursive: true }))
    const world = 20_037_508.342789244
    const service = `<GDAL_WMS><Service name="TMS"><ServerUrl>${server.url}/\${z}/\${x}/\${y}</ServerUrl></Service><DataWindow><UpperLeftX>${-world}</UpperLeftX><UpperLeftY>${world}</UpperLeftY><LowerRightX>${world}</LowerRightX><LowerRightY>${-world}</LowerRightY><TileLevel>19</TileLevel><TileCountX>1</TileCountX><TileCountY>1</TileCountY><YOrigin>top</YOrigin></DataWindow><Projection>EPSG:3857</Projection><BlockSizeX>256</BlockSizeX><BlockSizeY>256</BlockSizeY><BandsCount>3</BandsCount></GDAL_WMS>`
    await writeFile(join(folder, 'service.xml'), service)
    for (const { grid } of groupRequests(await planned(source, around(3)), TILE, [source], false)) {
      const { width, height, west, north, stepX } = grid
      const window = [(west + world) / stepX, (world - north) / stepX].map((at) => String(Math.round(at)))
      const args = ['-q', '-of', 'ENVI', '-co', 'INTERLEAVE=BIP', '-srcwin', ...window, String(width), String(height)]
      await promisify(execFile)('gdal_translate', [...args, join(folder, 'service.xml'), join(folder, 'out.bin')])
      const theirs = await readFile(join(folder, 'out.bin'))
      const ours = (await client().pixels(source, 'TOWN/19', grid)).filter((_, i) => i % 4 < 3)
      expect(Buffer.from(ours).equals(theirs)).toBe(true)
    }
  })

  test('have a GSD that is true on the ground', async () => {
    const source = sourceOf()
    const [candidate] = await planned(source, around(1))
    const { box, width, height, gsd } = candidate!
    const metresNorth = (box[3] - box[1]) * 111_200
    const metresEast = (box[2] - box[0]) * 111_320 * Math.cos((box[1] * Math.PI) / 180)
    expect(metresNorth / height / gsd).toBeCloseTo(1, 2)
    expect(metresEast / width / gsd).toBeCloseTo(1, 2)
    expect(source.gsdAt!(0)).toBeCloseTo(0.2986, 4)
    expect(source.gsdAt!(60)).toBeCloseTo(0.2986 / 2, 3)
  })

  test('a check says whether there is a tile at all', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(404).end()
      return true
    })
    expect(await client().check(sourceOf({ url: `${server.url}/{z}/{x}/{y}` }))).toBeNull()
    const other = await serve()
    expect(await client().check(sourceOf({ url: `${other.url}/{z}/{x}/{y}` }))).not.toBeNull()
  })

  test('that are absent are masked, whichever way the service says so', async () => {
    const server = await serve((request, response) => {
      const x = Number(request.url!.split('/')[2])
      const status = [404, 204, 410, 200][x % 4]!
      if (status === 200) return false
      response.writeHead(status).end()
      return true
    })
    const source = sourceOf({ url: `${server.url}/{z}/{x}/{y}` })
    const left = 256 * (2 ** 18 + 4)
    const lattice = source.latticeIn(TILE)
    const [west, north] = [lattice.west + left * lattice.stepX, lattice.south + (side19 - 256_000) * lattice.stepY]
    const { stepX, stepY } = lattice
    const grid = { crs: 'EPSG:3857' as const, width: 4 * 256, height: 10, west, north, stepX, stepY }
    const pixels = await client().pixels(source, 'TOWN/19', grid)
    const states = [0, 1, 2, 3].map((tile) => pixels[(tile * 256 + 5) * 4 + 3])
    const { masked, clear } = PIXEL_STATE
    expect(states).toEqual([masked, masked, masked, clear])
  })

  test('that say that there is no imagery are blank where tiles beside them are the same, however images are grouped', async () => {
    const notice = '<svg width="256" height="256"><rect width="256" height="256" fill="#dde"/><text x="40" y="130" font-size="30">no data here</text></svg>' // biome-ignore format: one drawing
    const drawn = await sharp(Buffer.from(notice)).png().toBuffer()
    const white = await sharp({ create: { width: 256, height: 256, channels: 3, background: '#fff' } }).jpeg().toBuffer() // biome-ignore format: one picture
    const water = await sharp({ create: { width: 256, height: 256, channels: 3, background: '#135' } }).png().toBuffer() // biome-ignore format: one picture
    const first = 2 ** 18 + 4
    // From west to east: imagery, a drawing that isn't repeated, imagery, two that are, white, water.
    const row = [null, drawn, null, drawn, drawn, white, water]
    const server = await serve((request, response) => {
      const [, , x, y] = request.url!.split('/').map(Number)
      const instead = y === 1000 ? row[x! - first] : null
      if (instead) response.writeHead(200, { 'Content-Type': 'image/png' }).end(instead)
      return Boolean(instead)
    })
    const source = sourceOf({ url: `${server.url}/{z}/{x}/{y}` })
    const { west, south, stepX, stepY } = source.latticeIn(TILE)
    const statesOf = async (from: number, tiles: number) => {
      const place = {
        west: west + 256 * (first + from) * stepX,
        north: south + (side19 - 256_000) * stepY,
        stepX,
        stepY,
      }
      const grid = { crs: 'EPSG:3857' as const, width: tiles * 256, height: 10, ...place }
      const pixels = await client().pixels(source, 'TOWN/19', grid)
      return Array.from({ length: tiles }, (_, tile) => pixels[(tile * 256 + 5) * 4 + 3])
    }
    const { blank, clear } = PIXEL_STATE
    const expected = [clear, clear, clear, blank, blank, blank, clear]
    expect(await statesOf(0, 7)).toEqual(expected)
    for (const [tile, state] of expected.entries()) expect(await statesOf(tile, 1)).toEqual([state])
  })

  test.each([
    [
      'an exception as XML with status 200',
      200,
      '<?xml version="1.0"?><ServiceException>Layer is away</ServiceException>',
      /answered with no image \(Layer is away\)/,
    ],
    ['a login page', 200, '<html><body>Please log in</body></html>', /answered with no image\./],
    ['two letters', 200, 'no', /answered with no image \(no\)/],
    ['JSON', 200, '{"error": "quota"}', /answered with no image \(.*quota/],
  ])(
    'an answer that is no image is a failure that may pass: %s',
    async (_, status, body, said) => {
      const server = await serve((_request, response) => {
        response.writeHead(status, { 'Content-Type': 'image/png' }).end(body)
        return true
      })
      const source = sourceOf({ url: `${server.url}/{z}/{x}/{y}` })
      await expect(client().check(source)).rejects.toMatchObject({
        code: 'imagery-bad-answer',
        retry: true,
        message: expect.stringMatching(said),
      })
    },
    60_000,
  )

  test('a damaged picture is final for the image, and a wrong size of tiles names the setting', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200).end(Buffer.from('89504e470d0a1a0a00', 'hex'))
      return true
    })
    await expect(client().check(sourceOf({ url: `${server.url}/{z}/{x}/{y}` }))).rejects.toMatchObject({
      code: 'image-damaged',
    })
    const large = await serve(undefined, 512)
    await expect(client().check(sourceOf({ url: `${large.url}/{z}/{x}/{y}` }))).rejects.toThrow(
      /512 x 512 pixels; set tileSize/,
    )
  })

  test('a key is sent, and is in no message, no image id and no origin', async () => {
    const KEY = 'k3y-of-the-town'
    const server = await serve((_request, response) => {
      response.writeHead(400, { 'Content-Type': 'text/plain' }).end(`bad key ${KEY}`)
      return true
    })
    const source = sourceOf({ url: `${server.url}/\${SKYSCRIPT_SECRET_TOWN}/{z}/{x}/{y}` })
    const tiles = client({ fillIn: (template) => template.replaceAll(`\${SKYSCRIPT_SECRET_TOWN}`, KEY) })
    const error = await tiles.check(source).catch((each: Error) => each)
    expect(server.asked[0]).toContain(`/${KEY}/19/`)
    expect(
      JSON.stringify([
        error,
        String(error),
        await tiles.find(source, [7, 46, 8, 47]),
        await tiles.origin(source, source.alias, source.extent),
      ]),
    ).not.toContain(KEY)
  })
})

const side19 = 256 * 2 ** 19

describe('addresses of tiles', () => {
  test('rows count from the north or the south, and servers take turns by tile', () => {
    expect(tileUrl('https://{switch:a,b}.x/{zoom}/{x}/{-y}', 3, 2, 1)).toBe('https://b.x/3/2/6')
    expect(tileUrl('https://x/{z}/{y}/{x}', 3, 2, 1)).toBe('https://x/3/1/2')
  })

  test.each([
    ['https://x/{z}/{x}', /must contain \{y\}/],
    ['https://x/tiles', /url: must contain \{z\}, \{x\} and \{y\}; the address of a TileJSON ends in \.json/],
    ['https://x/{z}/{x}/{y}/{quadkey}', /has \{quadkey\}, which is not known/],
    ['https://x/{z}/{x}/{y}?api_key=abc', /holds a key or a login; write \$\{SKYSCRIPT_SECRET_NAME\}/],
    ['https://x/{z}/{x}/{y}?subscription-key=abc', /holds a key or a login/],
    ['https://me:abc@x/{z}/{x}/{y}', /holds a key or a login/],
    ['no address', /must be an http\(s\) URL/],
  ])('%s is refused in one sentence', (url, said) => {
    const text = JSON.stringify({
      osm: { source: 'x.osm.pbf' },
      imagery: { sources: [{ kind: 'xyz', alias: 'TOWN', url, zoom: [0, 20], licence: 'CC0' }] },
    })
    expect(() => parseConfig(text, '/tmp/region.yaml')).toThrow(said)
  })

  test('the setting of the how-to is accepted as it stands', () => {
    const text =
      'output: ./out\nosm: { source: x.osm.pbf }\nimagery:\n  sources:\n    - { kind: xyz, alias: TOWN, url: "https://host/{z}/{x}/{y}.png", zoom: [0, 20], years: 2021, licence: CC BY 4.0, credit: Town }\n'
    expect(sourcesOf(parseConfig(text, '/tmp/region.yaml').imagery.sources)[0]).toMatchObject({
      kind: 'tiles',
      pictures: [{ name: '20', time: Date.UTC(2021, 0) }],
      timePrecision: 'year',
      licence: 'CC BY 4.0',
    })
  })
})

test('positions survive web mercator and back', () => {
  const place = fc.tuple(fc.double({ min: -180, max: 180, noNaN: true }), fc.double({ min: -85, max: 85, noNaN: true }))
  fc.assert(
    fc.property(place, ([x, y]) => {
      const [longitude, latitude] = WEB_MERCATOR.inverse(WEB_MERCATOR.forward([x, y]))
      expect(longitude).toBeCloseTo(x, 9)
      expect(latitude).toBeCloseTo(y, 9)
    }),
  )
})

test('sources of one host share the strictest of their limits, which their coarser images have too', () => {
  const other = { ...settings, alias: 'ELSE', url: 'http://other/{z}/{x}/{y}' }
  const strict = { ...settings, alias: 'SLOW', url: 'http://127.0.0.1/slow/{z}/{x}/{y}' }
  const [first, second, third] = sourcesOf([
    { ...settings, requests: { concurrent: 2, perSecond: 500 } },
    { ...strict, requests: { concurrent: 9, perSecond: 3 } },
    other,
  ]) as TileSource[]
  for (const source of [first!, second!, ...coarserOf(first!, 8)] as TileSource[])
    expect(source.requests).toEqual({ concurrent: 2, perSecond: 3 })
  expect(third!.requests).toEqual(settings.requests)
})

test('tiles that a service keeps on another host share the limits of the sources there', () => {
  const grid = {
    ...{ crs: 'EPSG:3857', corner: [0, 0], step: 1, tile: [256, 256], columns: [0, 9], rows: [0, 9] },
    template: 'http://127.0.0.1/{Layer}/{TileRow}/{TileCol}.png',
  }
  const wmts = { kind: 'wmts', alias: 'WMTS', url: 'http://catalogue/wmts', layer: 'dop', matrixSet: 'web', grid }
  const more = { format: 'image/png', licence: 'CC0', requests: { concurrent: 60, perSecond: 4 } }
  const sources = sourcesOf([settings, describedSource({ ...wmts, ...more }, 'WMTS')]) as TileSource[]
  for (const { requests } of sources) expect(requests).toEqual({ concurrent: 50, perSecond: 4 })
})
