import { gzipSync } from 'node:zlib'
import { mapTileAt, type Position } from '@skyscript/core'
import sharp from 'sharp'
import { describe, expect, test, vi } from 'vitest'
import { boxesIn } from '../src/boxes.ts'
import { completeSources, sourcesOf, type TileSource } from '../src/index.ts'
import { featureDate } from '../src/web/feature-date.ts'
import { focusOf, planAll, settingsOf } from './set-up.ts'
import { described, useWeb } from './web-set-up.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const fillIn = (address: string) => address.replaceAll('$' + '{SKYSCRIPT_SECRET_TOWN}', 'k3y')
const { client, completed, serve } = useWeb({ fillIn })
const PLACE: Position = [10.75, 48.35]

/** A service that says this of itself, and answers maps with one colour. */
async function saying(capabilities: string | Buffer, headers = {}) {
  const server = await serve(async (request, response) => {
    if (/GetCapabilities/.test(request.url!))
      return response.writeHead(200, { 'content-type': 'text/xml', ...headers }).end(capabilities)
    const format = /FORMAT=image\/(\w+)/.exec(request.url!)![1] as 'png' | 'jpeg'
    const size = Number(/WIDTH=(\d+)/.exec(request.url!)![1])
    const noise = Buffer.from(Array.from({ length: size * size * 3 }, (_, i) => (i * i * 7919) % 251))
    const image = sharp(noise, { raw: { width: size, height: size, channels: 3 } }).toFormat(format)
    return response.writeHead(200, { 'content-type': `image/${format}` }).end(await image.toBuffer())
  })
  return server
}

interface Says {
  readonly layers?: string
  readonly version?: string
  readonly formats?: readonly string[]
  readonly service?: string
}

const says = ({
  layers = LAYER,
  version = '1.3.0',
  formats = ['image/png', 'image/jpeg'],
  service = '',
}: Says = {}) => {
  const root = version === '1.3.0' ? 'WMS_Capabilities' : 'WMT_MS_Capabilities'
  const offered = formats.map((each) => `<Format>${each}</Format>`).join('')
  return `<?xml version="1.0"?><${root} version="${version}"><Service><Name>WMS</Name>${service}</Service><Capability><Request><GetMap>${offered}</GetMap></Request><Layer><Title>all</Title>${layers}</Layer></Capability></${root}>`
}
const BOX =
  '<EX_GeographicBoundingBox><westBoundLongitude>9</westBoundLongitude><eastBoundLongitude>14</eastBoundLongitude><southBoundLatitude>47</southBoundLatitude><northBoundLatitude>50.5</northBoundLatitude></EX_GeographicBoundingBox>'
const LAYER = `<CRS>EPSG:4326</CRS><CRS>EPSG:3857</CRS><CRS>EPSG:31468</CRS><CRS>EPSG:25833</CRS><CRS>EPSG:25832</CRS><Layer><Name>dop20</Name>${BOX}</Layer><Layer><Name>dop40</Name>${BOX}</Layer>`
const WORLD = { extent: [-180, -90, 180, 90] }
const wms = (url: string, settings: Record<string, unknown> = {}) =>
  completed({ kind: 'wms', url, layers: 'dop20', gsd: 0.2, ...settings })

