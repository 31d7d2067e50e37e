// @module-tag slow
/** Imagery as its settings ask for it: other sources, other choices, a budget, and what a plan says of it all. */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeArrayBuffer } from 'geotiff'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startFaultProxy } from './support/fault-proxy.ts'
import { filesOf, makeFolder, writeRegion } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { SMALL_TOWN, startSmallTown } from './support/small-map.ts'
import type { Town } from './support/town.ts'

// Pauses between tries last a twentieth.
vi.mock('../packages/gee-fetch/src/pause.ts', async (original) => {
  const real = await original<typeof import('../packages/gee-fetch/src/pause.ts')>()
  return { ...real, pause: (ms: number, signal?: AbortSignal) => real.pause(ms / 20, signal) }
})

let folder: Awaited<ReturnType<typeof makeFolder>>
let town: Town
let whole: Record<string, string>
const at = (...names: string[]) => join(folder.path, ...names)

/** The town's region with other settings of its imagery. */
async function region(name: string, imagery: object = {}, earthEngine: object = {}): Promise<string> {
  const settings = town.region(at(name)) as { imagery: { earthEngine: object } }
  const own = { ...settings.imagery, ...imagery, earthEngine: { ...settings.imagery.earthEngine, ...earthEngine } }
  return writeRegion(at(`${name}.yaml`), { ...settings, selection: { maxPerTag: 1 }, imagery: own })
}

async function build(file: string, expected = 0) {
  const { code, stdout, stderr } = await skyscriptHere(['build', file, '--json'])
  expect(code, stderr).toBe(expected)
  return { ...JSON.parse(stdout), stderr } as {
    counts: { kept: number; dropped: Record<string, number>; failed: Record<string, number> }
    stderr: string
  }
}
const plan = async (file: string, ...options: string[]) => {
  const { code, stdout, stderr } = await skyscriptHere(['plan', file, '--json', ...options])
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}
const verify = async (name: string) => {
  const { code, stdout, stderr } = await skyscriptHere(['verify', at(name)])
  expect(code, stdout + stderr).toBe(0)
}
const pixelRequests = () => town.earthEngine.stats().requests.pixels

beforeAll(async () => {
  folder = await makeFolder('imagery')
  vi.stubEnv('SKYSCRIPT_CACHE', at('cache'))
  const secondTree = { id: 15, tags: { natural: 'tree' }, at: [[-50, 60]] as const }
  town = await startSmallTown(folder.path, ['CH', 'P3', 'S2', 'L8'], [...SMALL_TOWN, secondTree])
  await build(await region('whole'))
  whole = filesOf(at('whole'))
}, 120_000)
afterAll(async () => {
  await town?.earthEngine.close()
  await folder?.remove()
})

test('a used-up budget ends a run with a complete dataset of what was fetched, and the next run fetches only the rest', async () => {
  const before = pixelRequests()
  const small = await region('budget', {}, { maxEecuHours: 0.00014, maxConcurrent: 2, grouping: false })
  const { counts, stderr } = await build(small, 2)
  expect(Object.keys(counts.failed)).toEqual(['eecu-budget-used'])
  expect(stderr).toContain('maxEecuHours')
  expect(counts.kept).toBeGreaterThan(3)
  const first = pixelRequests() - before
  const again = await build(small, 2)
  expect(pixelRequests() - before).toBe(first)
  expect(again.counts.kept).toBe(counts.kept)
  await verify('budget')

  await build(await region('budget', {}, { maxEecuHours: 5, grouping: false }))
  const all = pixelRequests() - before
  expect(filesOf(at('budget'))).toEqual(whole)
  const from = pixelRequests()
  await build(await region('apart', {}, { grouping: false }))
  expect(all).toBe(pixelRequests() - from)
}, 120_000)

test('a service that is away for a while costs no image: the build says so, waits, and makes the same dataset', async () => {
  let requests = 0
  let until = Number.POSITIVE_INFINITY
  const proxy = await startFaultProxy(town.earthEngine.url, ({ url }) => {
    if (!url!.endsWith(':computePixels')) return 'ok'
    if (++requests === 4) until = performance.now() + 2_000
    return requests >= 4 && performance.now() < until ? 503 : 'ok'
  })
  const { counts, stderr } = await build(
    await region('away', {}, { endpoint: proxy.url, mirrorOf: new URL(town.earthEngine.url).host }),
  )
  await proxy.stop()
  expect(counts.failed).toEqual({})
  expect(stderr).toMatch(/Earth Engine has answered 503 for \d+ s; waiting, up to 10 min/)
  expect(stderr).toContain('Earth Engine answers again.')
  expect(filesOf(at('away'))).toEqual(whole)
}, 240_000)

