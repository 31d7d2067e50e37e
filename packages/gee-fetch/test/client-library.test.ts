/** Google's own client, with its own HTTP, against the local server: the server understands its requests, and it can read the answers. */
import { createRequire } from 'node:module'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalEarthEngine, startLocalEarthEngine } from '../../local-earth-engine/src/index.ts'

/** The library has no types; the tests use more of it than the package does. */
interface Library {
  readonly [name: string]: Library
  (...args: readonly unknown[]): Library
}

const ee = createRequire(import.meta.url)('@google/earthengine') as Library
const S2 = 'COPERNICUS/S2_SR_HARMONIZED'
const CLOUDS = 'CLOUDY_PIXEL_PERCENTAGE'

let server: LocalEarthEngine
beforeAll(async () => {
  server = await startLocalEarthEngine({ features: [], threads: 1 })
  await new Promise<void>((resolve, reject) => {
    ee.initialize!(server.url, null, resolve, (message: string) => reject(new Error(message)), null, 'p')
  })
})
afterAll(() => server?.close())

const evaluated = (computed: Library): Promise<unknown> =>
  new Promise((resolve, reject) => {
    computed.evaluate!((value: unknown, error?: string) => (error ? reject(new Error(error)) : resolve(value)))
  })

const rectangle = () => ee.Geometry!.Rectangle!([7.4, 46.7, 7.5, 46.8])
const images = () => ee.ImageCollection!(S2).filterBounds!(rectangle()).filterDate!('2020-01-01', '2021-01-01')

test('filterDate and filterBounds keep the images of that time and place', async () => {
  const times = (await evaluated(images().aggregate_array!('system:time_start'))) as number[]
  expect(times.length).toBeGreaterThan(50)
  for (const time of times) expect(new Date(time).getUTCFullYear()).toBe(2020)
  const other = ee.ImageCollection!(S2).filterBounds!(ee.Geometry!.Point!([7.45, 46.75])).filterDate!('2020-06-01')
  // Without an end it is one millisecond.
  expect(await evaluated(other.size!())).toBe(0)
})

test('sort, limit and reduceColumns return the clearest images with their ids', async () => {
  const best = images().sort!(CLOUDS).limit!(5)
  const { list } = (await evaluated(best.reduceColumns!(ee.Reducer!.toList!(2), ['system:index', CLOUDS]))) as {
    list: [string, number][]
  }
  const clouds = list.map(([, cloud]) => cloud)
  expect(clouds).toHaveLength(5)
  expect(clouds).toEqual(clouds.toSorted((a, b) => a - b))
  const all = (await evaluated(images().aggregate_array!(CLOUDS))) as number[]
  expect(clouds).toEqual(all.toSorted((a, b) => a - b).slice(0, 5))
})

test('filters combine with and, or and not', async () => {
  const { Filter } = ee
  const count = (filter: Library) => evaluated(images().filter!(filter).size!()) as Promise<number>
  const clear = Filter!.lt!(CLOUDS, 10)
  const first = Filter!.eq!('SPACECRAFT_NAME', 'Sentinel-2A')
  const [all, a, b, both, either, neither] = [
    (await evaluated(images().size!())) as number,
    await count(clear),
    await count(first),
    await count(Filter!.and!(clear, first)),
    await count(Filter!.or!(clear, first)),
    await count(Filter!.or!(clear, first).not!()),
  ]
  expect(either).toBe(a + b - both)
  expect(neither).toBe(all - either)
  expect(await count(Filter!.inList!('SPACECRAFT_NAME', ['Sentinel-2B']))).toBe(all - b)
})

test('a function mapped over images is applied to each', async () => {
  const some = images().limit!(4)
  const doubled = some.map!((image: Library) => image.set!('twice', ee.Number!(image.get!(CLOUDS)).multiply!(2)))
  const [once, twice] = [
    await evaluated(some.aggregate_array!(CLOUDS)),
    await evaluated(doubled.aggregate_array!('twice')),
  ]
  expect(twice).toEqual((once as number[]).map((cloud) => cloud * 2))
})

test('an image has its id, bands, time and bounds, and is the same when loaded by its id', async () => {
  const first = (await evaluated(images().first!())) as { id: string; bands: { id: string }[]; properties: object }
  expect(first.id).toMatch(new RegExp(`^${S2}/`))
  expect(first.bands.map(({ id }) => id)).toEqual(expect.arrayContaining(['B4', 'B3', 'B2', 'SCL']))
  expect(await evaluated(ee.Image!(first.id))).toEqual(first)
  const bounds = (await evaluated(images().first!().geometry!().bounds!())) as { coordinates: [number, number][][] }
  const [xs, ys] = [0, 1].map((axis) => bounds.coordinates[0]!.map((position) => position[axis]!)) as [
    number[],
    number[],
  ]
  expect(Math.min(...xs)).toBeLessThan(7.5)
  expect(Math.max(...xs)).toBeGreaterThan(7.4)
  expect(Math.min(...ys)).toBeLessThan(46.8)
  expect(Math.max(...ys)).toBeGreaterThan(46.7)
})

test('the first of an empty collection and a missing image fail with Earth Engine’s messages', async () => {
  const none = ee.ImageCollection!(S2).filterDate!('1990-01-01', '1991-01-01').first!()
  await expect(evaluated(none.select!(['B4']))).rejects.toThrow(
    "Image.select: Parameter 'input' is required and may not be null.",
  )
  await expect(evaluated(ee.Image!(`${S2}/nothing`).bandNames!())).rejects.toThrow(
    'not found (does not exist or caller does not have access)',
  )
})
