import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { storeFinished } from '../../test/support/finished-dataset.ts'
import type { TestDataset, TestRow } from '../../test/support/test-dataset.ts'
import {
  type Changes,
  changesJson,
  changesText,
  compareDatasets,
  differs,
  firstPairs,
  readExamples,
  type Side,
  sideOfDataset,
  sideOfLock,
} from './index.ts'

type Change = (dataset: TestDataset) => void

const opened: Side[] = []
afterEach(async () => {
  for (const side of opened.splice(0)) await side.close()
})

async function open(change: Change = () => {}): Promise<Side> {
  const side = await sideOfDataset(await storeFinished(change))
  opened.push(side)
  return side
}

/** As programs read it. */
async function document(changes: Changes) {
  return JSON.parse((await Array.fromAsync(changesJson(changes))).join(''))
}

const between = async (before: Change, after: Change) => {
  const [old, now] = [await open(before), await open(after)]
  return document(await compareDatasets(old, now))
}

const same: Change = () => {}
const row = (dataset: TestDataset, id: string) => dataset.rows.find((each) => each.id === id)!
/** Sets columns of the pair of one object. */
const withColumns =
  (columns: Partial<TestRow>, id = 'w1001'): Change =>
  (dataset) =>
    void Object.assign(row(dataset, id), columns)

describe('a change of one pair is reported with its reason:', () => {
  test.each<[string, Partial<TestRow>, string[], string[]]>([
    ['a tag', { center_tags: '{"building":"house","roof:shape":"gabled","lit":"yes"}' }, ['tags'], []],
    ['a geometry, whose box stays', { geometry: 'moved' }, ['geometry'], []],
    ['what is around', { surrounding_tags: '[{"highway":"track"}]' }, ['surroundings'], []],
    ['the source', { source: 'P3' }, ['image'], ['source']],
    ['the date', { time: new Date('2023-01-01T00:00:00Z') }, ['image'], ['date']],
    ['the date that is not known any more', { time: null }, ['image'], ['date']],
    ['the box', { west: 1.52 }, ['image'], ['request']],
    ['the image of the same source', { image_id: 'COPERNICUS/S2/other' }, ['image'], ['request']],
    ['the pixels', { sha256: 'ab'.repeat(32) }, ['image'], ['bytes']],
    ['the title', { title: 'a satellite image of a house' }, ['caption'], []],
    ['only the longer caption', { title_multi_objects: 'a satellite image of two houses' }, ['caption'], []],
    ['a score', { similarity_CLIP_laion_RS: 0.123456 }, ['score'], []],
    ['the split', { split: 'held-out' }, ['split'], []],
  ])('%s', async (_what, columns, reasons, image) => {
    const { pairs, differs: isOther } = await between(same, withColumns(columns))
    expect(isOther).toBe(true)
    expect(pairs.changed).toEqual([{ id: 'w1001', reasons, image }])
    expect(pairs.counts).toMatchObject({ added: 0, removed: 0, changed: 1, same: 39 })
    expect(Object.entries(pairs.reasons).filter(([, n]) => n !== 0)).toEqual(reasons.map((reason) => [reason, 1]))
  })

  test.each<[string, Partial<TestRow>]>([
    ['the version', { version: 99 }],
    ['the timestamp', { timestamp: '2030-01-01T00:00:00Z', days_apart: 7 }],
    ['a timestamp that is missing', { timestamp: null, days_apart: null }],
    ['licence and credit', { licence: 'other', credit: 'other' }],
  ])('%s is metadata, which changes no pair', async (_what, columns) => {
    const { pairs } = await between(same, withColumns(columns))
    expect(pairs.changed).toEqual([])
    expect(pairs.counts).toMatchObject({ changed: 0, same: 40, metadata: 1 })
    expect(pairs.tags).toEqual([])
  })

  test('the order of rows and of tags is no difference', async () => {
    const { pairs } = await between(same, (dataset) => {
      dataset.rows.reverse()
      row(dataset, 'w1001').center_tags = '{"lit":"yes","roof:shape":"gabled","building":"yes"}'
    })
    expect(pairs.counts).toMatchObject({ added: 0, removed: 0, changed: 0, same: 40, metadata: 0 })
    expect(pairs.csvs).toEqual([])
  })
})