describe('what a service says of itself', () => {
  test('completes the settings: a metric system that is made for the place and known to a few metres, extent, format', async () => {
    const server = await saying(says())
    expect(await wms(server.url)).toMatchObject({
      version: '1.3.0',
      // EPSG:31468 needs a grid of shifts, and EPSG:25833 is made for places further east.
      crs: 'EPSG:25832',
      extent: [9, 47, 14, 50.5],
      format: 'image/png',
      tileSize: 512,
    })
  })

  test('is asked in web mercator where no metric system is offered, and in degrees where that is missing too', async () => {
    const only = (crs: string) => says({ layers: `<CRS>${crs}</CRS><Layer><Name>dop20</Name>${BOX}</Layer>` })
    expect(await wms((await saying(only('EPSG:3857'))).url)).toMatchObject({ crs: 'EPSG:3857' })
    expect(await wms((await saying(only('CRS:84'))).url)).toMatchObject({ crs: 'CRS:84' })
  })

  test('is understood in the older version too, with its lists of systems and its times', async () => {
    const layers = `<SRS>EPSG:4326 EPSG:25832</SRS><Layer><Name>dop20</Name><LatLonBoundingBox minx="9" miny="47" maxx="14" maxy="50.5"/><Dimension name="time" units="ISO8601"/><Extent name="time">2018,2020/2022/P1Y</Extent></Layer>`
    const server = await saying(says({ version: '1.1.1', layers }))
    const settings = await wms(server.url, { years: [2018, 2022] })
    expect(settings).toMatchObject({ version: '1.1.1', crs: 'EPSG:25832', times: ['2018', '2020', '2021', '2022'] })
    const source = sourcesOf([settings])[0] as TileSource
    const images = await client().find(source, [10, 48, 11, 49])
    expect(images.map(({ imageId, time }) => [imageId, new Date(time!).getUTCFullYear()])).toEqual([
      ['TOWN/2018', 2018],
      ['TOWN/2020', 2020],
      ['TOWN/2021', 2021],
      ['TOWN/2022', 2022],
    ])
    const [picture] = source.pictures
    expect(source.addressOf({ column: 3, row: -4, stepX: 0.2, stepY: 0.2 }, picture!)).toContain('TIME=2018')
  })

  test.each([
    ['degrees', 'EPSG:4326', '1.3.0', 'by-definition', /CRS=EPSG:4326&BBOX=0\.5,1,/],
    ['degrees as CRS:84', 'CRS:84', '1.3.0', 'by-definition', /CRS=CRS:84&BBOX=1,0\.5,/],
    ['degrees in 1.1.1', 'EPSG:4326', '1.1.1', 'by-definition', /SRS=EPSG:4326&BBOX=1,0\.5,/],
    ['metres, northing first', 'EPSG:2180', '1.3.0', 'by-definition', /BBOX=0\.5,1,/],
    ['the same of a service that gets it wrong', 'EPSG:2180', '1.3.0', 'east-first', /BBOX=1,0\.5,/],
    ['metres, easting first', 'EPSG:25832', '1.3.0', 'by-definition', /BBOX=1,0\.5,/],
    ['the same of a service that gets it wrong', 'EPSG:25832', '1.3.0', 'north-first', /BBOX=0\.5,1,/],
  ])('the order of coordinates is that of the system: %s', (_, crs, version, axis, expected) => {
    const settings = { kind: 'wms', url: 'https://x/wms', layers: 'a', gsd: 1, format: 'image/png', tileSize: 128 }
    const source = sourcesOf([described({ ...settings, crs, version, axis })])[0] as TileSource
    const place = { column: 1, row: -2, stepX: 1 / 128, stepY: 1 / 256 }
    // Columns begin at 1, and rows end at 0.5.
    expect(source.addressOf({ ...place, stepX: 1 / 128 }, source.pictures[0]!)).toMatch(expected)
  })

  test('an object beside 180 degrees has a box in metres on its own side, or none', () => {
    const settings = { kind: 'wms', url: 'https://x/wms', layers: 'a', gsd: 0.2, format: 'image/png', version: '1.3.0' }
    const source = sourcesOf([described({ ...settings, crs: 'EPSG:32760' })])[0] as TileSource
    const { tiles, seed } = settingsOf([source])
    const boxAt = (longitude: number) =>
      boxesIn(mapTileAt([longitude, -17]), { tiles, seed })(
        focusOf('n1', { type: 'Point', coordinates: [longitude, -17] }, 1),
      )(source)
    expect(boxAt(179.99999)).toBeNull()
    const { box } = boxAt(179.99)!
    expect(box[0]).toBeLessThan(box[2])
  })

  test('a layer, a system or a format that is missing is named, with those that there are', async () => {
    const server = await saying(says())
    await expect(wms(server.url, { layers: 'dop10' })).rejects.toThrow(/has no layer dop10; name one of dop20, dop40\./)
    await expect(wms(server.url, { crs: 'EPSG:2056' })).rejects.toThrow(
      /does not offer dop20 in EPSG:2056; name one of EPSG:4326,/,
    )
    const tiff = await saying(says({ formats: ['image/tiff'] }))
    await expect(wms(tiff.url)).rejects.toThrow(/gives no PNG and no JPEG, only image\/tiff/)
    const none = await saying(says({ formats: [] }))
    await expect(wms(none.url)).rejects.toThrow(/names no format of its pictures; set format of the source/)
    await expect(wms(server.url, { extent: [0, 0, 1, 1] })).rejects.toThrow(
      /has nothing within the extent of the source; correct/,
    )
  })

  test('times of the settings are those of the layer, which a year or day may stand for; others are refused', async () => {
    const layers = LAYER.replaceAll(
      BOX,
      `${BOX}<Dimension name="time" units="ISO8601">2019-05-01,2021-05-30,2021-08-02</Dimension>`,
    )
    const server = await saying(says({ layers }))
    expect(await wms(server.url, { times: ['2021', '2019-05-01'] })).toMatchObject({
      times: ['2021-05-30', '2021-08-02', '2019-05-01'],
    })
    const [source] = sourcesOf([await wms(server.url, { times: ['2021', '2021-05-30'] })]) as [TileSource]
    expect(source.pictures.map(({ name }) => name)).toEqual(['2021-05-30', '2021-08-02'])
    await expect(wms(server.url, { times: ['2020'] })).rejects.toThrow(
      /has no time 2020 for the layer; name one of 2019/,
    )
    const without = await saying(says())
    await expect(wms(without.url, { times: ['2020'] })).rejects.toThrow(/has no times for the layer; remove times/)
  })

  test('layers may have blanks between them, and a PNG of few colours is taken where there is nothing better', async () => {
    const server = await saying(says({ formats: ['image/png; mode=8bit', 'image/tiff'] }))
    expect(await wms(server.url, { layers: 'dop20, dop40' })).toMatchObject({
      layers: 'dop20,dop40',
      format: 'image/png; mode=8bit',
    })
  })

  test.each([
    ['a web page', '<!DOCTYPE html><html><body>Moved</body></html>', /answered with a web page instead of its capab/],
    [
      'an exception',
      '<ServiceExceptionReport><ServiceException>No key</ServiceException></ServiceExceptionReport>',
      /an exception \(No key\)/,
    ],
    ['broken XML', '<WMS_Capabilities version="1.3.0"><Layer>', /answered with broken XML/],
    ['a sentence', '{"error": "Invalid\nkey"}', /answered with something other than XML \({"error": "Invalid key"}\)/],
    ['nothing', '', /answered with nothing instead of its capabilities/],
  ])('%s instead of it is said in one sentence', async (_, body, said) => {
    await expect(wms((await saying(body)).url)).rejects.toThrow(said)
  })

  const offering = (systems: string, box = BOX) => says({ layers: `${systems}<Layer><Name>dop20</Name>${box}</Layer>` })
  const bounds = (sides: string) => `<LatLonBoundingBox ${sides}/>`

  test.each([
    ['an empty line before it', `\uFEFF\r\n${says()}`, { crs: 'EPSG:25832' }],
    ['formats in capitals', says({ formats: ['IMAGE/PNG'] }), { format: 'image/png' }],
    ['no largest size', says({ service: '<MaxWidth>0</MaxWidth><MaxHeight>-1</MaxHeight>' }), { tileSize: 512 }],
    ['systems as URNs', offering('<CRS>urn:ogc:def:crs:EPSG::25832</CRS>'), { crs: 'EPSG:25832' }],
    [
      'a system in which nothing is as long as on the ground',
      offering('<CRS>EPSG:3395</CRS><CRS>EPSG:25832</CRS>'),
      { crs: 'EPSG:25832' },
    ],
    ['bounds without a size', offering('<CRS>EPSG:3857</CRS>', bounds('minx="0" miny="0" maxx="0" maxy="0"')), WORLD],
    ['bounds the wrong way', offering('<CRS>EPSG:3857</CRS>', bounds('minx="14" miny="50" maxx="9" maxy="47"')), WORLD],
    [
      'the latest time by another name',
      offering('<CRS>EPSG:3857</CRS>', `${BOX}<Dimension name="time">2018,2021,current</Dimension>`),
      { times: ['2018', '2021'] },
    ],
  ])('is understood with %s', async (_, document, expected) => {
    expect(await wms((await saying(document)).url)).toMatchObject(expected)
  })

  test('is read in the encoding that it declares, and packed where the server packs unasked', async () => {
    const named = says({ layers: '<CRS>EPSG:3857</CRS><Layer><Name>übersicht</Name></Layer>' })
    const latin = Buffer.from(named.replace('?>', ' encoding="ISO-8859-1"?>'), 'latin1')
    expect(await wms((await saying(latin)).url, { layers: 'übersicht' })).toMatchObject({ crs: 'EPSG:3857' })
    const packed = await saying(gzipSync(named), { 'content-encoding': 'gzip' })
    expect(await wms(packed.url, { layers: 'übersicht' })).toMatchObject({ crs: 'EPSG:3857' })
  })

  test.each(['wms', 'wmts', 'arcgis'])(
    'a key that is refused is in no message, as it was sent or read: %s',
    async (kind) => {
      const [sent, read] = ['k3y%2Bof%3Dtown', 'k3y+of=town']
      const server = await serve((request, response) => {
        const said = `Invalid key ${new URL(request.url!, 'http://x').searchParams.get('key')} in ${request.url}`
        response.end(JSON.stringify({ error: { code: 498, message: said } }))
      })
      const own = {
        ...{ wms: { layers: 'a', gsd: 1 }, wmts: { layer: 'a', matrixSet: 'b' }, arcgis: {} }[kind],
        ...{ kind, url: `${server.url}/ImageServer?key=\${SKYSCRIPT_SECRET_TOWN}` },
      }
      const put = (address: string) => address.replaceAll('$' + '{SKYSCRIPT_SECRET_TOWN}', sent)
      const error: unknown = await completeSources([described(own)], { fillIn: put }).catch((thrown: unknown) => thrown)
      expect(String(error)).toContain('Invalid key')
      expect(String(error)).not.toContain(sent)
      expect(String(error)).not.toContain(read)
    },
  )

  test('decides the version where it knows no newer one', async () => {
    const server = await saying(
      says({ version: '1.1.1', layers: '<SRS>EPSG:3857</SRS><Layer><Name>dop20</Name></Layer>' }),
    )
    expect(await wms(server.url, { version: '1.3.0' })).toMatchObject({ version: '1.1.1' })
  })

  test('fees and constraints are told, and largest sizes kept to', async () => {
    const service =
      '<Fees>none</Fees><AccessConstraints>dl-de/by-2-0</AccessConstraints><MaxWidth>300</MaxWidth><MaxHeight>400</MaxHeight>'
    const server = await saying(says({ service }))
    const told: unknown[] = []
    const settings = described({ kind: 'wms', url: server.url, layers: 'dop20', gsd: 0.2 })
    const [complete] = await completeSources([settings], { fillIn }, (...each) => told.push(each))
    expect(told).toEqual([['TOWN', ['dl-de/by-2-0']]])
    expect(complete).toMatchObject({ tileSize: 300 })
  })

  test('a key is sent, and is in nothing that is stored, even where the service repeats its address', async () => {
    const template = '$' + '{SKYSCRIPT_SECRET_TOWN}'
    const server = await serve((request, response) => {
      const said = `<Capabilities xmlns:xlink="http://www.w3.org/1999/xlink"><OperationsMetadata><Operation name="GetTile"><DCP><HTTP><Get xlink:href="http://127.0.0.1/k3y/wmts?"/></HTTP></DCP></Operation></OperationsMetadata><Contents>${TILES}</Contents></Capabilities>`
      response.writeHead(200).end(request.url!.includes('k3y') ? said : 'no key')
    })
    const settings = await completed({
      kind: 'wmts',
      url: `${server.url}/wmts?token=${template}`,
      layer: 'dop',
      matrixSet: 'national',
    })
    expect(JSON.stringify(settings)).not.toContain('k3y')
    const source = sourcesOf([settings])[0] as TileSource
    const address = source.addressOf({ column: 5, row: 6, stepX: 0.2, stepY: 0.2 }, source.pictures[0]!)
    expect(fillIn(address)).toMatch(/^http:\/\/127\.0\.0\.1\/k3y\/wmts\?token=k3y&.*LAYER=dop&.*TILEROW=6&TILECOL=5/)
  })
})

