/** What the collections hold: dates, places, masked ground, pages of images. */
import { request } from 'node:http'
import type { Box, Position } from '@skyscript/core'
import { boxesIntersect } from '@skyscript/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalEarthEngine, startLocalEarthEngine } from '../src/index.ts'
import { compute, constant, invoke, near, npyBytes, pixelsBody, post } from './calls.ts'

const [SWISS, SPAIN, FINLAND] = ['Switzerland/SWISSIMAGE/orthos/10cm', 'Spain/PNOA/PNOA10', 'Finland/SMK/V/50cm']
const [NAIP, S2, L8, L9] = [
  'USDA/NAIP/DOQQ',
  'COPERNICUS/S2_SR_HARMONIZED',
  'LANDSAT/LC08/C02/T1_TOA',
  'LANDSAT/LC09/C02/T1_TOA',
]
const [P3, P5] = ['SKYSAT/GEN-A/PUBLIC/ORTHO/RGB', 'SKYSAT/GEN-A/PUBLIC/ORTHO/MULTISPECTRAL']
const NEON = 'projects/neon-prod-earthengine/assets/RGB/001'
const BERN: Box = [7.4, 46.7, 7.5, 46.8]
/** Each collection with a place of it, and the first and last year that it may show. */
const COLLECTIONS: readonly (readonly [id: string, place: Box, since: number, until: number])[] = [
  [SWISS, BERN, 2017, 2021],
  [SPAIN, [-3.8, 40.3, -3.7, 40.4], 2007, 2018],
  [FINLAND, [24.9, 60.1, 25, 60.2], 2015, 2023],
  [NAIP, [-73.9, 40.7, -73.8, 40.8], 2002, 2026],
  [P3, BERN, 2014, 2016],
  [P5, BERN, 2014, 2016],
  [S2, BERN, 2017, 2026],
  [L8, BERN, 2013, 2026],
  [L9, BERN, 2021, 2026],
  ['Netherlands/Beeldmateriaal/LUCHTFOTO_RGB', [5.5, 51.85, 5.6, 51.9], 2021, 2022],
  [NEON, [-122.4, 45.7, -122.3, 45.8], 2013, 2025],
  ['Latvia/Maamet/orthos/rgb', [24.1, 56.9, 24.2, 57], 2007, 2017],
  ['Slovakia/orthos/25cm', [19.1, 48.7, 19.2, 48.8], 2017, 2019],
  ['Estonia/Maamet/orthos/rgb', [24.9, 58.1, 25, 58.2], 1993, 2021],
  ['Estonia/Maamet/orthos/rgb_low_flying', [26.7, 58.3, 26.8, 58.4], 1993, 2021],
]

let server: LocalEarthEngine
beforeAll(async () => {
  // Limits have tests of their own.
  server = await startLocalEarthEngine({ features: [], threads: 1, limits: { concurrent: 1000, perSecond: 10_000 } })
})
afterAll(() => server?.close())

interface Listed {
  readonly id: string
  readonly startTime?: string
  readonly geometry: { readonly coordinates: readonly (readonly Position[])[] }
  readonly properties: Readonly<Record<string, unknown>>
}

const nameOf = (id: string) => (id.startsWith('projects/') ? id : `projects/earthengine-public/assets/${id}`)

async function listed(id: string, query: Readonly<Record<string, string>> = {}, url = server.url) {
  const path = `${url}/v1/${nameOf(id)}:listAssets`
  const response = await fetch(`${path}?${new URLSearchParams(query)}`)
  return (await response.json()) as { assets: Listed[]; nextPageToken?: string }
}

const rectangleText = ([west, south, east, north]: Box) => {
  const coordinates = [[west, south], [east, south], [east, north], [west, north], [west, south]] // biome-ignore format: a ring
  return `intersects(${JSON.stringify(JSON.stringify({ type: 'Polygon', coordinates: [coordinates] }))})`
}

const boundsOf = ({ geometry }: Listed): Box => {
  const [xs, ys] = [0, 1].map((axis) => geometry.coordinates[0]!.map((at) => at[axis]!)) as [number[], number[]]
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
}