test('added and removed pairs are counted by tag, and ids stand in the order of their texts', async () => {
  const { pairs } = await between(
    ({ rows }) => void rows.splice(0, 3),
    ({ rows }) => void rows.splice(35),
  )
  expect(pairs.counts).toEqual({ before: 37, after: 35, added: 3, removed: 5, changed: 0, same: 32, metadata: 0 })
  expect(pairs.added).toEqual(['a1000', 'n1002', 'w1001'])
  expect(pairs.removed).toEqual(['a1036', 'a1039', 'n1035', 'n1038', 'w1037'])
  expect(pairs.tags).toEqual([
    { tag: 'building=yes', added: 1, removed: 3, changed: 0 },
    { tag: 'landuse=forest', added: 2, removed: 2, changed: 0 },
    { tag: 'lit=yes', added: 1, removed: 3, changed: 0 },
    { tag: 'roof:shape=gabled', added: 1, removed: 3, changed: 0 },
  ])
})

test('a changed pair counts for the tags that it had and those that it has', async () => {
  const { pairs } = await between(same, withColumns({ center_tags: '{"building":"house","lit":"yes"}' }))
  expect(pairs.tags.map(({ tag, changed }: { tag: string; changed: number }) => [tag, changed])).toEqual([
    ['building=house', 1],
    ['building=yes', 1],
    ['lit=yes', 1],
    ['roof:shape=gabled', 1],
  ])
})

test('pairs that enter or leave a CSV are listed by set, whatever its file is called, and equal CSVs are not', async () => {
  const takeOut =
    (part: RegExp, count: number): Change =>
    ({ csvs }) => {
      for (const [path, lines] of csvs) if (part.test(path)) lines.splice(1, count)
    }
  const idsOf = (lines: readonly string[][]) => lines.map(([path]) => path!.split('/')[1]!.split('_')[0]!).sort()
  let gone: string[] = []
  const { pairs } = await between(same, (dataset) => {
    gone = idsOf([...dataset.csvs].find(([path]) => path.includes('top50pct_filtered_by_CLIP_openai'))![1].slice(1, 3))
    takeOut(/top50pct_filtered_by_CLIP_openai/, 2)(dataset)
    const [path, lines] = [...dataset.csvs].find(([each]) => each.includes('test_2K_filtered_by_CLIP_openai'))!
    dataset.csvs.delete(path)
    dataset.csvs.set(path.replace('2K', '3'), lines)
  })
  expect(pairs.csvs).toEqual([
    {
      set: 'train_top50pct_openai',
      before: 'SkyScript-Town_train_top50pct_filtered_by_CLIP_openai.csv',
      after: 'SkyScript-Town_train_top50pct_filtered_by_CLIP_openai.csv',
      entered: [],
      left: gone,
    },
  ])
  expect(pairs.changed).toEqual([])
})

test('a set that only one dataset has is listed with all its pairs', async () => {
  const { pairs } = await between(({ csvs }) => {
    for (const path of csvs.keys()) if (path.includes('top30pct')) csvs.delete(path)
  }, same)
  expect(pairs.csvs.map(({ set, before }: { set: string; before: unknown }) => [set, before])).toEqual([
    ['train_top30pct_laion_RS', null],
    ['train_top30pct_openai', null],
  ])
  expect(pairs.csvs[1].entered.length).toBeGreaterThan(0)
})

test('settings, maps, models and counts that differ are listed with both values, and a missing one is null', async () => {
  const found = await between(same, ({ lock }) => {
    lock.config.filter.top = [20]
    lock.config.filter.scorers = [{ name: 'laion_RS', model: 'tiny' }, { name: 'openai', model: 'large' }] // biome-ignore format: one list
    lock.config.captions.more = 2
    Object.assign(lock.config, { later: null })
    Object.assign((lock.inputs as object[])[0]!, { replicationTimestamp: '2024-05-01T20:21:22Z' })
    Object.assign((lock.models as object[])[0]!, { fingerprint: 'other' })
    lock.counts.dropped.other = 4
  })
  expect(found.settings).toEqual([
    { setting: 'captions.more', before: null, after: 2 },
    { setting: 'filter.scorers.openai.model', before: 'tiny', after: 'large' },
    { setting: 'filter.top', before: [30, 50], after: [20] },
  ])
  expect(found.inputs.after[0].replicationTimestamp).toBe('2024-05-01T20:21:22Z')
  expect(found.after.maps).toEqual([{ name: 'town.osm.pbf', timestamp: '2024-05-01T20:21:22Z', sequence: null }])
  expect(found.models.map(({ scorer }: { scorer: string }) => scorer)).toEqual(['openai'])
  expect(found.counts).toEqual([{ count: 'dropped.other', before: null, after: 4 }])
  expect(found.pairs.counts).toMatchObject({ added: 0, removed: 0, changed: 0 })
})

