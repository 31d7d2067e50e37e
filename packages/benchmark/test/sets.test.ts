import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Box, Tags } from '@skyscript/core'
import { parseBenchmarkText } from '@skyscript/dataset/benchmarks'
import { createHashColumn, matchAgainst, nearDuplicates } from '@skyscript/filter'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assembled, BY_IMAGE, type FILTER, folderStorage, rowOf } from '../../filter/test/support/dataset.ts'
import { createLabeller } from '../src/sets/class-table.ts'
import { type BenchmarkSettings, makeBenchmarks, parseClassTable, shippedTable } from '../src/sets/index.ts'

const SETTINGS: BenchmarkSettings = {
  sets: ['SkyScript_cls', 'roof_shape', 'SkyScript_retrieval'],
  perClass: 3,
  allClasses: false,
  retrieval: 10,
  own: [],
}
const CLASSES: readonly Tags[] = [
  { natural: 'beach' },
  { building: 'church' },
  { waterway: 'dam' },
  { landuse: 'forest' },
  { natural: 'glacier' },
  { amenity: 'hospital' },
]
const NAMES = ['beach', 'church', 'dam', 'forest', 'hospital', 'glacier']

const LOOKS: Parameters<typeof makeBenchmarks>[0]['looks'] = {
  column: createHashColumn,
  match: matchAgainst,
  firstOf: (images) => nearDuplicates(images).firstOf,
}

/** Hashes that differ in some 30 of 64 bits. */
const looks = (n: number) => {
  let state = BigInt(n) * 0x9e3779b97f4a7c15n + 0x1234567n
  state ^= state >> 29n
  return BigInt.asUintN(64, state * 0xbf58476d1ce4e5b9n)
    .toString(16)
    .padStart(16, '0')
}

interface Pair {
  readonly tags: Tags
  readonly phash?: string
}

/** A dataset of such pairs, each in its own block of ground, and its sets. */
async function made(
  pairs: readonly Pair[],
  settings: Partial<BenchmarkSettings> = {},
  split: (typeof FILTER)['split'] = { by: 'block', degrees: 0.1, val: 5, test: 10, benchmark: 20 },
) {
  const rows = pairs.map(({ tags, phash }, i) =>
    rowOf(`n${i + 1}`, { centerTags: tags, phash: phash ?? looks(i + 1), similarities: [((i * 7919) % 1000) / 1000] }),
  )
  const { folder, manifest, summary } = await assembled(rows, { filter: { split } })
  const sets = await makeBenchmarks({
    settings: { ...SETTINGS, ...settings },
    from: split.benchmark === undefined ? 'test' : 'benchmark',
    checksGround: split.by === 'image',
    scorers: ['openai'],
    looks: LOOKS,
    seed: 51,
    storage: folderStorage(folder),
  })
  const text = (path: string) => readFile(join(folder, path), 'utf8')
  const csv = async (path: string) => parse(await text(path), { columns: true }) as Record<string, string>[]
  const record = async (set: string) => {
    const checked = parseBenchmarkText(await text(`${set}/benchmark.json`))
    if ('faults' in checked) throw new TypeError(checked.faults.join())
    return checked.value
  }
  const splitOf = new Map((await manifest()).map(({ filepath, split: part }) => [filepath as string, part as string]))
  return { sets, text, csv, record, splitOf, summary }
}

const CLS = 'SkyScript_cls/img_txt_pairs_val.csv'
const many = (count: number): Pair[] =>
  Array.from({ length: count }, (_, i) => ({ tags: CLASSES[i % CLASSES.length]! }))

test('a set has the same number of images for every class, from ground that no other set shows, in the original’s order', async () => {
  const { sets, text, csv, record, splitOf, summary } = await made(many(300))
  const rows = await csv(CLS)
  expect(Object.keys(rows[0]!)).toEqual(['filepath', 'title', 'label'])
  expect(rows.map(({ label }) => label)).toEqual(NAMES.flatMap((name) => [name, name, name]))
  expect(await text('SkyScript_cls/classnames.txt')).toBe(`${NAMES.join('\n')}\n`)
  expect(new Set(rows.map(({ filepath }) => splitOf.get(filepath!)))).toEqual(new Set(['benchmark']))
  expect(sets.sets.SkyScript_cls).toEqual({ images: 18, classes: 6 })
  expect(sets.rows[CLS]).toBe(18)
  const { excluded, images, sha256, from } = await record('SkyScript_cls')
  const onGround = summary.splits.benchmark!
  expect(Object.values(excluded).reduce((sum, n) => sum + n, images)).toBe(onGround)
  expect(excluded).toEqual({ 'beyond-per-class': onGround - 18 })
  expect([from, sha256]).toEqual(['benchmark', sets.files.get(CLS)])
})

