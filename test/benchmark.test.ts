// @module-tag slow
/** Benchmark sets of a dataset: made by a build or afterwards, checked, and gone with their settings. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { shippedTable } from '../packages/benchmark/src/sets/index.ts'
import { createCaptioner } from '../packages/captioner/src/index.ts'
import { BENCHMARK_SETS, sha256 } from '../packages/core/src/index.ts'
import { filesOf, makeFolder } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { buildHere, type Drawn, type Settings, smallRegion, writeMap } from './support/small-map.ts'
import { MODEL } from './support/town.ts'

const CLASSES = [
  { natural: 'beach' },
  { building: 'church' },
  { building: 'greenhouse' },
  { man_made: 'storage_tank' },
  { amenity: 'parking' },
  { leisure: 'swimming_pool' },
]
/** A grid of squares, each class in turn, 300 m apart. */
const MAP: readonly Drawn[] = Array.from({ length: 36 }, (_, i) => ({
  id: i + 1,
  tags: CLASSES[(i * 5 + Math.floor(i / 12)) % CLASSES.length]!,
  at: [[(i % 9) * 300 - 2700, Math.floor(i / 9) * 300]],
  half: 4 + (i % 5),
}))
const SPLIT = { by: 'block', degrees: 0.002, val: 5, test: 5 }
const filter = { scorers: [{ name: 'openai', model: MODEL }], val: 2, test: 2, split: { ...SPLIT, benchmark: 20 } }

let folder: Awaited<ReturnType<typeof makeFolder>>
const at = (...names: string[]) => join(folder.path, ...names)
const region = (output: string, changes: Settings = {}) =>
  smallRegion(at('map.osm.pbf'), at(output), {
    imagery: { sources: ['CH'], earthEngine: { endpoint: 'local' } },
    filter,
    ...changes,
  })
const SETS = { perClass: 1, sets: ['SkyScript_cls', 'SkyScript_retrieval'] }

beforeAll(async () => {
  folder = await makeFolder('benchmark')
  await writeMap(at('map.osm.pbf'), MAP)
  await buildHere(region('plain'), folder.path)
  await cp(at('plain'), at('sets'), { recursive: true })
  await buildHere(region('sets', { benchmarks: SETS }), folder.path)
}, 120_000)
afterAll(() => folder?.remove())

const verified = async (name: string) => JSON.parse((await skyscriptHere(['verify', at(name), '--json'])).stdout)

test('a build writes the sets that its settings ask for, and verify finds no fault', async () => {
  const files = Object.keys(filesOf(at('sets')))
  expect(files.filter((path) => path.startsWith('SkyScript_'))).toEqual([
    'SkyScript_cls/benchmark.json',
    'SkyScript_cls/classnames.txt',
    'SkyScript_cls/img_txt_pairs_val.csv',
    'SkyScript_retrieval/benchmark.json',
    'SkyScript_retrieval/img_txt_pairs_test.csv',
  ])
  const lock = JSON.parse(readFileSync(at('sets', 'dataset.lock.json'), 'utf8'))
  expect(lock.benchmarks.SkyScript_cls.classes).toBeGreaterThanOrEqual(5)
  expect((await verified('sets')).faults).toEqual([])
})

test('the command makes the same bytes as a build with these settings, and a build without them removes the sets', async () => {
  await cp(at('plain'), at('later'), { recursive: true })
  const made = await skyscriptHere([
    'benchmark',
    at('later'),
    '--per-class',
    '1',
    '--sets',
    'SkyScript_cls,SkyScript_retrieval',
    '--json',
  ])
  expect(made.code).toBe(0)
  expect(Object.keys(JSON.parse(made.stdout).sets)).toEqual(['SkyScript_cls', 'SkyScript_retrieval'])
  expect(filesOf(at('later'))).toEqual(filesOf(at('sets')))
  expect(made.stderr).toContain('region file')
  await buildHere(region('later'), folder.path)
  expect(filesOf(at('later'))).toEqual(filesOf(at('plain')))
  writeFileSync(at('cut.yaml'), stringify({ name: 'Small', filter, benchmarks: SETS }))
  expect((await skyscriptHere(['cut', at('later'), '--config', at('cut.yaml')])).code).toBe(0)
  expect(filesOf(at('later'))).toEqual(filesOf(at('sets')))
})