test('a setting that one dataset lacks and the other sets to nothing is no difference', async () => {
  const { settings, differs: isOther } = await between(same, ({ lock }) => {
    Object.assign(lock.config, { later: null, group: { later: null } })
    Object.assign((lock.config.filter.scorers as object[])[0]!, { later: null })
  })
  expect([settings, isOther]).toEqual([[], false])
})

test('no secret that a lock of others may hold is shown', async () => {
  const [old, now] = [
    await open(),
    await open(({ lock }) => void Object.assign(lock.config, { osm: { source: 'https://me:hunter2@host/x.pbf?sig=SECRETS' } })),
  ] // biome-ignore format: two sides
  const changes = await compareDatasets(old, now)
  const shown = JSON.stringify(await document(changes)) + changesText(changes, [])
  expect(shown).toContain('host/x.pbf')
  expect(shown).not.toMatch(/hunter2|SECRETS/)
})

describe('after random edits', () => {
  const texts = fc.constantFrom('x', 'y', '', 'ü"\n,')
  const edit = fc.record(
    {
      gone: fc.boolean(),
      center_tags: fc.constantFrom('{"a":"b"}', '{"a":"c","d":"e"}', '{"d":"e","a":"c"}'),
      geometry: texts,
      title: texts,
      split: fc.constantFrom('train', 'val'),
      similarity_CLIP_openai: fc.constantFrom(0.1, 0.2),
      version: fc.nat(3),
    },
    { requiredKeys: [] },
  )
  const edits = fc.tuple(fc.array(edit, { minLength: 40, maxLength: 40 }), fc.boolean())
  const applied =
    ([list, isReversed]: readonly [readonly object[], boolean]): Change =>
    (dataset) => {
      const rows = dataset.rows.map((each, i) => ({ ...each, ...list[i] }) as TestRow & { gone?: boolean })
      dataset.rows = rows.filter(({ gone }) => !gone).map(({ gone: _gone, ...each }) => each)
      if (isReversed) dataset.rows.reverse()
      const [first] = dataset.csvs.keys()
      const lines = dataset.csvs.get(first!)!
      dataset.csvs.set(first!, [lines[0]!, ...dataset.rows.map((each) => [each.filepath, each.title, 'x', '0'])])
    }

  test('a dataset has no differences from itself, and swapping the sides gives the mirror image', async () => {
    await fc.assert(
      fc.asyncProperty(edits, edits, async (a, b) => {
        const [first, second] = [await open(applied(a)), await open(applied(b))]
        const none = await compareDatasets(first, first)
        expect(differs(none)).toBe(false)
        expect(changesText(none, [])).toContain('No differences.')
        const there = await document(await compareDatasets(first, second))
        const back = await document(await compareDatasets(second, first))
        expect(mirrored(back)).toEqual(there)
        const { counts } = there.pairs
        expect(counts.same + counts.changed + counts.removed).toBe(counts.before)
        expect(counts.same + counts.changed + counts.added).toBe(counts.after)
        for (const list of [there.pairs.added, there.pairs.removed]) expect(list).toEqual(list.toSorted())
      }),
      { numRuns: 10 },
    )
  })

  /** A document with its sides swapped. */
  function mirrored(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(mirrored)
    if (typeof value !== 'object' || value === null) return value
    const names: Record<string, string> = { before: 'after', added: 'removed', entered: 'left' }
    for (const [name, other] of Object.entries(names)) names[other] = name
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [names[name] ?? name, mirrored(each)]))
  }
})

test('a manifest without geometries is compared by everything else, which the result says', async () => {
  const old = await open(({ rows }) => {
    for (const each of rows) delete (each as Partial<TestRow>).geometry
  })
  const changes = await compareDatasets(old, await open(withColumns({ geometry: 'moved', split: 'val' })))
  expect((await document(changes)).pairs).toMatchObject({
    notCompared: ['geometry'],
    changed: [{ id: 'w1001', reasons: ['split'], image: [] }],
  })
  expect(changesText(changes, [])).toContain('not compared: geometry')
})

test('a dataset without the column of further captions is as one whose pairs have none', async () => {
  const { pairs } = await between(same, ({ rows }) => {
    for (const each of rows) Object.assign(each, { more_captions: each.id === 'w1001' ? '["a house"]' : '[]' })
  })
  expect(pairs.changed).toEqual([{ id: 'w1001', reasons: ['caption'], image: [] }])
})

