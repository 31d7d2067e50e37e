import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Box } from '@skyscript/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalEarthEngine, startLocalEarthEngine } from '../src/index.ts'
import { compute, constant, graph, invoke, near, npyBytes, PLACE, pixelsBody, post, writeFeatures } from './calls.ts'

/** Each collection with a place that it covers. */
const COLLECTIONS: readonly (readonly [id: string, type: string, place: Box, bands: readonly string[]])[] = [
  ['Switzerland/SWISSIMAGE/orthos/10cm', 'IMAGE_COLLECTION', [7.4, 46.7, 7.5, 46.8], ['R', 'G', 'B']],
  ['Spain/PNOA/PNOA10', 'IMAGE_COLLECTION', [-3.8, 40.3, -3.6, 40.5], ['R', 'G', 'B']],
  ['Germany/Brandenburg/orthos/20cm', 'IMAGE', [13, 52.3, 13.1, 52.4], ['N', 'R', 'G', 'B']],
  ['Finland/SMK/V/50cm', 'IMAGE_COLLECTION', [24.9, 60.1, 25, 60.2], ['R', 'G', 'B']],
  ['USDA/NAIP/DOQQ', 'IMAGE_COLLECTION', [-73.9, 40.7, -73.8, 40.8], ['R', 'G', 'B']],
  ['SKYSAT/GEN-A/PUBLIC/ORTHO/RGB', 'IMAGE_COLLECTION', [7.4, 46.7, 7.5, 46.8], ['R', 'G', 'B']],
  ['SKYSAT/GEN-A/PUBLIC/ORTHO/MULTISPECTRAL', 'IMAGE_COLLECTION', [7.4, 46.7, 7.5, 46.8], ['R', 'G', 'B']],
  ['COPERNICUS/S2_SR_HARMONIZED', 'IMAGE_COLLECTION', [7.4, 46.7, 7.5, 46.8], ['B4', 'B3', 'B2']],
  ['LANDSAT/LC08/C02/T1_TOA', 'IMAGE_COLLECTION', [7.4, 46.7, 7.5, 46.8], ['B4', 'B3', 'B2']],
  ['LANDSAT/LC09/C02/T1_TOA', 'IMAGE_COLLECTION', [7.4, 46.7, 7.5, 46.8], ['B4', 'B3', 'B2']],
  ['Netherlands/Beeldmateriaal/LUCHTFOTO_RGB', 'IMAGE_COLLECTION', [5.5, 51.8, 5.6, 51.9], ['R', 'G', 'B']],
  ['projects/neon-prod-earthengine/assets/RGB/001', 'IMAGE_COLLECTION', [-72.2, 42.5, -72.1, 42.6], ['R', 'G', 'B']],
  ['Latvia/Maamet/orthos/rgb', 'IMAGE_COLLECTION', [24.1, 56.9, 24.2, 57], ['R', 'G', 'B']],
  ['Slovakia/orthos/25cm', 'IMAGE_COLLECTION', [17.1, 48.1, 17.2, 48.2], ['R', 'G', 'B']],
  ['Estonia/Maamet/orthos/rgb', 'IMAGE_COLLECTION', [26.7, 58.3, 26.8, 58.4], ['R', 'G', 'B']],
  ['Estonia/Maamet/orthos/rgb_low_flying', 'IMAGE_COLLECTION', [24.7, 59.4, 24.8, 59.5], ['R', 'G', 'B']],
]
const SWISS = COLLECTIONS[0]![0]
const SENTINEL = COLLECTIONS[7]![0]
const HERE: Box = [7.44, 46.71, 7.46, 46.73]

let folder: string
let server: LocalEarthEngine

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'local-earth-engine-test-'))
  await writeFeatures(join(folder, 'features.geojsonl'))
  server = await startLocalEarthEngine({ features: [join(folder, 'features.geojsonl')], threads: 1 })
})
afterAll(async () => {
  await server?.close()
  await rm(folder, { recursive: true, force: true })
})

const imageOf = (id: string) => invoke('Image.load', { id: constant(id) })
const property = (collection: string, name: string, box = HERE) =>
  compute(
    server.url,
    invoke('AggregateFeatureCollection.array', { collection: near(collection, box), property: constant(name) }),
  )
/** Red, green, blue as bytes of a Swiss orthophoto. */
const swiss = (year = 2021) =>
  invoke('Image.select', {
    input: imageOf(`${SWISS}/SWISSIMAGE_10cm_${year}`),
    bandSelectors: constant(['R', 'G', 'B']),
  })