test.each(COLLECTIONS)(
  '%s: images near a place cover a part of it, within the years of the collection',
  async (id, place, since, until) => {
    const { assets } = await listed(id, { filter: rectangleText(place) })
    expect(assets.length).toBeGreaterThan(0)
    for (const asset of assets) {
      expect(boxesIntersect(boundsOf(asset), place), asset.id).toBe(true)
      const year = new Date(asset.startTime!).getUTCFullYear()
      expect(year, asset.id).toBeGreaterThanOrEqual(since)
      expect(year, asset.id).toBeLessThanOrEqual(until)
    }
    expect(new Set(assets.map((asset) => asset.id)).size).toBe(assets.length)
  },
)

test.each(COLLECTIONS)('%s: an image found near a place is the one that its id loads', async (id, place) => {
  const { assets } = await listed(id, { filter: rectangleText(place), pageSize: '30' })
  for (const { id: name, startTime } of assets.slice(0, 5)) {
    const image = invoke('Image.load', { id: constant(name) })
    const time = await compute(
      server.url,
      invoke('Element.get', { object: image, property: constant('system:time_start') }),
    )
    expect(time).toBe(Date.parse(startTime!))
  }
  const indices = (await compute(
    server.url,
    invoke('AggregateFeatureCollection.array', { collection: near(id, place), property: constant('system:index') }),
  )) as string[]
  expect(indices.slice(0, 30).map((index) => `${id}/${index}`)).toEqual(assets.map((asset) => asset.id))
})

test('where a collection has no images there are none', async () => {
  for (const [id, elsewhere] of [
    [SWISS, [13, 52, 13.1, 52.1]],
    [NAIP, [7.4, 46.7, 7.5, 46.8]],
    [S2, [10, -80, 10.1, -79.9]],
    [P3, [10, 60, 10.1, 60.1]],
    [NEON, [-100.1, 45, -100, 45.1]],
    ['Estonia/Maamet/orthos/rgb_low_flying', [27.5, 57.8, 27.6, 57.9]],
  ] as const) {
    expect(await compute(server.url, invoke('Collection.size', { collection: near(id, [...elsewhere]) })), id).toBe(0)
  }
})

test('assets are listed page by page, each once, and another server lists the same', async () => {
  const filter = `${rectangleText(BERN)} AND startTime >= "2020-01-01T00:00:00Z" AND startTime < "2021-01-01T00:00:00Z"`
  const whole = (await listed(S2, { filter })).assets
  expect(whole.length).toBeGreaterThan(40)
  const paged: Listed[] = []
  let pageToken = ''
  do {
    const page = await listed(S2, { filter, pageSize: '17', pageToken })
    expect(page.assets.length).toBeLessThanOrEqual(17)
    paged.push(...page.assets)
    pageToken = page.nextPageToken ?? ''
  } while (pageToken !== '')
  expect(paged).toEqual(whole)
  for (const { startTime } of whole) expect(startTime!.slice(0, 4)).toBe('2020')

  const other = await startLocalEarthEngine({ features: [], threads: 1 })
  expect((await listed(S2, { filter }, other.url)).assets).toEqual(whole)
  await other.close()
})

test('a filter or page token that makes no sense is refused with 400', async () => {
  for (const query of ['filter=colour%20%3D%203', 'filter=intersects(%22%7B%22)', 'pageToken=zzz']) {
    const response = await fetch(`${server.url}/v1/projects/earthengine-public/assets/${S2}:listAssets?${query}`)
    expect([query, response.status]).toEqual([query, 400])
    expect(await response.json()).toMatchObject({ error: { code: 400, status: 'INVALID_ARGUMENT' } })
  }
})

test('yearly mosaics of Finland are of one year each, and most of a year is masked', async () => {
  const place: Box = [24, 61, 25, 62]
  const { assets } = await listed(FINLAND, { filter: rectangleText(place) })
  const shares = await Promise.all(
    assets.map(async ({ id }) => {
      const image = invoke('Image.load', { id: constant(id) })
      const mask = invoke('Image.toByte', {
        value: invoke('Image.select', { input: invoke('Image.mask', { image }), bandSelectors: constant(['R']) }),
      })
      const grid = { width: 64, height: 64, west: place[0], north: place[3], step: 1 / 64 }
      const bytes = npyBytes((await post(server.url, 'image:computePixels', pixelsBody(mask, grid))).body)
      return bytes.reduce((sum, value) => sum + value, 0) / bytes.length
    }),
  )
  expect(shares.length).toBeGreaterThan(3)
  expect(Math.min(...shares)).toBeLessThan(0.6)
  expect(Math.max(...shares)).toBeGreaterThan(0.02)
  const years = assets.map(({ startTime }) => startTime!.slice(0, 4))
  expect(new Set(years).size).toBe(years.length)
})