test('a service that stays away longer than the patience ends the build with 2, and the next build makes it whole', async () => {
  let requests = 0
  let isAway = true
  const proxy = await startFaultProxy(town.earthEngine.url, ({ url }) =>
    isAway && url!.endsWith(':computePixels') && ++requests > 5 ? 503 : 'ok',
  )
  const file = await region(
    'impatient',
    { patience: 0.02 },
    { endpoint: proxy.url, mirrorOf: new URL(town.earthEngine.url).host },
  )
  const { counts, stderr } = await build(file, 2)
  expect(Object.keys(counts.failed)).toEqual(['service-unavailable'])
  expect(stderr).toMatch(/objects? failed \(service-unavailable\): Earth Engine has answered 503/)
  isAway = false
  const again = await build(file)
  await proxy.stop()
  expect(again.counts.failed).toEqual({})
  expect(filesOf(at('impatient'))).toEqual(whole)
}, 240_000)

test('a plan counts objects by tag and reason, images by source and year, and what is still to fetch', async () => {
  await cp(at('whole'), at('planned'), { recursive: true })
  const file = await region('planned')
  const fresh = await plan(await region('unbuilt'))
  expect(fresh.toFetch).toBe(fresh.objects.planned)
  const sums = Object.values(fresh.years as Record<string, Record<string, number>>).map((years) => Object.values(years))
  expect(sums.flat().reduce((a, b) => a + b, 0)).toBe(fresh.objects.planned)
  for (const years of Object.values(fresh.years))
    for (const year of Object.keys(years as object)) expect(year).toMatch(/^20[12]\d$/)
  const outcomes = Object.values(fresh.objects.tags as Record<string, Record<string, number>>)
  expect(Math.max(...outcomes.map((each) => each.planned ?? 0))).toBe(1)
  expect(outcomes.some((each) => (each['over-max-per-tag'] ?? 0) > 0)).toBe(true)

  const whenBuilt = await plan(file)
  expect(whenBuilt).toMatchObject({
    toFetch: 0,
    requests: { pixels: 0, saved: 0 },
    bytes: { stored: 0 },
    eecuHours: null,
  })
  expect(whenBuilt.objects).toEqual(fresh.objects)
})