const IMAGE = 'Image<unknown bands>'
const SIGNATURES: Readonly<Record<string, string>> = {
  Projection: '(crs: Object, transform: List<Object> = null, transformWkt: String = null) Projection',
  ErrorMargin: '(value: Float = null, unit: String = "meters") ErrorMargin',
  'Image.select': `(input: ${IMAGE}, bandSelectors: List<Object>, newNames: List<String> = null) ${IMAGE}`,
  'Image.clip': `(input: ${IMAGE}, geometry: Object) ${IMAGE}`,
  'Element.set': '(object: Element, key: String, value: Object = null) Element',
  'Reducer.max': '(numInputs: Integer = 1) Reducer',
  'List.slice': '(list: List<Object>, start: Integer, end: Integer = null, step: Integer = null) List<Object>',
  'Profile.getProfiles': '(ids: List<String>, format: String = "text", maxEntries: Integer = null) Object',
  'GeometryConstructors.Rectangle':
    '(coordinates: List<Object>, crs: Projection = null, geodesic: Boolean = null, evenOdd: Boolean = true) Geometry',
  'Collection.geometry':
    '(collection: FeatureCollection, maxError: ErrorMargin = {"type":"ErrorMargin","unit":"meters","value":0}) Geometry',
  Feature: '(geometry: Geometry = null, metadata: Dictionary<Object> = {}, geometryKey: String = null) Feature',
}

test('the list of algorithms gives names, arguments and results, as the client library needs them', async () => {
  const { algorithms } = (await (await fetch(`${server.url}/v1/projects/p/algorithms`)).json()) as {
    algorithms: {
      name: string
      returnType: string
      arguments: { argumentName: string; type: string; optional?: boolean; defaultValue?: unknown }[]
    }[]
  }
  const load = algorithms.find(({ name }) => name === 'algorithms/Image.load')!
  expect(load.returnType).toBe('Image<unknown bands>')
  expect(load.arguments.map(({ argumentName }) => argumentName)).toEqual(['id', 'version'])
  expect(algorithms.length).toBeGreaterThan(100)
  // As Earth Engine lists them.
  const signatureOf = (name: string) => {
    const found = algorithms.find((each) => each.name === `algorithms/${name}`)
    const parts = found?.arguments.map(
      ({ argumentName, type, optional, defaultValue }) =>
        `${argumentName}: ${type}${optional ? ` = ${JSON.stringify(defaultValue)}` : ''}`,
    )
    return found && `(${parts!.join(', ')}) ${found.returnType}`
  }
  expect(Object.fromEntries(Object.keys(SIGNATURES).map((name) => [name, signatureOf(name)]))).toEqual(SIGNATURES)
  for (const absent of ['Image.set', 'Feature.get', 'Number']) expect(signatureOf(absent)).toBeUndefined()
})

test.each(COLLECTIONS)('%s is an asset with images of dates, footprints and bands', async (id, type, place, bands) => {
  const asset = (await (
    await fetch(`${server.url}/v1/${id.startsWith('projects/') ? id : `projects/earthengine-public/assets/${id}`}`)
  ).json()) as {
    type: string
  }
  expect(asset.type).toBe(type)
  const image = type === 'IMAGE' ? imageOf(id) : invoke('Collection.first', { collection: near(id, place) })
  expect(await compute(server.url, invoke('Image.bandNames', { image }))).toEqual(expect.arrayContaining([...bands]))
  const start = (await compute(
    server.url,
    invoke('Element.get', { object: image, property: constant('system:time_start') }),
  )) as number | null
  // Brandenburg's, one image of several years, has no time.
  if (type === 'IMAGE') expect(start).toBeNull()
  else {
    expect(new Date(start!).getUTCFullYear()).toBeGreaterThanOrEqual(1993)
    expect(start).toBeLessThan(Date.UTC(2027, 0))
  }
  const bounds = invoke('Geometry.bounds', { geometry: invoke('Image.geometry', { feature: image }) })
  expect(await compute(server.url, bounds)).toMatchObject({ type: 'Polygon', coordinates: [expect.any(Array)] })
})

test('clouds are recorded where the collection records them, and Landsat has some without', async () => {
  const sentinel = (await property(SENTINEL, 'CLOUDY_PIXEL_PERCENTAGE')) as number[]
  expect(sentinel.length).toBeGreaterThan(100)
  expect(sentinel.every((share) => share >= 0 && share <= 100)).toBe(true)
  expect(new Set(sentinel).size).toBeGreaterThan(50)
  const landsat = (await property('LANDSAT/LC08/C02/T1_TOA', 'CLOUD_COVER')) as number[]
  expect(landsat.every((share) => share >= -1 && share <= 100)).toBe(true)
})

