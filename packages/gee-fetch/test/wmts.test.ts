// @module-tag slow
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { mapTileAt, type Position } from '@skyscript/core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { GDAL, lacks, MAPPROXY, MAPSERVER } from '../../../test/support/needs.ts'
import { gridSystemOf } from '../src/crs/grid-system.ts'
import { groupRequests } from '../src/grouping.ts'
import { sourcesOf, type TileSource } from '../src/index.ts'
import { PIXEL_STATE } from '../src/pixel-state.ts'
import { colourOf, type Ortho, startMapServer, writeOrtho } from './map-server.ts'
import { type Service, startService } from './service.ts'
import { focusOf, planAll, settingsOf } from './set-up.ts'
import { useWeb } from './web-set-up.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const PLACE: Position = [10.75, 48.35]
const STEP = 0.2

const [east, north] = gridSystemOf(25832, 'test').forward(PLACE)
const snapped = (value: number) => Math.round(value / STEP) * STEP
const ORTHO: Ortho = {
  ...{ layer: 'ortho', epsg: 25832, step: STEP, width: 1200, height: 1000 },
  ...{ west: snapped(east!) - 600 * STEP, north: snapped(north!) + 500 * STEP },
}
/** The corner of the tiles' grid, on the picture's pixels. */
const CORNER = [ORTHO.west - 1000 * 256 * STEP, ORTHO.north + 1000 * 256 * STEP] as const

let folder: string
const { client, completed, serve, sourceFor } = useWeb()

describe.skipIf(lacks(GDAL, MAPSERVER, MAPPROXY))('tiles of a service', () => {
  let proxy: Awaited<ReturnType<typeof startMapProxy>>
  let mapServer: Service
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skyscript-wmts-'))
    await writeOrtho(folder, ORTHO)
    mapServer = await startMapServer(folder, [ORTHO])
    const config = join(folder, 'mapproxy.yaml')
    await writeFile(
      config,
      `services:
  wmts:
    restful: true
    kvp: true
layers:
  - { name: ortho, title: ortho, tile_sources: [cache] }
caches:
  cache: { grids: [national], sources: [maps], format: image/png, disable_storage: true }
sources:
  maps:
    type: wms
    req: { url: "${mapServer.url}/?", layers: ortho }
    supported_srs: ["EPSG:25832"]
    coverage: { bbox: [${ORTHO.west}, ${ORTHO.north - 1000 * STEP}, ${ORTHO.west + 1200 * STEP}, ${ORTHO.north}], srs: "EPSG:25832" }
grids:
  national:
    srs: "EPSG:25832"
    bbox: [${CORNER[0]}, ${CORNER[1] - 2048 * 256 * STEP}, ${CORNER[0] + 2048 * 256 * STEP}, ${CORNER[1]}]
    origin: nw
    res: [0.8, 0.4, 0.2]
globals:
  image: { resampling_method: nearest, paletted: false, formats: { image/png: { mode: RGB, format: png } } }
  cache: { base_dir: ${folder}/cache, meta_size: [1, 1], meta_buffer: 0 }
`,
    )
    proxy = await startMapProxy(config)
  }, 60_000)
  afterAll(async () => {
    await proxy?.stop()
    await mapServer?.close()
    await rm(folder, { recursive: true, force: true })
  })

  test.each([
    ['by addresses with a query', '/service'],
    ['by RESTful addresses', '/wmts/1.0.0/WMTSCapabilities.xml'],
  ])(
    'are the pixels of its pictures, none resampled, %s',
    async (_, path) => {
      const settings = { kind: 'wmts', layer: 'ortho', matrixSet: 'national', url: `${proxy.url}${path}` }
      const source = await sourceFor(settings)
      expect(source.gsd).toBeCloseTo(STEP, 6)
      const tile = mapTileAt(PLACE)
      const tiles = client()
      const { kept } = await planAll({
        tile,
        focus: [0, 1, 2].map((i) =>
          focusOf(`n${i}`, { type: 'Point', coordinates: [PLACE[0] + i * 0.0003, PLACE[1]] }, 30),
        ),
        settings: settingsOf([source], { tiles: { minPixels: 64, maxPixels: 400, pointPixels: 200, shift: 0.2 } }),
        candidates: async () => tiles.find(source, source.extent),
        origin: async (_source, imageId, box) => tiles.origin(source, imageId, box),
      })
      expect(kept).toHaveLength(3)
      const images = kept.map(({ candidates: [first] }) => first!)
      for (const { grid } of groupRequests(images, tile, [source])) {
        const pixels = await tiles.pixels(source, 'TOWN/latest', grid)
        const left = Math.round((grid.west - ORTHO.west) / STEP)
        const top = Math.round((ORTHO.north - grid.north) / STEP)
        const isWrong = pixels.some((value, i) => {
          const [column, row] = [left + ((i >> 2) % grid.width), top + Math.floor((i >> 2) / grid.width)]
          return value !== [...colourOf(column, row), PIXEL_STATE.clear][i % 4]
        })
        expect(isWrong).toBe(false)
      }
      const theirs = await readByGdal(`${proxy.url}/wmts/1.0.0/WMTSCapabilities.xml`, images[0]!)
      const { grid } = groupRequests(images.slice(0, 1), tile, [source])[0]!
      const ours = (await tiles.pixels(source, 'TOWN/latest', grid)).filter((_value, i) => i % 4 < 3)
      expect(Buffer.from(ours).equals(await theirs(grid.west, grid.north))).toBe(true)
    },
    120_000,
  )
})

