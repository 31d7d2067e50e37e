// @module-tag slow
/** `imagery.refresh`: whether a dataset takes up newer images that its sources have by now. */
import { readFileSync, writeFileSync } from 'node:fs'
import { cp, glob } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalEarthEngine, startLocalEarthEngine } from '../packages/local-earth-engine/src/index.ts'
import { filesOf, makeFolder } from './support/skyscript.ts'
import { buildHere, SMALL_TOWN, smallRegion, writeFeatures, writeMap } from './support/small-map.ts'
import { CACHE_BYTES } from './support/town.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
/** One Earth Engine, before and after its catalogue has images of two more years. */
let [earlier, later]: LocalEarthEngine[] = []
const at = (...names: string[]) => join(folder.path, ...names)
const MORE = [...SMALL_TOWN, { id: 30, tags: { natural: 'water' }, at: [[-250, -200]] as const, half: 120 }]

beforeAll(async () => {
  folder = await makeFolder('refresh')
  await writeMap(at('before.osm.pbf'), SMALL_TOWN)
  await writeMap(at('after.osm.pbf'), MORE)
  const features = [await writeFeatures(at('after.osm.pbf'), at('features'))]
  const start = (until: string) => startLocalEarthEngine({ features, until, threads: 1, cacheBytes: CACHE_BYTES })
  ;[earlier, later] = [await start('2020-07-01'), await start('2022-07-01')]
  await build('first', earlier)
}, 120_000)
afterAll(async () => {
  await earlier?.close()
  await later?.close()
  await folder?.remove()
})

function build(output: string, server: LocalEarthEngine | undefined, refresh?: string, map = 'before.osm.pbf') {
  const earthEngine = { endpoint: server!.url, mirrorOf: 'earth-engine.example', project: 'p' }
  const imagery = { sources: ['S2'], ...(refresh !== undefined && { refresh }), earthEngine }
  return buildHere(smallRegion(at(map), at(output), { imagery }), folder.path)
}
const copy = async (output: string) => cp(at('first'), at(output), { recursive: true })
const asked = (server: LocalEarthEngine | undefined) => server!.stats().requests
async function images(output: string): Promise<Record<string, unknown>> {
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(at(output, 'manifest.parquet')) })
  return Object.fromEntries(rows.map(({ id, image_id }) => [id as string, image_id]))
}
/** Makes answers older than they are. */
async function age(output: string, days: number) {
  for await (const name of glob('work/candidates/*.json.gz', { cwd: at(output) })) {
    const answers = JSON.parse(gunzipSync(readFileSync(at(output, name))).toString('utf8'))
    for (const answer of Object.values<{ asked: string }>(answers))
      answer.asked = new Date(Date.parse(answer.asked) - days * 86_400_000).toISOString()
    writeFileSync(at(output, name), gzipSync(JSON.stringify(answers)))
  }
}

test('by default newer images change no pair, also where the map changed beside them', async () => {
  await copy('never')
  const before = asked(later)
  const { jobs, refreshed } = await build('never', later)
  expect([jobs, refreshed, asked(later)]).toEqual([{}, {}, before])
  const old = await images('never')
  await build('never', later, undefined, 'after.osm.pbf')
  expect(asked(later).compute - before.compute).toBe(0)
  const now = await images('never')
  expect(now).toMatchObject(old)
  expect(Object.keys(now)).toContain('a30')
  // As if the catalogue had never changed.
  await build('fresh-earlier', earlier, undefined, 'after.osm.pbf')
  expect(filesOf(at('never'))).toEqual(filesOf(at('fresh-earlier')))
}, 60_000)

test('newer images are taken up and counted, and the dataset is that of a fresh build', async () => {
  await copy('newer')
  const old = await images('newer')
  const { refreshed } = await build('newer', later, 'newer')
  expect(refreshed).toEqual({ S2: { images: expect.any(Number), tiles: expect.any(Number) } })
  expect(refreshed.S2!.images).toBeGreaterThan(10)
  const now = await images('newer')
  expect(Object.keys(now)).toEqual(Object.keys(old))
  expect(Object.keys(now).filter((id) => now[id] !== old[id]).length).toBeGreaterThan(1)
  await build('fresh-later', later)
  expect(filesOf(at('newer'))).toEqual(filesOf(at('fresh-later')))
  // Asked again, and nothing is newer.
  const before = asked(later)
  const again = await build('newer', later, 'newer')
  expect([again.jobs, again.refreshed, again.unchanged]).toEqual([{}, {}, true])
  expect(asked(later).compute).toBeGreaterThan(before.compute)
  expect(asked(later).pixels).toBe(before.pixels)
  // A catalogue that lost its newest images takes none away.
  expect((await build('newer', earlier, 'newer')).jobs).toEqual({})
}, 60_000)

test('an age asks only about answers that are older', async () => {
  await copy('age')
  const before = asked(later)
  expect((await build('age', later, '90d')).refreshed).toEqual({})
  expect(asked(later)).toEqual(before)
  await age('age', 91)
  expect((await build('age', later, '90d')).refreshed.S2!.images).toBeGreaterThan(10)
  const after = asked(later)
  expect((await build('age', later, '90d')).jobs).toEqual({})
  expect(asked(later)).toEqual(after)
  expect(await images('age')).toEqual(await images('newer'))
}, 60_000)

test('a source that is away keeps its images, and the build says so', async () => {
  await copy('away')
  const gone = await startLocalEarthEngine({ features: [], threads: 1, denied: ['COPERNICUS/S2_SR_HARMONIZED'] })
  try {
    const { jobs, warnings } = await build('away', gone, 'newer')
    expect(jobs).toEqual({})
    expect(warnings).toMatch(/S2 can't be asked for newer images now \(.*\); its images stay as they are/)
  } finally {
    await gone.close()
  }
}, 60_000)

test('a refresh that is no age is refused', async () => {
  for (const refresh of ['often', '90', '0d', 'always'])
    await expect(build('none', earlier, refresh)).rejects.toThrow(
      /imagery\.refresh: must be never, newer, or an age such as 36h, 90d or 12w/,
    )
})