test("an asset of another project has its own long name, whichever project the caller's is", async () => {
  const strict = await startLocalEarthEngine({ features: [], threads: 1, projects: ['mine'] })
  try {
    const described = await (await fetch(`${strict.url}/v1/${NEON}`)).json()
    expect(described).toMatchObject({ type: 'IMAGE_COLLECTION', id: NEON, name: NEON })
    const { assets } = await listed(NEON, {}, strict.url)
    expect(assets.length).toBeGreaterThan(20)
    for (const asset of assets) expect(asset).toMatchObject({ name: asset.id, id: expect.stringMatching(`^${NEON}/`) })
    const folder = await listed('projects/neon-prod-earthengine/assets/RGB', {}, strict.url)
    expect(folder.assets.map(({ id }) => id)).toEqual([NEON])
    expect((await fetch(`${strict.url}/v1/projects/yours/algorithms`)).status).toBe(403)
  } finally {
    await strict.close()
  }
})

test('Brandenburg can be had as one image or as a collection', async () => {
  const id = 'Germany/Brandenburg/orthos/20cm'
  const one = await fetch(`${server.url}/v1/projects/earthengine-public/assets/${id}`)
  expect(await one.json()).toMatchObject({ type: 'IMAGE' })
  const other = await startLocalEarthEngine({ features: [], threads: 1, brandenburg: 'collection' })
  const many = await fetch(`${other.url}/v1/projects/earthengine-public/assets/${id}`)
  expect(await many.json()).toMatchObject({ type: 'IMAGE_COLLECTION' })
  const place: Box = [13, 52.3, 13.1, 52.4]
  const { assets } = await listed(id, { filter: rectangleText(place) }, other.url)
  expect(assets.length).toBeGreaterThan(0)
  const bands = invoke('Image.bandNames', { image: invoke('Image.load', { id: constant(assets[0]!.id) }) })
  expect(await compute(other.url, bands)).toEqual(['N', 'R', 'G', 'B'])
  await other.close()
})

test('some old images of NAIP lack a colour, and asking for it is refused by name', async () => {
  const places = Array.from({ length: 40 }, (_, i): Box => [-120.5 + i, 40.5, -120.49 + i, 40.51])
  const before = 'startTime < "2009-01-01T00:00:00Z"'
  const pages = await Promise.all(
    places.map((place) => listed(NAIP, { filter: `${rectangleText(place)} AND ${before}` })),
  )
  const assets = pages.flatMap((page) => page.assets.slice(0, 3))
  const imageOf = (id: string) => invoke('Image.load', { id: constant(id) })
  const bands = await Promise.all(
    assets
      .slice(0, 60)
      .map(
        async ({ id }) => (await compute(server.url, invoke('Image.bandNames', { image: imageOf(id) }))) as string[],
      ),
  )
  const lacking = bands.findIndex((names) => !names.includes('G') || !names.includes('R') || !names.includes('B'))
  expect(bands.some((names) => ['R', 'G', 'B'].every((name) => names.includes(name)))).toBe(true)
  expect(lacking).not.toBe(-1)
  const selected = invoke('Image.select', {
    input: imageOf(assets[lacking]!.id),
    bandSelectors: constant(['R', 'G', 'B']),
  })
  const grid = { width: 4, height: 4, west: -74, north: 41, step: 1e-5 }
  const { status, message } = await post(server.url, 'image:computePixels', pixelsBody(selected, grid))
  expect([status, message]).toEqual([400, expect.stringMatching(/'[RGB]'/)])
})

test('paths that are none, and methods on the wrong path, are answered and do not end the server', async () => {
  const status = (path: string, method = 'GET') =>
    new Promise<number | undefined>((resolve, reject) => {
      const asked = request(`${server.url}`, { path, method }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      asked.on('error', reject)
      asked.end()
    })
  expect(await status('//')).toBe(400)
  expect(await status('/v1/projects/p/assets/%E0%A4%A')).toBe(400)
  expect(await status('/nothing')).toBe(404)
  expect(await status('/v1/projects/p/value:compute')).toBe(404)
  expect(await status('/v1/projects/p/algorithms')).toBe(200)
})