test('sets of the original unpacked in the dataset stay, and are never replaced', async () => {
  const path = 'SkyScript_cls/img_txt_pairs_val.csv'
  await cp(at('plain'), at('foreign'), { recursive: true })
  mkdirSync(at('foreign/SkyScript_cls'))
  writeFileSync(at('foreign', path), 'filepath,title,label\n')
  const before = filesOf(at('foreign'))
  const made = await skyscriptHere(['benchmark', at('foreign'), '--per-class', '1', '--sets', 'SkyScript_cls'])
  expect([made.code, made.stderr]).toEqual([1, expect.stringContaining(`${path}, which skyscript did not write`)])
  expect(filesOf(at('foreign'))).toEqual(before)
  const retrieval = ['benchmark', at('foreign'), '--sets', 'SkyScript_retrieval']
  expect((await skyscriptHere(retrieval)).code).toBe(0)
  expect(readFileSync(at('foreign', path), 'utf8')).toBe('filepath,title,label\n')
  expect((await verified('foreign')).faults).toEqual([])
})

test('a set that a user describes is made from a table, and a table that can’t be used is named', async () => {
  const table = `class,tags\n${CLASSES.map((tags, i) => `kind ${i},${Object.entries(tags).map((tag) => tag.join('=')).join('+')}\n`).join('')}` // biome-ignore format: one text
  writeFileSync(at('kinds.csv'), table)
  await cp(at('sets'), at('own'), { recursive: true })
  const made = await skyscriptHere(['benchmark', at('own'), '--own', `kinds=${at('kinds.csv')}`, '--per-class', '1'])
  expect(made.stdout).toContain('benchmarks/kinds')
  expect(readFileSync(at('own', 'benchmarks/kinds/classnames.txt'), 'utf8')).toContain('kind 3\n')
  expect((await verified('own')).faults).toEqual([])
  writeFileSync(at('kinds.csv'), 'class,tags\nx,y\n')
  const refused = await skyscriptHere(['benchmark', at('own'), '--own', `kinds=${at('kinds.csv')}`])
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('kinds.csv, line 2')])
  expect((await verified('own')).faults).toEqual([])
})

test('the report links a page of the sets with samples of each class, and README.md describes them', async () => {
  const read = (path: string) => readFileSync(at('sets', path), 'utf8')
  const lock = JSON.parse(read('dataset.lock.json'))
  const classes = read('SkyScript_cls/classnames.txt').trim().split('\n')
  const page = read('report/benchmarks.html')
  expect(lock.files['report/benchmarks.html']).toBe(sha256(page))
  for (const name of classes) expect(page.includes(`<bdi>${name}: 1 of 1</bdi>`), name).toBe(true)
  expect(page.match(/<img /g)!.length).toBe(classes.length + lock.benchmarks.SkyScript_retrieval.images)
  expect(read('report/index.html').includes('<a href="benchmarks.html#SkyScript_cls">')).toBe(true)
  expect(read('README.md')).toContain(`| ${classes.length}: ${classes.join(', ')} |`)
  // Results depend on more than the dataset, so their page is not in the lock.
  expect(read('report/evaluations.html')).toContain('None yet')
  expect(lock.files['report/evaluations.html']).toBeUndefined()
  for (const path of ['report/benchmarks.html', 'report/evaluations.html'])
    expect(filesOf(at('plain'))[path] ?? null, path).toBeNull()
  // A file of results that can't be read stops nothing.
  await cp(at('plain'), at('unread'), { recursive: true })
  writeFileSync(at('unread', 'evaluations.json'), '{')
  const made = await skyscriptHere(['benchmark', at('unread'), '--per-class', '1', '--sets', 'SkyScript_cls'])
  expect([made.code, made.stderr]).toEqual([0, expect.stringContaining('evaluations.json is not valid')])
})