test('without ground of their own, sets show the ground of test', async () => {
  const { csv, splitOf } = await made(many(600), {}, { by: 'block', degrees: 0.1, val: 5, test: 20 })
  const rows = await csv(CLS)
  expect(rows).toHaveLength(18)
  expect(new Set(rows.map(({ filepath }) => splitOf.get(filepath!)))).toEqual(new Set(['test']))
})

test('an object that fits two classes is in none, and each pair that is left out has a reason', async () => {
  const both = { ...CLASSES[0], ...CLASSES[1] }
  const pairs = many(400).map((pair, i) =>
    i % 5 === 0 ? { tags: both } : i % 7 === 0 ? { tags: { shop: 'yes' } } : pair,
  )
  const { csv, record, summary } = await made(pairs)
  const shown = new Set((await csv(CLS)).map(({ filepath }) => Number(/n(\d+)_/.exec(filepath!)![1]) - 1))
  expect([...shown].filter((i) => i % 5 === 0 || i % 7 === 0)).toEqual([])
  const { excluded, images } = await record('SkyScript_cls')
  expect(excluded['several-classes']).toBeGreaterThan(5)
  expect(excluded['no-class']).toBeGreaterThan(5)
  expect(Object.values(excluded).reduce((sum, n) => sum + n, images)).toBe(summary.splits.benchmark)
})

test('images that look like one of training, like one of another class, or like each other are left out', async () => {
  const plain = await made(many(300))
  const chosen = [...plain.splitOf]
    .filter(([, split]) => split === 'benchmark')
    .map(([path]) => Number(/n(\d+)_/.exec(path)![1]) - 1)
  const trained = [...plain.splitOf].find(([, split]) => split === 'train')![0]
  const ofClass = (label: number) => chosen.filter((i) => i % CLASSES.length === label)
  const [likeTraining, likeOther, otherClass, twin, twinOf] = [
    ofClass(0)[0]!,
    ofClass(1)[0]!,
    ofClass(2)[0]!,
    ofClass(3)[0]!,
    ofClass(3)[1]!,
  ]
  const near = (n: number) => (BigInt(`0x${looks(n + 1)}`) ^ 5n).toString(16).padStart(16, '0')
  const planted = new Map([
    [likeTraining, near(Number(/n(\d+)_/.exec(trained)![1]) - 1)],
    [likeOther, near(otherClass)],
    [twin, near(twinOf)],
  ])
  const pairs = many(300).map((pair, i) => ({ ...pair, ...(planted.has(i) && { phash: planted.get(i)! }) }))
  const { csv, record } = await made(pairs, { perClass: 1 })
  const all = await made(pairs, { perClass: 1000, allClasses: true })
  expect(all.sets.sets.SkyScript_cls).toBeUndefined()
  const { excluded } = await record('SkyScript_cls')
  expect(excluded['looks-like-training']).toBe(1)
  expect(excluded['looks-like-another-class']).toBe(2)
  expect(excluded['looks-like-another-image']).toBe(1)
  const shown = (await csv(CLS)).map(({ filepath }) => Number(/n(\d+)_/.exec(filepath!)![1]) - 1)
  for (const i of [likeTraining, likeOther, otherClass]) expect(shown).not.toContain(i)
})

test('split by image, no image shows ground of train or val', async () => {
  const rows = many(300)
  const { record } = await made(rows, { perClass: 1 }, { ...BY_IMAGE, benchmark: 20 })
  expect((await record('SkyScript_cls')).excluded['ground-of-training']).toBeUndefined()
  // Every image shows the same ground.
  const box = [7, 46, 7.1, 46.1] as const
  const { folder } = await assembled(
    rows.map(({ tags }, i) => rowOf(`n${i + 1}`, { centerTags: tags, phash: looks(i), box: [...box] })),
    { filter: { split: { ...BY_IMAGE, benchmark: 20 } } },
  )
  const { sets, notes } = await makeBenchmarks({
    settings: { ...SETTINGS, perClass: 1 },
    from: 'benchmark',
    checksGround: true,
    scorers: ['openai'],
    looks: LOOKS,
    seed: 51,
    storage: folderStorage(folder),
  })
  expect(sets).toEqual({})
  expect(notes).toHaveLength(3)
})