test('metadata that only one manifest has a column for differs only where it has a value', async () => {
  const { pairs } = await between(
    ({ rows }) => {
      for (const each of rows) delete (each as Partial<TestRow>).timestamp
    },
    ({ rows }) => {
      for (const each of rows) each.timestamp = each.id === 'w1001' ? each.timestamp : null
    },
  )
  expect(pairs.counts).toMatchObject({ changed: 0, metadata: 1 })
})

test('a manifest without another column is refused in one sentence', async () => {
  const old = await open(({ rows }) => {
    for (const each of rows) delete (each as Partial<TestRow>).surrounding_tags
  })
  await expect(compareDatasets(old, await open())).rejects.toThrow(
    'manifest.parquet of memory: has no column "surrounding_tags": an older version made it; run skyscript build there, then compare again.',
  )
})

test.each<[string, Partial<TestRow>, RegExp]>([
  ['an id that is none', { id: 'p12' }, /"p12" is not a valid OSM id/],
  ['an id beyond all numbers', { id: 'n99999999999999999999' }, /is not a valid OSM id/],
  ['tags that are no JSON', { center_tags: '{building' }, /JSON/],
])('%s in the manifest of another tool is refused in one sentence', async (_what, columns, why) => {
  const comparing = async () => compareDatasets(await open(), await open(withColumns(columns)))
  const error = await comparing().catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ name: 'InputError', code: 'bad-manifest', message: expect.stringMatching(why) })
  expect((error as Error).message).toMatch(
    /^manifest\.parquet of .* can't be compared \(in rows \d+ to \d+: [^\n]+\); run skyscript build there, then compare again\.$/,
  )
})

test('an unfinished dataset, or one that differs from its lock, is refused in one sentence', async () => {
  const storage = await storeFinished()
  const csv = [...storage.files.keys()].find((path) => path.includes('_top50pct_') && path.endsWith('.csv'))!
  await storage.put(csv, `${Buffer.from(storage.files.get(csv)!)}images2/a7_S2_20.jpg,x,x,0\n`)
  const side = await sideOfDataset(storage)
  opened.push(side)
  await expect(compareDatasets(side, await open())).rejects.toThrow(/_top50pct_.* is not as dataset.lock.json knows it/)
  await storage.delete('manifest.parquet')
  await expect(sideOfDataset(storage)).rejects.toThrow(/^manifest.parquet is not in .*; run skyscript verify/)
  await storage.delete('dataset.lock.json')
  await expect(sideOfDataset(storage)).rejects.toThrow(/no finished dataset .* run skyscript build to its end/)
  expect(() => sideOfLock('{}', 'x.json')).toThrow(/^x.json is not the lock of a dataset/)
  expect(() => sideOfLock('{', 'x.json')).toThrow(/^x.json is not JSON/)
})

test('locks are compared without their datasets', async () => {
  const text = async (change: Change) =>
    Buffer.from((await storeFinished(change)).files.get('dataset.lock.json')!).toString()
  const [old, now] = [
    sideOfLock(await text(same), 'a'),
    sideOfLock(await text(({ lock }) => void (lock.config.seed = 7)), 'b'),
  ]
  const changes = await compareDatasets(old, now)
  expect(await document(changes)).toMatchObject({ pairs: null, settings: [{ setting: 'seed', before: 51, after: 7 }] })
  expect(changesText(changes, [])).toContain('Pairs are not compared')
  expect(differs(await compareDatasets(old, old))).toBe(false)
})

test('the text shows some pairs of each kind and counts the others', async () => {
  const [old, now] = [
    await open(({ rows }) => void rows.splice(0, 6)),
    await open((dataset) => {
      dataset.rows.splice(30)
      withColumns({ center_tags: '{"building":"house"}', title: 'a house' }, 'w1007')(dataset)
    }),
  ]
  const changes = await compareDatasets(old, now)
  const text = changesText(changes, await readExamples(firstPairs(changes.pairs!, 5), old, now))
  expect(text).toContain('6 pairs added, 10 removed, 1 changed (1 tags, 1 caption); 23 unchanged')
  expect(text).toMatch(
    /~ w1007 {2}tags, caption\n {4}building=yes, roof:shape=gabled, lit=yes {2}-> {2}building=house\n/,
  )
  expect(text).toMatch(/\+ a1000 .*\n\+ a1003 .*\n- a1030 .*\n- a1033 .*\nand 12 other pairs\n$/)
})