/** What GDAL's driver for such services reads, from a place on. */
async function readByGdal(url: string, { width, height }: { readonly width: number; readonly height: number }) {
  const file = `WMTS:${url},layer=ortho,tilematrixset=national`
  return async (west: number, north: number): Promise<Buffer> => {
    const window = [west, north, west + width * STEP, north - height * STEP].map(String)
    const out = join(folder, 'out.bin')
    const args = ['-q', '-of', 'ENVI', '-co', 'INTERLEAVE=BIP', '-b', '1', '-b', '2', '-b', '3', '-r', 'nearest']
    await promisify(execFile)('gdal_translate', [...args, '-projwin', ...window, file, out], {
      env: { ...process.env, GDAL_ENABLE_WMS_CACHE: 'NO' },
    })
    return readFile(out)
  }
}

async function startMapProxy(config: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const free = await startService(() => {})
  const { port } = new URL(free.url)
  await free.close()
  const program = spawn('mapproxy-util', ['serve-develop', '-b', `127.0.0.1:${port}`, config], {
    stdio: 'ignore',
    detached: true,
  })
  const url = `http://127.0.0.1:${port}`
  // It has a child of its own.
  const stop = async () => void process.kill(-program.pid!, 'SIGKILL')
  for (let attempt = 0; ; attempt++) {
    try {
      await fetch(`${url}/wmts/1.0.0/WMTSCapabilities.xml`)
      return { url, stop }
    } catch (error) {
      if (attempt === 200) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** A service with one matrix set of two matrices. */
async function saying(contents: Partial<Record<'crs' | 'corner' | 'layer' | 'limits' | 'box', string>> = {}) {
  const {
    crs = 'urn:ogc:def:crs:EPSG::3857',
    corner = '-20037508.342789244 20037508.342789244',
    layer = '',
    limits = '',
    box = '<LowerCorner>9 47</LowerCorner><UpperCorner>14 50.5</UpperCorner>',
  } = contents
  const matrix = (id: string, scale: number, size: number) =>
    `<TileMatrix><ows:Identifier>${id}</ows:Identifier><ScaleDenominator>${scale}</ScaleDenominator><TopLeftCorner>${corner}</TopLeftCorner><TileWidth>256</TileWidth><TileHeight>256</TileHeight><MatrixWidth>${size}</MatrixWidth><MatrixHeight>${size}</MatrixHeight></TileMatrix>`
  const server = await serve(async (request, response) => {
    if (!/GetCapabilities|\.xml/.test(request.url!)) {
      const image = sharp({ create: { width: 256, height: 256, channels: 3, background: 'red' } })
      return response.end(await image.png().toBuffer())
    }
    return response.end(
      `<?xml version="1.0"?><Capabilities xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows="http://www.opengis.net/ows/1.1" version="1.0.0"><Contents><Layer><ows:Identifier>dop</ows:Identifier><ows:WGS84BoundingBox>${box}</ows:WGS84BoundingBox><Style><ows:Identifier>plain</ows:Identifier></Style><Format>image/png</Format>${layer}<TileMatrixSetLink><TileMatrixSet>EPSG:3857</TileMatrixSet>${limits}</TileMatrixSetLink></Layer><TileMatrixSet><ows:Identifier>EPSG:3857</ows:Identifier><ows:SupportedCRS>${crs}</ows:SupportedCRS>${matrix('18', 2132.729583849784, 262_144)}${matrix('19', 1066.364791924892, 524_288)}</TileMatrixSet></Contents></Capabilities>`,
    )
  })
  return server
}
const nrw = async (server: Service, changes: Record<string, unknown> = {}) =>
  completed({
    kind: 'wmts',
    alias: 'NRWX',
    url: `${server.url}/wmts`,
    layer: 'dop',
    matrixSet: 'EPSG:3857',
    years: 2022,
    ...changes,
  })

describe('what a tile service says of itself', () => {
  test('gives the finest matrix, whose pixels are those of web maps, with a GSD true on the ground', async () => {
    const settings = await nrw(await saying())
    expect(settings).toMatchObject({ extent: [9, 47, 14, 50.5], format: 'image/png', grid: { crs: 'EPSG:3857' } })
    const source = sourcesOf([settings])[0] as TileSource
    expect(source.gsdAt!(0)).toBeCloseTo(0.2986, 4)
    expect(source.gsdAt!(60)).toBeCloseTo(0.1493, 4)
    const address = source.addressOf({ column: 5, row: 6, stepX: 1, stepY: 1 }, source.pictures[0]!)
    expect(address).toMatch(
      /\?SERVICE=WMTS&VERSION=1\.0\.0&REQUEST=GetTile&LAYER=dop&STYLE=plain&FORMAT=image\/png&TILEMATRIXSET=EPSG:3857&TILEMATRIX=19&TILEROW=6&TILECOL=5$/,
    )
  })

  test('limits a layer to matrices and to tiles in them: others are never asked for', async () => {
    const limits =
      '<TileMatrixSetLimits><TileMatrixLimits><TileMatrix>18</TileMatrix><MinTileRow>90500</MinTileRow><MaxTileRow>90600</MaxTileRow><MinTileCol>138800</MinTileCol><MaxTileCol>138900</MaxTileCol></TileMatrixLimits></TileMatrixSetLimits>'
    const server = await saying({ limits })
    const settings = await nrw(server)
    expect(settings).toMatchObject({ grid: { columns: [138_800, 138_900], rows: [90_500, 90_600] } })
    const source = sourcesOf([settings])[0] as TileSource
    const { stepX } = source.latticeIn('x1874_y1367')
    const at = (column: number, row: number) => ({
      ...{ crs: 'EPSG:3857', width: 256, height: 256, stepX, stepY: stepX },
      west: source.corner.x + column * 256 * stepX,
      north: source.corner.y - row * 256 * stepX,
    })
    const before = server.asked.length
    const outside = await client().pixels(source, 'NRWX/latest', at(138_799, 90_550))
    expect([outside[3], server.asked.length]).toEqual([PIXEL_STATE.masked, before])
    expect((await client().pixels(source, 'NRWX/latest', at(138_801, 90_550)))[3]).toBe(PIXEL_STATE.clear)
    await expect(nrw(server, { matrix: '19' })).rejects.toThrow(
      /has no tile matrix 19 in EPSG:3857 for the layer; name one of 18/,
    )
  })

  test.each([
    ['a URN, with latitude first', 'urn:ogc:def:crs:EPSG::4326', '90 -180', [-180, 90]],
    ['a plain name, with longitude first', 'EPSG:4326', '-180 90', [-180, 90]],
    ['a plain name, but latitude first', 'EPSG:4326', '90 -180', [-180, 90]],
    ['CRS84', 'urn:ogc:def:crs:OGC:1.3:CRS84', '-180 90', [-180, 90]],
    ['metres, northing first', 'urn:ogc:def:crs:EPSG::31468', '6000000 4000000', null],
    ['metres, northing first, known here', 'urn:ogc:def:crs:EPSG::3035', '5000000 2000000', [2_000_000, 5_000_000]],
    ['metres, easting first, against its URN', 'urn:ogc:def:crs:EPSG::3035', '2000000 5000000', [2_000_000, 5_000_000]],
  ])('names the corner in the order of its system: %s', async (_, crs, corner, expected) => {
    const server = await saying({ crs, corner })
    if (expected === null)
      await expect(nrw(server)).rejects.toThrow(
        /has EPSG:31468, which needs the shift of its datum to WGS84.*; use another metric system/,
      )
    else expect(await nrw(server)).toMatchObject({ grid: { corner: expected } })
  })

  test.each([
    ['as annex E of the specification has it', 'urn:ogc:def:crs:EPSG:6.18:3:3857', 'EPSG:3857'],
    ['as a URI', 'http://www.opengis.net/def/crs/EPSG/0/3857', 'EPSG:3857'],
    ['as the older name of CRS84', 'urn:ogc:def:crs:OGC:2:84', 'EPSG:4326'],
  ])('names its system %s', async (_, crs, expected) => {
    const corner = expected === 'EPSG:4326' ? '-180 90' : '-2.0037508342789244E7 2.0037508342789244E7'
    expect(await nrw(await saying({ crs, corner }))).toMatchObject({ grid: { crs: expected } })
  })

  test('has addresses of tiles that may be relative to its own', async () => {
    const layer = (template: string) =>
      `<ResourceURL format="image/png" resourceType="tile" template="${template}/{TileMatrix}/{TileRow}/{TileCol}.png"/>`
    for (const [template, expected] of [
      ['/tiles', '/tiles/19/6/5.png'],
      ['tiles', '/tiles/19/6/5.png'],
    ] as const) {
      const server = await saying({ layer: layer(template) })
      const source = sourcesOf([await nrw(server)])[0] as TileSource
      const address = source.addressOf({ column: 5, row: 6, stepX: 1, stepY: 1 }, source.pictures[0]!)
      expect(address).toBe(server.url + expected)
    }
    const same = await saying({ layer: '<ResourceURL format="image/png" resourceType="tile" template="/tile.png"/>' })
    await expect(nrw(same)).rejects.toThrow(/tiles of the layer at an address without {TileRow} and {TileCol}/)
  })

  test('a matrix without its corner or scale is said in one sentence', async () => {
    await expect(nrw(await saying({ corner: '' }))).rejects.toThrow(
      /describes tile matrix 19 without its scale, corner or sizes; name another as matrix/,
    )
  })

  test('has times and other dimensions: times are images, others have their default or what the settings say', async () => {
    const layer =
      '<Dimension><ows:Identifier>Time</ows:Identifier><Default>2021</Default><Value>2019</Value><Value>2021</Value></Dimension><Dimension><ows:Identifier>elevation</ows:Identifier><Default>0</Default><Value>0</Value></Dimension><ResourceURL format="image/png" resourceType="tile" template="https://host/{style}/{Time}/{elevation}/{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}.png"/>'
    const settings = await nrw(await saying({ layer }))
    const source = sourcesOf([settings])[0] as TileSource
    const images = await client().find(source, [10, 48, 11, 49])
    expect(images.map(({ imageId }) => imageId)).toEqual(['NRWX/2019', 'NRWX/2021'])
    const place = { column: 5, row: 6, stepX: 1, stepY: 1 }
    expect(source.addressOf(place, source.pictures[0]!)).toBe('https://host/plain/2019/0/EPSG%3A3857/19/6/5.png')
    const other = await nrw(await saying({ layer }), { dimensions: { Elevation: '7' }, style: 'grey' })
    const changed = sourcesOf([other])[0] as TileSource
    expect(changed.addressOf(place, changed.pictures[1]!)).toBe('https://host/grey/2021/7/EPSG%3A3857/19/6/5.png')
    await expect(nrw(await saying({ layer }), { dimensions: { height: '7' } })).rejects.toThrow(
      /has no dimension height for the layer; name one of Time, elevation\./,
    )
  })

  test('a layer or matrix set that is missing is named, with those that there are', async () => {
    const server = await saying()
    await expect(nrw(server, { layer: 'dop10' })).rejects.toThrow(/has no layer dop10; name one of dop\./)
    await expect(nrw(server, { matrixSet: 'EPSG:25832' })).rejects.toThrow(
      /has no tile matrix set EPSG:25832 for the layer; name one of EPSG:3857/,
    )
  })
})