test('split by image, sets on ground of their own show no ground of test either, which verify would find', async () => {
  const split = { ...BY_IMAGE, benchmark: 20 }
  // Places of two images each.
  const boxOf = (i: number): Box => [7 + (i >> 1) / 100, 46, 7.01 + (i >> 1) / 100, 46.01]
  const rows = many(300).map(({ tags }, i) =>
    rowOf(`n${i + 1}`, {
      centerTags: tags,
      phash: looks(i),
      box: boxOf(i),
      similarities: [((i * 7919) % 1000) / 1000],
    }),
  )
  const { folder, manifest } = await assembled(rows, { filter: { split } })
  await makeBenchmarks({
    settings: { ...SETTINGS, perClass: 1, sets: ['SkyScript_retrieval'] },
    from: 'benchmark',
    checksGround: true,
    scorers: ['openai'],
    looks: LOOKS,
    seed: 51,
    storage: folderStorage(folder),
  })
  const text = await readFile(join(folder, 'SkyScript_retrieval/img_txt_pairs_test.csv'), 'utf8')
  const shown = new Set((parse(text, { columns: true }) as Record<string, string>[]).map(({ filepath }) => filepath))
  expect(shown.size).toBeGreaterThan(0)
  const pairs = await manifest()
  const places = (of: (pair: (typeof pairs)[number]) => boolean) => new Set(pairs.filter(of).map(({ west }) => west))
  const ofTest = places(({ split: part }) => part === 'test')
  const ofSet = [...places(({ filepath }) => shown.has(filepath as string))]
  expect(ofSet.filter((place) => ofTest.has(place))).toEqual([])
  const { excluded } = JSON.parse(await readFile(join(folder, 'SkyScript_retrieval/benchmark.json'), 'utf8'))
  expect(excluded['ground-of-test']).toBeGreaterThan(0)
})

describe('which classes a set has', () => {
  test('with fewer than five, it is not made, and a note says which size would give five', async () => {
    const { sets } = await made(many(200), { perClass: 20 })
    expect(sets.sets.SkyScript_cls).toBeUndefined()
    const [note] = sets.notes.filter((each) => each.includes('SkyScript_cls'))
    const size = Number(/perClass: (\d+)/.exec(note!)![1])
    expect(size).toBeGreaterThan(0)
    const again = await made(many(200), { perClass: size })
    expect(again.sets.sets.SkyScript_cls!.classes).toBeGreaterThanOrEqual(5)
  })

  test('with all classes, the list is that of the original, and the images are the same', async () => {
    const [some, all] = [await made(many(300)), await made(many(300), { allClasses: true })]
    expect(await all.csv(CLS)).toEqual(await some.csv(CLS))
    const list = (await all.text('SkyScript_cls/classnames.txt')).trim().split('\n')
    expect(list).toHaveLength(70)
    expect(list.slice(33, 36)).toEqual(['hospital', 'glacier', 'island'])
  })

  test('two columns of labels have two lists, the second of coarser classes, never fewer than five', async () => {
    const shapes = ['dome', 'flat', 'gabled', 'hipped', 'gambrel']
    const pairs = Array.from({ length: 300 }, (_, i) => ({ tags: { building: 'yes', 'roof:shape': shapes[i % 5]! } }))
    const { csv, text } = await made(pairs)
    const rows = await csv('roof_shape/img_txt_pairs_test.csv')
    expect(Object.keys(rows[0]!)).toEqual(['filepath', 'title', 'label_v1', 'label_v2'])
    const labels = new Map(rows.map(({ label_v1, label_v2 }) => [label_v1, label_v2]))
    expect(labels.get('roof shape of gambrel')).toBe('gabled roof')
    const [fine, coarse] = await Promise.all(
      [1, 2].map(async (v) => (await text(`roof_shape/classnames_v${v}.txt`)).trim().split('\n')),
    )
    expect(fine).toEqual([...labels.keys()])
    expect(coarse!.length).toBeGreaterThanOrEqual(5)
    expect(coarse).toEqual(expect.arrayContaining([...new Set(labels.values())]))
  })
})