test('new arguments do what they say: every second element, the row of the largest, a projection', async () => {
  const list = constant([1, 2, 3, 4, 5])
  expect(
    await compute(server.url, invoke('List.slice', { list, start: constant(1), end: constant(5), step: constant(2) })),
  ).toEqual([2, 4])
  const clearest = invoke('Collection.reduceColumns', {
    collection: near('COPERNICUS/S2_SR_HARMONIZED', HERE),
    reducer: invoke('Reducer.min', { numInputs: constant(2) }),
    selectors: constant(['CLOUDY_PIXEL_PERCENTAGE', 'system:index']),
  })
  const { min, min1 } = (await compute(server.url, clearest)) as { min: number; min1: string }
  const clouds = (await property('COPERNICUS/S2_SR_HARMONIZED', 'CLOUDY_PIXEL_PERCENTAGE')) as number[]
  const names = (await property('COPERNICUS/S2_SR_HARMONIZED', 'system:index')) as string[]
  expect([min, min1]).toEqual([Math.min(...clouds), names[clouds.indexOf(Math.min(...clouds))]])
  const inMetres = invoke('GeometryConstructors.Point', {
    coordinates: constant([1, 2]),
    crs: invoke('Projection', { crs: constant('EPSG:3857') }),
  })
  expect((await post(server.url, 'value:compute', { expression: graph(inMetres) })).message).toContain('EPSG:4326')
})

test('an asset that was never there, or is there no more, is not found', async () => {
  for (const id of ['Nowhere/AT/ALL', 'ORTHO/Switzerland/SWISSIMAGE/10cm']) {
    const response = await fetch(`${server.url}/v1/projects/earthengine-public/assets/${id}`)
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({
      error: {
        code: 404,
        status: 'NOT_FOUND',
        message: expect.stringContaining('not found (does not exist or caller does not have access)'),
      },
    })
  }
})

test('what is not known is refused by name', async () => {
  const refusals: readonly (readonly [ReturnType<typeof invoke>, string])[] = [
    [invoke('Image.convolve', { image: swiss() }), "'Image.convolve'"],
    [
      invoke('Image.select', { input: constant(null), bandSelectors: constant(['R']) }),
      "Image.select: Parameter 'input' is required and may not be null.",
    ],
    [invoke('Image.select', { input: swiss(), bandSelectors: constant(['NIR']) }), "'NIR'"],
    [imageOf('COPERNICUS/S2_SR_HARMONIZED/nothing'), 'not found'],
    [{ valueReference: 'gone' }, "'gone'"],
  ]
  for (const [node, message] of refusals) {
    const answer = await post(server.url, 'value:compute', { expression: graph(node) })
    expect([400, 404], answer.message).toContain(answer.status)
    expect(answer.message).toContain(message)
  }
})

test('expressions that are no expressions, refer to themselves or nest without end are refused', async () => {
  const loop = { result: '0', values: { 0: invoke('Image.abs', { value: { valueReference: '0' } }) } }
  let deep = constant(1)
  for (let i = 0; i < 1000; i++) deep = invoke('Number', { number: deep })
  for (const expression of [
    null,
    'text',
    [],
    {},
    { result: '0' },
    loop,
    graph(deep),
    { result: '__proto__', values: {} },
  ]) {
    expect((await post(server.url, 'value:compute', { expression })).status).toBe(400)
  }
  const response = await fetch(`${server.url}/v1/projects/p/value:compute`, { method: 'POST', body: '{"expr' })
  expect(response.status).toBe(400)
  expect(await compute(server.url, constant(1))).toBe(1)
})

test('the same request gives the same pixels, also from another server and as part of a larger one', async () => {
  const grid = { width: 120, height: 80, west: PLACE[0], north: PLACE[1], step: 1e-6 }
  const body = pixelsBody(swiss(), grid)
  const first = await post(server.url, 'image:computePixels', body)
  expect([first.status, first.type]).toEqual([200, 'application/octet-stream'])
  expect(npyBytes(first.body)).toHaveLength(120 * 80 * 3)
  expect((await post(server.url, 'image:computePixels', body)).body.equals(first.body)).toBe(true)

  const other = await startLocalEarthEngine({ features: [join(folder, 'features.geojsonl')], threads: 2 })
  const again = await post(other.url, 'image:computePixels', body)
  await other.close()
  expect(again.body.equals(first.body)).toBe(true)

  const larger = await post(
    server.url,
    'image:computePixels',
    pixelsBody(swiss(), { ...grid, width: 240, height: 160 }),
  )
  const [part, whole] = [npyBytes(first.body), npyBytes(larger.body)]
  for (let y = 0; y < 80; y++) {
    const row = Buffer.from(part.subarray(y * 360, (y + 1) * 360))
    expect(row.equals(whole.subarray(y * 720, y * 720 + 360)), `row ${y}`).toBe(true)
  }
})

