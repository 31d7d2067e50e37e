// @module-tag slow
/** Limits, blends and semantic duplicates over a whole build, and in cuts after it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startLocalEarthEngine } from '../packages/local-earth-engine/src/index.ts'
import { filesOf, makeFolder, writeRegion } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { buildHere, type Settings, SMALL_TOWN, smallRegion, writeFeatures, writeMap } from './support/small-map.ts'
import { CACHE_BYTES, MODEL } from './support/town.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
let output: string
const at = (...names: string[]) => join(folder.path, ...names)

const SCORERS = [
  { name: 'openai', model: MODEL },
  { name: 'second', model: MODEL },
]
const filter: Settings = {
  scorers: SCORERS,
  top: [60],
  above: [-1],
  val: 2,
  test: 2,
  split: { by: 'image', val: 10, test: 10 },
  balance: [
    { by: 'source', share: 0.7 },
    { by: 'class', most: 1 },
  ],
  blends: [{ name: 'both', of: ['openai', 'second'] }],
  semanticDuplicates: { above: 0.5 },
}

/** Cuts with settings that differ from those of the build. */
const cut = async (change: Settings) =>
  skyscriptHere(['cut', output, '--config', await writeRegion(at('cut.yaml'), { name: 'Small', filter: { ...filter, ...change } })]) // biome-ignore format: one command

beforeAll(async () => {
  folder = await makeFolder('mixtures')
  process.env.SKYSCRIPT_CACHE = at('cache')
  output = at('out')
  await writeMap(at('map.osm.pbf'), SMALL_TOWN)
  const features = await writeFeatures(at('map.osm.pbf'), at('features'))
  const earthEngine = await startLocalEarthEngine({ features: [features], threads: 1, cacheBytes: CACHE_BYTES })
  const imagery = { sources: ['CH', 'S2'], earthEngine: { endpoint: earthEngine.url, project: 'p' } }
  await buildHere({ ...smallRegion(at('map.osm.pbf'), output, { imagery }), filter }, folder.path)
  await earthEngine.close()
}, 120_000)
afterAll(() => folder?.remove())

const lines = (name: string) => readFileSync(join(output, name), 'utf8').trim().split('\n').slice(1)

test('verify accepts a build with all of them', async () => {
  const { code, stdout } = await skyscriptHere(['verify', output])
  expect(code, stdout).toBe(0)
  const card = readFileSync(join(output, 'README.md'), 'utf8')
  expect(card).toContain('| similarity by mean rank, 0 to 1 | both: openai, second |')
  expect(card).toContain('source at most 0.7 of a file; class at most 1 per file |')
  expect(lines('semantic-duplicates.csv').length).toBeGreaterThan(0)
  const listed = new Set(lines('semantic-duplicates.csv').map((line) => line.split(',')[0]))
  for (const scorer of ['openai', 'second', 'both']) {
    const rows = lines(`Small_train_above-1_filtered_by_CLIP_${scorer}.csv`)
    expect(rows.length).toBeGreaterThan(0)
    for (const row of rows) expect(listed).not.toContain(row.split(',')[0])
  }
}, 60_000)

test('cuts use the stored embeddings with another limit, and the old one gives the old bytes', async () => {
  const before = filesOf(output)
  const fewer = await cut({ semanticDuplicates: { above: 0.99 } })
  expect(fewer.code, fewer.stderr).toBe(0)
  expect(fewer.stderr).toMatch(
    /\d+ of \d+ training pairs look like a more similar pair \(cosines of 0.99 or more by openai\)/,
  )
  expect((await skyscriptHere(['verify', output])).code).toBe(0)
  expect((await cut({})).code).toBe(0)
  expect(filesOf(output)).toEqual(before)
}, 60_000)

test('a cut by embeddings that are not stored is refused, and leaves the dataset as it is', async () => {
  const before = filesOf(output)
  const { code, stderr } = await cut({ semanticDuplicates: { above: 0.9, scorer: 'second' } })
  expect([code, stderr]).toEqual([1, expect.stringContaining('needs embeddings of the images by "second", which are not stored; run skyscript build')]) // biome-ignore format: one claim
  expect(filesOf(output)).toEqual(before)
})
