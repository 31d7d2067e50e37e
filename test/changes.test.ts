// @module-tag slow
/** What a build changed: `changes.json`, its page, and `skyscript diff`, on maps of a dozen objects. */
import { globSync, readFileSync } from 'node:fs'
import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { stringify } from 'yaml'
import { getJson, type Storage } from '../packages/core/src/index.ts'
import { type LocalEarthEngine, startLocalEarthEngine } from '../packages/local-earth-engine/src/index.ts'
import { openStorage } from '../packages/worker/src/storages/storages.ts'
import { startS3 } from './support/s3.ts'
import { filesOf, makeFolder, sha256 } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import {
  buildHere,
  type Drawn,
  type Settings,
  SMALL_TOWN,
  smallRegion,
  writeFeatures,
  writeMap,
} from './support/small-map.ts'
import { CACHE_BYTES } from './support/town.ts'

const EDITED = { version: 2, timestamp: '2021-05-01T00:00:00Z' }
const TOWN = [
  ...SMALL_TOWN.filter(({ id }) => id !== 13),
  { id: 40, tags: { amenity: 'fountain' }, at: [[60, -60]] as const },
]
/** Another tag, another place of a way's nodes, a new time of an edit, an object less and one more. */
const CHANGED: Drawn[] = [
  ...TOWN.filter(({ id }) => id !== 40).map((each) => {
    if (each.id === 9) return { ...each, tags: { natural: 'tree' }, ...EDITED }
    if (each.id === 2) return { ...each, at: [[16, 25]] as const }
    return each.id === 12 ? { ...each, ...EDITED } : each
  }),
  { id: 30, tags: { leisure: 'swimming_pool' }, at: [[60, 70]], half: 8 },
]

let folder: Awaited<ReturnType<typeof makeFolder>>
let earthEngine: LocalEarthEngine
const at = (...names: string[]) => join(folder.path, ...names)

beforeAll(async () => {
  folder = await makeFolder('changes')
  await writeMap(at('a.osm.pbf'), TOWN)
  await writeMap(at('b.osm.pbf'), CHANGED)
  const features = await writeFeatures(at('a.osm.pbf'), at('features'))
  earthEngine = await startLocalEarthEngine({ features: [features], threads: 1, cacheBytes: CACHE_BYTES })
  await build('first', 'a')
}, 120_000)
afterAll(async () => {
  await earthEngine?.close()
  await folder?.remove()
})

function region(output: string, map: string, changes: Settings = {}): Settings {
  const imagery = { sources: ['CH', 'S2'], earthEngine: { endpoint: earthEngine.url, project: 'p' } }
  return smallRegion(at('map.osm.pbf'), at(output), { imagery, ...changes, osm: { source: at(`${map}.osm.pbf`) } })
}

const build = (output: string, map: string, changes?: Settings, wrap?: (storage: Storage) => Storage) =>
  buildHere(region(output, map, changes), folder.path, wrap)
const recordOf = (output: string) => JSON.parse(readFileSync(at(output, 'changes.json'), 'utf8'))
const pageOf = (output: string) => readFileSync(at(output, 'report', 'changes.html'), 'utf8')

async function copyOfFirst(output: string): Promise<void> {
  await rm(at(output), { recursive: true, force: true })
  await cp(at('first'), at(output), { recursive: true, preserveTimestamps: true })
}

test('a first build added all pairs', async () => {
  const { before, pairs } = recordOf('first')
  expect(before).toBeNull()
  expect(pairs.counts).toMatchObject({ before: 0, after: 12, added: 12, removed: 0, changed: 0 })
  expect(pairs.added).toHaveLength(12)
  expect(pageOf('first')).toContain('all 12 pairs are new')
})