test('a lake, a field and a roof can be told apart, and another flight looks different', async () => {
  const meanAt = async (dx: number, dy: number, year = 2021) => {
    const grid = { width: 40, height: 40, west: PLACE[0] + dx, north: PLACE[1] + dy, step: 2e-6 }
    const bytes = npyBytes((await post(server.url, 'image:computePixels', pixelsBody(swiss(year), grid))).body)
    const sums = [0, 0, 0]
    for (let i = 0; i < bytes.length; i++) sums[i % 3]! += bytes[i]! / (bytes.length / 3)
    return sums as [number, number, number]
  }
  const far = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((value, i) => value - b[i]!))
  const [lake, field, roof] = [
    await meanAt(-0.0025, -0.0025),
    await meanAt(0.005, -0.005),
    await meanAt(0.0015, 0.0015),
  ]
  expect(lake[2]).toBeGreaterThan(lake[0])
  expect(far(lake, field)).toBeGreaterThan(30)
  expect(far(roof, field)).toBeGreaterThan(20)
  expect(far(roof, lake)).toBeGreaterThan(30)
})

test('outside of an image all is masked, and comes as zeros', async () => {
  const inside = invoke('Image.mask', { image: swiss() })
  const grid = { width: 8, height: 8, west: 20, north: 46, step: 1e-5 }
  const outside = await post(server.url, 'image:computePixels', pixelsBody(swiss(), grid))
  expect(outside.status).toBe(200)
  expect(npyBytes(outside.body).every((value) => value === 0)).toBe(true)
  const masks = await post(
    server.url,
    'image:computePixels',
    pixelsBody(invoke('Image.toByte', { value: inside }), grid),
  )
  expect(npyBytes(masks.body).every((value) => value === 0)).toBe(true)
})

test('visualize stretches values to bytes, and arithmetic, masks and reducers work pixel by pixel', async () => {
  const grid = { width: 2, height: 1, west: PLACE[0], north: PLACE[1], step: 1e-6 }
  const bytesOf = async (node: ReturnType<typeof invoke>) => [
    ...npyBytes((await post(server.url, 'image:computePixels', pixelsBody(node, grid))).body),
  ]
  const image = invoke('Image.constant', { value: constant([0, 1500, 3000]) })
  expect(await bytesOf(invoke('Image.visualize', { image, min: constant(0), max: constant(3000) }))).toEqual([
    0, 128, 255, 0, 128, 255,
  ])
  const two = invoke('Image.constant', { value: constant([7, 9]) })
  const reduced = (name: string) =>
    invoke('Image.toByte', { value: invoke('Image.reduce', { image: two, reducer: invoke(`Reducer.${name}`) }) })
  expect(await bytesOf(reduced('min'))).toEqual([7, 7])
  expect(await bytesOf(reduced('max'))).toEqual([9, 9])
  expect(await bytesOf(reduced('mean'))).toEqual([8, 8])
  const hidden = invoke('Image.updateMask', { image: two, mask: invoke('Image.constant', { value: constant(0) }) })
  expect(
    await bytesOf(
      invoke('Image.toByte', {
        value: invoke('Image.unmask', { input: hidden, value: invoke('Image.constant', { value: constant(5) }) }),
      }),
    ),
  ).toEqual([5, 5, 5, 5])
  const sum = invoke('Image.add', { image1: two, image2: invoke('Image.constant', { value: constant(1) }) })
  expect(await bytesOf(invoke('Image.toByte', { value: sum }))).toEqual([8, 10, 8, 10])
})

test('PNG is given where it is asked for', async () => {
  const image = invoke('Image.visualize', { image: swiss(), min: constant(0), max: constant(255) })
  const grid = { width: 16, height: 16, west: PLACE[0], north: PLACE[1], step: 1e-5 }
  const { type, body } = await post(server.url, 'image:computePixels', pixelsBody(image, grid, 'PNG'))
  expect([type, body.subarray(1, 4).toString()]).toEqual(['image/png', 'PNG'])
})