const TILES = `<Layer><Identifier>dop</Identifier><WGS84BoundingBox><LowerCorner>9 47</LowerCorner><UpperCorner>14 50.5</UpperCorner></WGS84BoundingBox><Style isDefault="true"><Identifier>default</Identifier></Style><Format>image/png</Format><TileMatrixSetLink><TileMatrixSet>national</TileMatrixSet></TileMatrixSetLink></Layer><TileMatrixSet><Identifier>national</Identifier><SupportedCRS>urn:ogc:def:crs:EPSG::25832</SupportedCRS><TileMatrix><Identifier>15</Identifier><ScaleDenominator>714.2857142857143</ScaleDenominator><TopLeftCorner>200000 6000000</TopLeftCorner><TileWidth>256</TileWidth><TileHeight>256</TileHeight><MatrixWidth>20000</MatrixWidth><MatrixHeight>30000</MatrixHeight></TileMatrix></TileMatrixSet>`

test.each([
  [
    'JSON',
    '{"features":[{"properties":{"flight":"2019-05-30"}},{"properties":{"flight":"2021-06-02T10:00:00Z"}}]}',
    '2021-06-02',
    'day',
  ],
  ['JSON with milliseconds', '{"flight":1622592000000}', '2021-06-02', 'day'],
  ['XML', '<Feature><ns:flight type="date">02.06.2021</ns:flight></Feature>', '2021-06-02', 'day'],
  ['text', "Layer 'meta'\n  flight = '20210602'", '2021-06-02', 'day'],
  ['a year', 'flight: 2021', '2021-01-01', 'year'],
  ['no day of any month', 'flight = 2021-13-45', null, null],
  ['another property', 'flights = 2021', null, null],
])('a date is found in %s', (_, answer, day, precision) => {
  const found = featureDate(answer, 'flight')
  expect(found && [new Date(found.time).toISOString().slice(0, 10), found.timePrecision]).toEqual(
    day === null ? null : [day, precision],
  )
})