test('a probe learns what pixels cost, once, and a build warns where that is more than is left', async () => {
  const file = await region('probed', {}, { maxEecuHours: 0.0006, project: 'probe-test' })
  const before = pixelRequests()
  const { probe, eecuHours, budget } = await plan(file, '--probe')
  expect(probe.images).toBeGreaterThanOrEqual(10)
  expect(pixelRequests() - before).toBeGreaterThan(5)
  // The local server's model: 0.05 EECU-seconds a request and 0.4 a million pixels.
  expect(probe.eecuSeconds).toBeCloseTo(0.05 * (pixelRequests() - before) + (0.4 * probe.pixels) / 1e6, 2)
  expect(eecuHours).toBeGreaterThan(0)
  expect(budget).toMatchObject({ limit: 0.0006, share: expect.closeTo(eecuHours / 0.0006, 6) })
  expect(budget.used).toBeGreaterThan(0)
  const asked = pixelRequests()
  expect((await plan(file, '--probe')).probe).toEqual(probe)
  expect((await plan(file)).probe).toBe(null)
  expect(pixelRequests()).toBe(asked)
  await region('probed', {}, { maxEecuHours: budget.used + eecuHours / 2, project: 'probe-test' })
  const { stderr } = await skyscriptHere(['build', file])
  expect(stderr).toMatch(/The plan takes about .* EECU-hours, and .* are left of this month's/)
}, 120_000)

test('stricter checks judge what was measured and fetch only other images, as the plan predicts', async () => {
  await cp(at('whole'), at('strict'), { recursive: true })
  const before = pixelRequests()
  const { toFetch, objects } = await plan(await region('strict', { checks: { minDeviation: 12 } }))
  expect(toFetch).toBeGreaterThan(0)
  expect(toFetch).toBeLessThan(objects.planned / 2)
  const { counts } = await build(await region('strict', { checks: { minDeviation: 12 } }))
  const asked = pixelRequests() - before
  expect(counts.dropped['image-blank']).toBeGreaterThan(0)
  const from = pixelRequests()
  await build(await region('strict-fresh', { checks: { minDeviation: 12 } }))
  expect(asked).toBeLessThan(pixelRequests() - from)
  expect(filesOf(at('strict'))).toEqual(filesOf(at('strict-fresh')))
  await build(await region('strict'))
  expect(filesOf(at('strict'))).toEqual(whole)
}, 120_000)

test('the report shows what each check rejected', async () => {
  const report = await readFile(at('strict-fresh', 'report', 'index.html'), 'utf8')
  expect(report).toContain('Images that were looked at and not taken')
  expect(report).toContain('image-blank')
})

test('a source of the settings, in Earth Engine or in files, needs no code: its images, credit and licence are its own', async () => {
  await mkdir(at('files'))
  const size = 750
  const values = new Uint8Array(size * size * 3)
  for (let i = 0; i < values.length; i++) values[i] = 40 + ((i * 7) % 150) + (Math.floor(i / size / 30) % 5) * 9
  const [west, north, step] = [7.4955, 46.7222, 0.00001]
  const bytes = writeArrayBuffer(values, {
    width: size,
    height: size,
    SamplesPerPixel: [3],
    PhotometricInterpretation: 2,
    ModelPixelScale: [step, step, 0],
    ModelTiepoint: [0, 0, 0, west, north, 0],
    GeographicTypeGeoKey: 4326,
    GTModelTypeGeoKey: 2,
    GTRasterTypeGeoKey: 1,
  } as Parameters<typeof writeArrayBuffer>[1])
  await writeFile(at('files', 'town.tif'), Buffer.from(bytes))
  const sources = [
    {
      kind: 'cog',
      alias: 'MINE',
      files: ['files/town.tif'],
      gsd: 1,
      range: [0, 255],
      licence: 'CC0',
      credit: 'The town',
    },
    {
      alias: 'NIR',
      id: 'COPERNICUS/S2_SR_HARMONIZED',
      bands: ['B8', 'B4', 'B3'],
      range: [0, 4000],
      gsd: 10,
      cloudProperty: 'CLOUDY_PIXEL_PERCENTAGE',
    },
  ]
  const file = await region('own', { sources })
  const doctor = await skyscriptHere(['doctor', file, '--json'])
  const found = new Map(
    (JSON.parse(doctor.stdout) as { name: string; status: string }[]).map(({ name, status }) => [name, status]),
  )
  expect([found.get('source:MINE'), found.get('source:NIR')]).toEqual(['ok', 'ok'])
  const { counts } = await build(file)
  expect(counts.kept).toBeGreaterThan(8)
  const names = Object.keys(filesOf(at('own')))
  expect(names.filter((name) => /_MINE_\.jpg$/.test(name)).length).toBeGreaterThan(5)
  expect(names.filter((name) => /_NIR_\d\d\.jpg$/.test(name)).length).toBeGreaterThan(0)
  const attribution = await readFile(at('own', 'ATTRIBUTION.md'), 'utf8')
  expect(attribution).toContain('The town')
  expect(attribution).toContain('CC0')
  expect(await readFile(at('own', 'dataset.lock.json'), 'utf8')).not.toContain(folder.path)
  await verify('own')
}, 120_000)

test('a collection that is gone is told by doctor, with what is there in its place', async () => {
  const gone = {
    alias: 'OLD',
    id: 'Switzerland/SWISSIMAGE/orthos/25cm',
    bands: ['R', 'G', 'B'],
    range: [0, 255],
    gsd: 0.25,
  }
  const { code, stdout } = await skyscriptHere([
    'doctor',
    await region('gone', { sources: ['CH', 'DE', gone] }),
    '--json',
  ])
  const checks = JSON.parse(stdout) as { name: string; status: string; detail: string; fix?: string }[]
  const of = (name: string) => checks.find((each) => each.name === `source:${name}`)
  expect(of('CH')).toMatchObject({ status: 'ok' })
  expect(of('DE')).toMatchObject({ status: 'ok' })
  expect(of('OLD')).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('Switzerland/SWISSIMAGE/orthos/10cm'),
  })
  expect(code).toBe(1)
})