test('after a change of the map, changes.json is what diff finds, with reasons, and the page shows both images', async () => {
  await copyOfFirst('out')
  const { changes } = await build('out', 'b')
  const record = recordOf('out')
  const { stdout } = await skyscriptHere(['diff', at('first'), at('out'), '--json'])
  expect(record).toEqual(JSON.parse(stdout))
  const { added, removed, changed, counts } = record.pairs
  expect([added, removed]).toEqual([['a30'], ['n40']])
  const reasons = Object.fromEntries(changed.map((each: { id: string; reasons: string[] }) => [each.id, each.reasons]))
  expect(reasons).toEqual({
    a2: ['geometry', 'image', 'score'],
    n9: ['tags', 'caption', 'score'],
  })
  expect(counts).toMatchObject({ before: 12, after: 12, added: 1, removed: 1, changed: 2, same: 9, metadata: 1 })
  expect(changes).toMatchObject({ first: false, counts: { added: 1 } })
  expect(record.pairs.csvs.map(({ set }: { set: string }) => set)).toContain('train_unfiltered')

  const page = pageOf('out')
  expect(page).toMatch(/alt="before: images\d\/a2_CH_\d\d.jpg".*alt="after: images\d\/a2_CH_\d\d.jpg"/)
  expect(page).toMatch(/alt="before: images\d\/n40_CH_\d\d.jpg"/)
  expect(page).toContain('amenity=fountain</bdi></del><br><ins><bdi>natural=tree')
  expect(page).not.toMatch(/image not kept|<script|<link|@import|url\(|src="(?!data:)|href="(?!index.html")/)
  expect((await skyscriptHere(['verify', at('out')])).stdout).toContain('No fault found')

  const before = [sha256(await readFile(at('out', 'changes.json'))), sha256(Buffer.from(page))]
  expect((await build('out', 'b')).changes).toBeNull()
  expect([sha256(await readFile(at('out', 'changes.json'))), sha256(Buffer.from(pageOf('out')))]).toEqual(before)
})

test('the command ends with what it changed, and diff with the exit code that was asked for', async () => {
  await copyOfFirst('told')
  await writeFile(at('told.yaml'), stringify(region('told', 'b')))
  const { stdout } = await skyscriptHere(['build', at('told.yaml')])
  const line =
    'changed since the last build: 1 pair added, 1 removed, 2 changed (1 tags, 1 geometry, 1 image, 1 caption, 2 score)'
  expect(stdout).toContain(line)
  const differing = await skyscriptHere([
    'diff',
    at('first', 'dataset.lock.json'),
    at('told'),
    '--exit-code',
    '--limit',
    '1',
  ])
  expect([differing.code, differing.stdout]).toEqual([
    1,
    expect.stringMatching(/\n~ a2 {2}geometry, image, score\nand 3 other pairs\n$/),
  ])
  expect((await skyscriptHere(['diff', at('first'), at('told')])).code).toBe(0)
  expect(await skyscriptHere(['diff', at('first'), at('first'), '--exit-code'])).toMatchObject({ code: 0 })
  const missing = await skyscriptHere(['diff', at('first'), at('nowhere')])
  expect([missing.code, missing.stderr]).toEqual([
    1,
    expect.stringMatching(/^skyscript: There is no folder .*nowhere; .*\n$/),
  ])
})

test('another caption setting changes captions and scores, another split only splits, and both are named', async () => {
  await copyOfFirst('settings')
  await build('settings', 'a', { captions: { templates: ['it-shows'] } })
  const captions = recordOf('settings')
  expect(captions.settings).toEqual([{ setting: 'captions.templates', before: ['skyscript'], after: ['it-shows'] }])
  expect(captions.pairs.reasons).toMatchObject({
    tags: 0,
    geometry: 0,
    surroundings: 0,
    image: 0,
    caption: 12,
    split: 0,
  })

  await copyOfFirst('settings')
  await writeFile(at('cut.yaml'), stringify({ name: 'Small', filter: { scorers: [{ name: 'openai', model: 'm' }], val: 2, test: 2, split: { by: 'block', degrees: 0.002, val: 20, test: 20 } } })) // biome-ignore format: one file
  expect(await skyscriptHere(['cut', at('settings'), '--config', at('cut.yaml')])).toMatchObject({ code: 0, stderr: expect.stringMatching(/Changed: \d+ pairs? changed \(\d+ split\)/) }) // biome-ignore format: one claim
  const { reasons, counts } = recordOf('settings').pairs
  expect(Object.entries(reasons).filter(([, n]) => n !== 0)).toEqual([['split', counts.changed]])
})

/** Nothing is written any more from the first put of a key that matches. */
const killedAt =
  (pattern: RegExp) =>
  (storage: Storage): Storage => {
    let isKilled = false
    const unlessKilled = (key: string) => {
      isKilled ||= pattern.test(key)
      if (isKilled) throw new Error('killed')
    }
    return {
      ...storage,
      async put(key, value) {
        unlessKilled(key)
        await storage.put(key, value)
      },
      async delete(key) {
        if (isKilled) throw new Error('killed')
        await storage.delete(key)
      },
    }
  }

test.each([
  ['while it keeps the pairs', /^work\/before\/manifest/],
  ['while it keeps the lock', /^work\/before\/dataset.lock.json/],
  ['at an image', /^images/],
  ['at the manifest', /^manifest.parquet/],
  ['at a CSV', /_train_unfiltered_5M.csv/],
  ['at changes.json', /^changes.json/],
  ['at the lock', /^dataset.lock.json/],
])('a build that is stopped %s still says what it changed once it is run again', async (_when, pattern) => {
  await copyOfFirst('killed')
  await expect(build('killed', 'b', {}, killedAt(pattern))).rejects.toThrow('killed')
  await build('killed', 'b')
  expect(recordOf('killed')).toEqual(recordOf('out'))
  expect(pageOf('killed')).not.toContain('image not kept')
  expect(filesOf(at('killed'))).toEqual(filesOf(at('out')))
})

test('a build that is stopped right after its lock has recorded its changes, and the next one starts from its dataset', async () => {
  await copyOfFirst('late')
  const killedOnceLocked = (storage: Storage): Storage => {
    let isLocked = false
    return {
      ...storage,
      async put(key, value) {
        await storage.put(key, value)
        isLocked ||= key === 'dataset.lock.json'
      },
      async delete(key) {
        if (isLocked) throw new Error('killed')
        await storage.delete(key)
      },
    }
  }
  await expect(build('late', 'b', {}, killedOnceLocked)).rejects.toThrow('killed')
  expect(recordOf('late')).toEqual(recordOf('out'))
  expect((await build('late', 'b')).changes).toBeNull()
  expect(recordOf('late')).toEqual(recordOf('out'))
  await build('late', 'a')
  const { added, removed, counts } = recordOf('late').pairs
  expect([added, removed, counts.changed]).toEqual([['n40'], ['a30'], 2])
  expect(globSync('work/before/**/*.*', { cwd: at('late') })).toEqual([])
})

test('changes that were recorded and never published are forgotten once the old map is built again', async () => {
  await copyOfFirst('reverted')
  await expect(build('reverted', 'b', {}, killedAt(/^dataset.lock.json/))).rejects.toThrow('killed')
  expect(recordOf('reverted').before).not.toBeNull()
  expect((await build('reverted', 'a')).changes).toBeNull()
  expect(recordOf('reverted')).toEqual(recordOf('first'))
  expect(filesOf(at('reverted'))).toEqual(filesOf(at('first')))
})

test.each([
  ['is no Parquet file', () => Buffer.from('damaged')],
  ['has other bytes in the middle', (bytes: Buffer) => bytes.fill(0xff, 200, 4000)],
])('a manifest that %s does not stop the next build, which then counts all pairs as added', async (_what, damage) => {
  await copyOfFirst('damaged')
  const manifest = at('damaged', 'manifest.parquet')
  await writeFile(manifest, damage(await readFile(manifest)))
  await build('damaged', 'b')
  expect(recordOf('damaged')).toMatchObject({ before: null, pairs: { counts: { added: 12, removed: 0 } } })
  expect(filesOf(at('damaged'))).toEqual(filesOf(at('out')))
})

test('a CSV that is missing or was edited before the build counts as none, and pairs are compared as ever', async () => {
  await copyOfFirst('csvs')
  const sets = recordOf('first').pairs.csvs as { set: string; after: string }[]
  const [missing, edited] = sets as [(typeof sets)[0], (typeof sets)[0]]
  await rm(at('csvs', missing.after))
  await appendFile(at('csvs', edited.after), 'images2/n7_S2_20.jpg,x,x,0\n')
  await build('csvs', 'b')
  const { csvs, ...pairs } = recordOf('csvs').pairs
  const before = csvs.filter(({ set }: { set: string }) => [missing.set, edited.set].includes(set))
  expect(before).toMatchObject([{ before: null, left: [] }, { before: null, left: [] }]) // biome-ignore format: one claim
  expect(pairs.counts).toEqual(recordOf('out').pairs.counts)
})

test('a build into a bucket records the same changes, and a bucket is compared with a folder', async () => {
  const s3 = await startS3()
  for (const [name, value] of Object.entries(s3.env)) vi.stubEnv(name, value)
  try {
    const output = `${s3.url}/small`
    const into = (map: string) => buildHere({ ...region('out', map), output }, folder.path)
    await into('a')
    expect(await skyscriptHere(['diff', `${output}/dataset.lock.json`, at('first'), '--exit-code'])).toMatchObject({ code: 0 }) // biome-ignore format: one claim
    await into('b')
    const { stdout } = await skyscriptHere(['diff', at('first'), output, '--json'])
    expect(JSON.parse(stdout)).toEqual(recordOf('out'))
    const storage = await openStorage(output)
    expect(await getJson(storage, 'changes.json')).toEqual(recordOf('out'))
    expect(Buffer.from((await storage.get('report/changes.html'))!).toString()).toBe(pageOf('out'))
  } finally {
    vi.unstubAllEnvs()
    await s3.stop()
  }
})

test('a dataset that was copied without work/ is compared too', async () => {
  await copyOfFirst('bare')
  await rm(at('bare', 'work'), { recursive: true })
  await build('bare', 'b')
  expect(recordOf('bare')).toEqual(recordOf('out'))
})