test('the retrieval set has the most similar 30 % of its ground, up to the largest number', async () => {
  const { csv, record, summary } = await made(many(300), { retrieval: 1000 })
  const best = Math.ceil(0.3 * summary.splits.benchmark!)
  expect(await csv('SkyScript_retrieval/img_txt_pairs_test.csv')).toHaveLength(best)
  expect((await record('SkyScript_retrieval')).excluded).toEqual({ 'not-among-best': summary.splits.benchmark! - best })
  const few = await made(many(300))
  expect(await few.csv('SkyScript_retrieval/img_txt_pairs_test.csv')).toHaveLength(10)
})

test('a set that a user describes has its table’s classes and its prompts', async () => {
  const classes = parseClassTable(
    'class,tags\na,natural=beach\nb,building=church\nc,waterway=dam\nd,landuse=*\ne,amenity=hospital\n',
    'own.csv',
  )
  const { csv, text, record } = await made(many(300), {
    own: [{ name: 'mine', classes, prompts: ['a picture of {c}'] }],
  })
  expect(new Set((await csv('benchmarks/mine/img_txt_pairs_test.csv')).map(({ label }) => label))).toEqual(
    new Set('abcde'),
  )
  expect(await text('benchmarks/mine/prompts.txt')).toBe('a picture of {c}\n')
  expect((await record('benchmarks/mine')).prompts).toEqual(['a picture of {c}'])
})

test('pairs that a scorer ranks in the lowest fifth count as doubtful', async () => {
  const { record } = await made(many(600), { perClass: 10, sets: ['SkyScript_cls'] })
  const { labels } = await record('SkyScript_cls')
  const doubtful = labels[0]!.classes.reduce((sum, each) => sum + each.doubtful, 0)
  expect(doubtful).toBeGreaterThan(0)
  expect(doubtful).toBeLessThan(20)
  expect(labels[0]!.classes.every(({ disputed }) => disputed === 0)).toBe(true)
})

describe('tables of classes', () => {
  test('the shipped table of SkyScript_cls has the original’s 70 classes, each with tags', () => {
    const table = shippedTable('SkyScript_cls')
    expect(table.map(({ name }) => name).slice(0, 2)).toEqual(['airport apron', 'airport hangar'])
    expect(table).toHaveLength(70)
    const labelOf = createLabeller(table)
    for (const [i, { name, tags }] of table.entries()) {
      for (const list of tags) {
        const object = Object.fromEntries(list.map(([key, value]) => [key, value === '*' ? 'yes' : value]))
        expect([name, labelOf(object)]).toEqual([name, i])
      }
    }
  })

  test('an object’s label is the only class whose tags it has, whatever their order', () => {
    const table = shippedTable('SkyScript_cls')
    const labelOf = createLabeller(table)
    const tag = fc.constantFrom(...table.flatMap(({ tags }) => tags.flat()))
    fc.assert(
      fc.property(fc.array(tag, { maxLength: 6 }), (list) => {
        const object: Tags = Object.fromEntries(list)
        const fitting = table.flatMap(({ tags }, i) =>
          tags.some((all) => all.every(([key, value]) => object[key] === value)) ? [i] : [],
        )
        const expected = fitting.length === 0 ? 'none' : fitting.length === 1 ? fitting[0] : 'several'
        expect(labelOf(object)).toBe(expected)
        expect(labelOf(Object.fromEntries(Object.entries(object).reverse()))).toBe(expected)
      }),
      { numRuns: 300 },
    )
  })

  test.each([
    ['class,tag\na,b=c\n', 'must have the columns class,tags or class,tags,group'],
    ['class,tags\na,b=c\nd,e\n', 'line 3: the tags of "d" must be key=value'],
    ['class,tags\na,b=c\n,e=f\n', 'line 3: is blank, which would be a class without a name'],
    ['class,tags\n1,b=c\n', 'line 2: the class name "1" looks like a number'],
    ['class,tags\na,b=c\nb,c=d\n', 'has 2 classes, but top-5 accuracy needs at least 5'],
    ['class,tags\n"a\nb",b=c\n', 'line 2: the class "a\\nb" or its group has a line break'],
    ['class,tags,group\na,b=c,"d\u2028e"\n', 'has a line break or another control character'],
    ['class,tags,group\na,b=c,\n', 'line 2: the class "a" has no group'],
  ])('%j is refused', (text, message) => {
    expect(() => parseClassTable(text, 'own.csv')).toThrow(message)
  })
})