test('exported for CLIP_benchmark, a set has training images of its classes for a linear probe', async () => {
  const { code, stderr } = await skyscriptHere(['export', at('sets'), '--format', 'clip-benchmark', '--to', at('clip')])
  expect(code, stderr).toBe(0)
  const keys = (part: string) =>
    readFileSync(at('clip/SkyScript_cls', part, '0.tar'), 'latin1').match(/[nwa]\d+_CH_\d*\.jpg/g)!
  const rows = readFileSync(at('sets/Small_train_unfiltered_5M.csv'), 'utf8')
  expect(keys('train').length).toBeGreaterThan(5)
  for (const key of keys('train')) expect(rows).toContain(key)
  for (const key of keys('test')) expect(rows).not.toContain(key)
})

test('sets that can’t be made end with 1 and a sentence that says why', async () => {
  await cp(at('sets'), at('none'), { recursive: true })
  const { code, stderr } = await skyscriptHere([
    'benchmark',
    at('none'),
    '--per-class',
    '500',
    '--sets',
    'SkyScript_cls',
  ])
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /SkyScript_cls not made: 0 classes of 70 have 500 images, and a set needs 5; perClass: \d+ would give/,
  )
})

test.each([
  ['a label of another class', (csv: string) => csv.replace(/,[a-z ]+\n$/, ',volcano\n'), /is not in the class list/],
  [
    'an image of training',
    (csv: string) => csv.replace(/^images.*?,/m, `${trained()},`),
    /of the split train|captions/,
  ],
  ['a row less', (csv: string) => csv.replace(/\n.*\n$/, '\n'), /its record says/],
])('verify finds %s', async (_, change, message) => {
  await rm(at('changed'), { recursive: true, force: true })
  await cp(at('sets'), at('changed'), { recursive: true })
  const path = 'SkyScript_cls/img_txt_pairs_val.csv'
  const csv = change(readFileSync(at('changed', path), 'utf8'))
  writeFileSync(at('changed', path), csv)
  // The change is not to be found by hashes: record and lock have that of the changed file.
  for (const name of ['SkyScript_cls/benchmark.json', 'dataset.lock.json']) {
    const text = readFileSync(at('changed', name), 'utf8')
    writeFileSync(at('changed', name), text.replaceAll(sha256(readFileSync(at('sets', path))), sha256(csv)))
  }
  const { faults } = await verified('changed')
  expect(faults.map((fault: { message: string }) => fault.message).join('\n')).toMatch(message)
})

test('verify finds pairs that are neither in a set nor counted as left out', async () => {
  await cp(at('sets'), at('uncounted'), { recursive: true })
  const record = JSON.parse(readFileSync(at('uncounted/SkyScript_cls/benchmark.json'), 'utf8'))
  record.excluded['no-class'] = 1
  writeFileSync(at('uncounted/SkyScript_cls/benchmark.json'), JSON.stringify(record))
  const { faults } = await verified('uncounted')
  expect(faults).toContainEqual(
    expect.objectContaining({ message: expect.stringMatching(/counts \d+ pairs in the set/) }),
  )
})

const trained = () => readFileSync(at('sets', 'Small_train_unfiltered_5M.csv'), 'utf8').split('\n')[1]!.split(',')[0]!

test('labels of fine-grained sets are what captions say of the tag', () => {
  const captioner = createCaptioner()
  for (const set of BENCHMARK_SETS) {
    if (set === 'SkyScript_cls' || set === 'SkyScript_retrieval') continue
    for (const { name, tags } of shippedTable(set)) {
      const [, tag] = tags[0]!
      expect(captioner.caption(Object.fromEntries([tag!]), []).title).toBe(`a satellite image of ${name}`)
    }
  }
})
