import { parseConfig } from '@skyscript/core/config'
import sharp from 'sharp'
import { expect, test, vi } from 'vitest'
import { sourcesOf, type TileSource } from '../src/index.ts'
import { PIXEL_STATE } from '../src/pixel-state.ts'
import { useWeb } from './web-set-up.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const { client, completed: completedWith, serve } = useWeb()
const completed = (settings: Record<string, unknown>) =>
  completedWith({ kind: 'arcgis', alias: 'NAIX', years: 2022, licence: 'public domain', credit: 'USDA', ...settings })

const SAYS = {
  serviceDataType: 'esriImageServiceDataTypeRGB',
  extent: { xmin: 3e5, ymin: 4e6, xmax: 5e5, ymax: 4.2e6, spatialReference: { wkid: 26_916, latestWkid: 26_916 } },
  pixelSizeX: 0.6,
  maxImageWidth: 400,
  maxImageHeight: 4100,
  bandCount: 4,
  copyrightText: 'USDA',
}

/** An image service whose maps have the colour of their place. */
async function imageService(says: unknown = SAYS) {
  const server = await serve(async (request, response) => {
    const address = new URL(request.url!, 'http://x')
    const values = address.searchParams
    if (values.get('f') === 'json') return response.end(typeof says === 'string' ? says : JSON.stringify(says))
    const [width, height] = values.get('size')!.split(',').map(Number)
    const [west, south] = values.get('bbox')!.split(',').map(Number)
    const colour = { r: 1 + (Math.round(west! / 0.6) % 250), g: 1 + (Math.round(south! / 0.6) % 250), b: 9, alpha: 1 }
    const format = values.get('format')!.startsWith('png') ? 'png' : 'jpeg'
    const map = sharp({ create: { width: width!, height: height!, channels: 4, background: colour } })
    return response.end(await map.toFormat(format).toBuffer())
  })
  return server
}
test("an image service is asked in its own system and at its own pixels' size, in maps that it can make", async () => {
  const server = await imageService()
  const settings = await completed({ url: `${server.url}/arcgis/rest/services/NAIP/ImageServer`, format: 'png32' })
  expect(settings).toMatchObject({ crs: 'EPSG:26916', gsd: 0.6, tileSize: 400 })
  const source = sourcesOf([settings])[0] as TileSource
  const tiles = client()
  const step = source.latticeIn('x0920_y1270').stepX
  expect(step).toBeCloseTo(0.6, 6)
  const [column, row] = [1500, -17_000]
  const grid = { crs: 'EPSG:26916', width: 400, height: 400, stepX: step, stepY: step }
  const pixels = await tiles.pixels(source, 'NAIX/latest', {
    ...grid,
    west: column * 400 * step,
    north: -row * 400 * step,
  })
  const south = -(row + 1) * 400
  expect([...pixels.subarray(0, 4)]).toEqual([...[1 + ((column * 400) % 250), 1 + (south % 250), 9], PIXEL_STATE.clear])
  const asked = new URL(server.asked.at(-1)!, 'http://x')
  expect(asked.pathname).toBe('/arcgis/rest/services/NAIP/ImageServer/exportImage')
  expect(Object.fromEntries(asked.searchParams)).toMatchObject({
    ...{
      bboxSR: '26916',
      imageSR: '26916',
      size: '400,400',
      interpolation: 'RSP_NearestNeighbor',
      bandIds: '0,1,2',
      f: 'image',
    },
  })
  expect(asked.searchParams.has('mosaicRule')).toBe(false)
})

test('each year is an image of its own, by a field of the scenes or by time, and rules are kept', async () => {
  const url = `${(await imageService({ ...SAYS, timeInfo: { timeExtent: [0, 1] } })).url}/ImageServer`
  const place = { column: 1, row: 1, stepX: 0.6, stepY: 0.6 }
  const byTime = sourcesOf([await completed({ url, format: 'jpg', years: [2020, 2022] })])[0] as TileSource
  expect(byTime.pictures.map(({ name }) => name)).toEqual(['2020', '2021', '2022'])
  const asked = new URL(byTime.addressOf(place, byTime.pictures[0]!)).searchParams
  expect(asked.get('time')).toBe(`${Date.UTC(2020, 0)},${Date.UTC(2021, 0) - 1}`)
  const mosaicRule = { mosaicMethod: 'esriMosaicAttribute', sortField: 'Date' }
  const byField = await completed({ url, format: 'jpg', years: [2020, 2022], yearField: 'Year', mosaicRule })
  const source = sourcesOf([byField])[0] as TileSource
  const rule = new URL(source.addressOf(place, source.pictures[2]!)).searchParams
  expect([JSON.parse(rule.get('mosaicRule')!), rule.has('time')]).toEqual([
    { ...mosaicRule, where: 'Year = 2022' },
    false,
  ])
})

test.each([
  ['a web page', '<html>', /answers with something other than JSON/],
  ['a refusal', { error: { code: 499, message: 'Token Required' } }, /refuses to describe itself \(Token Required\)/],
  ['nothing', 'null', /answers with something other than JSON/],
  [
    'a system without a code',
    { ...SAYS, extent: { ...SAYS.extent, spatialReference: { wkt: 'PROJCS[]' } } },
    /set crs/,
  ],
  ['a service of something else', { layers: [] }, /describes no image service with a known place/],
  ['too few bands', { ...SAYS, bandCount: 1 }, /has 1 bands, and bands names 3/],
  ['a pixel size of nothing', { ...SAYS, pixelSizeX: 0 }, /does not say its pixel size; set gsd of the source/],
  ['no pixel size', { ...SAYS, pixelSizeX: undefined }, /does not say its pixel size; set gsd of the source/],
])('%s is said in one sentence', async (_, says, said) => {
  const { url } = await imageService(says)
  await expect(completed({ url: `${url}/ImageServer` })).rejects.toThrow(said)
})

test('what a service leaves empty counts as unsaid, and a system that is not known here needs crs and gsd', async () => {
  const empty = { timeInfo: null, bandCount: null, maxImageWidth: 0, maxImageHeight: null, copyrightText: null }
  const { url } = await imageService({ ...SAYS, ...empty })
  const settings = await completed({ url: `${url}/ImageServer`, format: 'png32', years: [2020, 2022] })
  expect(settings).toMatchObject({ tileSize: 512 })
  expect(settings).not.toHaveProperty('times')
  const own = await imageService({ ...SAYS, extent: { ...SAYS.extent, spatialReference: { wkt: 'PROJCS[]' } } })
  const stated = { url: `${own.url}/ImageServer`, format: 'png32', crs: 'EPSG:3857' }
  expect(await completed({ ...stated, gsd: 0.6 })).toMatchObject({ crs: 'EPSG:3857', extent: [-180, -90, 180, 90] })
  await expect(completed(stated)).rejects.toThrow(/does not say its pixel size; set gsd/)
})

test('the address of anything but an image service is refused with what to use', () => {
  const region = { output: 'o', osm: { source: 'x.osm.pbf' } }
  const source = { kind: 'arcgis', alias: 'NAIX', url: 'https://host/MapServer', licence: 'CC0' }
  const text = JSON.stringify({ ...region, imagery: { sources: [source] } })
  expect(() => parseConfig(text, '/tmp/region.yaml')).toThrow(/must end in \/ImageServer; tile caches are of kind xyz/)
})