test('a mosaic of years has the dates that its service knows, one request for each square', async () => {
  const info = '<GetFeatureInfo><Format>text/html</Format><Format>application/json</Format></GetFeatureInfo>'
  const capabilities = says().replace('</GetMap>', `</GetMap>${info}`)
  const server = await serve((request, response) => {
    const values = new URL(request.url!, 'http://x').searchParams
    if (values.get('REQUEST') === 'GetCapabilities') return response.end(capabilities)
    const isOdd = Math.round(Number(values.get('BBOX')!.split(',')[0]) / (512 * 0.2)) % 2 === 1
    return response.end(isOdd ? '{"features":[]}' : '{"features":[{"properties":{"flight":"2021-06-02"}}]}')
  })
  const dates = { layer: 'dop40', property: 'flight' }
  const settings = await wms(server.url, { crs: 'EPSG:25832', format: 'image/png', years: [2019, 2022], dates })
  expect(settings).toMatchObject({ dates: { ...dates, format: 'application/json' } })
  const source = sourcesOf([settings])[0] as TileSource
  const tiles = client()
  const tile = mapTileAt(PLACE)
  const { kept } = await planAll({
    tile,
    // Sixty metres to either side, so in two squares or three.
    focus: Array.from({ length: 9 }, (_, i) =>
      focusOf(`n${i}`, { type: 'Point', coordinates: [PLACE[0] + (i - 4) * 0.0002, PLACE[1]] }, 30),
    ),
    settings: settingsOf([source]),
    candidates: async () => tiles.find(source, source.extent),
    origin: async (_source, imageId, box) => tiles.origin(source, imageId, box),
    dateOf: async (_source, imageId, box) => tiles.dateOf!(source, imageId, box),
  })
  const found = kept.map(({ candidates: [first] }) => [first!.time, first!.facts?.timePrecision])
  expect(new Set(found.map(String))).toEqual(new Set([`${Date.UTC(2021, 5, 2)},day`, ',']))
  const asked = server.asked.filter((path) => path.includes('GetFeatureInfo'))
  expect(asked.length).toBeLessThan(9)
  expect(new Set(asked).size).toBe(asked.length)
  expect(asked[0]).toMatch(/LAYERS=dop40&.*QUERY_LAYERS=dop40&INFO_FORMAT=application\/json&.*&I=256&J=256/)
  await expect(wms(server.url, { dates: { layer: 'meta', property: 'flight' } })).rejects.toThrow(
    /has no layer meta; name one of dop20, dop40/,
  )
})
