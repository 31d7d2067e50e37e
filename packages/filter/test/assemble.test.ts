// @module-tag slow
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { DatasetRow } from '@skyscript/dataset'
import { createSplitter, cutDataset, storePairs } from '@skyscript/filter'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assembled, BY_IMAGE, FILTER, folderStorage, pathOf, paths, rowOf, rows } from './support/dataset.ts'
import { temporaryFolder } from './support/models.ts'

test('files have the original’s names and columns, and the requested counts', async () => {
  const list = rows(2000)
  const { folder, summary, csv, manifest } = await assembled(list, { filter: { val: 10, test: 20 } })
  expect((await readdir(folder)).filter((name) => !name.endsWith('.jsonl')).sort()).toEqual([
    'SkyScript-Test_test_20_filtered_by_CLIP_openai.csv',
    'SkyScript-Test_train_top30pct_filtered_by_CLIP_openai.csv',
    'SkyScript-Test_train_top50pct_filtered_by_CLIP_openai.csv',
    'SkyScript-Test_train_unfiltered_5M.csv',
    'SkyScript-Test_val_10_filtered_by_CLIP_openai.csv',
    'manifest.parquet',
  ])
  const [val, testing, top30, top50, train] = await Promise.all(
    [
      'val_10_filtered_by_CLIP_openai.csv',
      'test_20_filtered_by_CLIP_openai.csv',
      'top30pct_filtered_by_CLIP_openai.csv',
      'top50pct_filtered_by_CLIP_openai.csv',
      'unfiltered_5M.csv',
    ].map(csv),
  )
  expect([val!.length, testing!.length]).toEqual([10, 20])
  for (const { path, rows } of summary.files) {
    if (path.endsWith('.csv')) expect(await csv(path)).toHaveLength(rows)
  }

  const partOf = createSplitter({ kind: 'blocks', degrees: 0.1, val: 0.05, test: 0.1, benchmark: 0 }, 51)
  const onTrainGround = list.filter(({ image }) => partOf(image.id, image.box) === 'train').map(pathOf)
  expect(paths(train!)).toEqual(onTrainGround.toSorted())
  expect(onTrainGround.length).toBeLessThan(1800)

  const best = new Set(
    paths(
      list
        .toSorted((a, b) => b.similarities[0]! - a.similarities[0]!)
        .slice(0, 600)
        .map((row) => [pathOf(row)]),
    ),
  )
  for (const path of [...paths(val!), ...paths(testing!), ...paths(top30!)]) expect(best).toContain(path)
  // Drawn by the seed, not the best ones.
  for (const [part, drawn] of [
    ['val', val!],
    ['test', testing!],
  ] as const) {
    const eligible = list
      .filter(({ image }) => partOf(image.id, image.box) === part)
      .toSorted((a, b) => b.similarities[0]! - a.similarities[0]!)
      .map(pathOf)
      .filter((path) => best.has(path))
    expect(eligible.length).toBeGreaterThan(1.5 * drawn.length)
    expect(paths(drawn)).not.toEqual(eligible.slice(0, drawn.length).toSorted())
  }
  const splits = Map.groupBy(await manifest(), ({ split }) => split)
  const inSplit = (split: string) => (splits.get(split) ?? []).map(({ filepath }) => filepath).toSorted()
  for (const path of paths(val!)) expect(inSplit('val')).toContain(path)
  for (const path of paths(testing!)) expect(inSplit('test')).toContain(path)
  expect(paths(train!)).toEqual(inSplit('train'))
  for (const row of list) expect(inSplit(partOf(row.image.id, row.image.box))).toContain(pathOf(row))
  expect(top30!.length).toBe(inSplit('train').filter((path) => best.has(path as string)).length)
  for (const path of paths(top30!)) expect(paths(top50!)).toContain(path)
  expect(summary.splits).toEqual({
    train: train!.length,
    val: inSplit('val').length,
    test: inSplit('test').length,
    'held-out': 0,
    excluded: 0,
  })
  expect(summary.pairs).toBe(2000)
  const unlisted = 2000 - train!.length - 10 - 20
  expect(summary.notes).toEqual([expect.stringContaining(`${unlisted} of 2000 `)])
})

test('sizes of thousands are written as K', async () => {
  const { summary } = await assembled(rows(3), { filter: { val: 5000, test: 30_000 } })
  expect(summary.files.map(({ path }) => path)).toEqual([
    'SkyScript-Test_train_unfiltered_5M.csv',
    'SkyScript-Test_train_top30pct_filtered_by_CLIP_openai.csv',
    'SkyScript-Test_train_top50pct_filtered_by_CLIP_openai.csv',
    'SkyScript-Test_val_5K_filtered_by_CLIP_openai.csv',
    'SkyScript-Test_test_30K_filtered_by_CLIP_openai.csv',
    'manifest.parquet',
  ])
})

test('rows keep their input order, and the numbers that ranked them', async () => {
  const list = rows(300)
  const { csv, manifest } = await assembled(list)
  const train = await csv('unfiltered_5M.csv')
  const order = new Map(list.map((row, i) => [pathOf(row), i]))
  const places = train.map(([filepath]) => order.get(filepath!)!)
  expect(places).toEqual(places.toSorted((a, b) => a - b))
  for (const [i, row] of (await manifest()).entries()) {
    expect(row.id).toBe(list[i]!.image.id)
    expect(row.similarity_CLIP_openai).toBeCloseTo(list[i]!.similarities[0]!, 6)
  }
  for (const [i, [, title, multi, similarity]] of train.entries()) {
    const row = list[places[i]!]!
    expect([title, multi]).toEqual([row.caption.title, row.caption.titleMultiObjects])
    expect(Number(similarity)).toBeCloseTo(row.similarities[0]!, 6)
  }
})

test('which pairs are in which file does not depend on the order of the input', async () => {
  const list = Array.from({ length: 120 }, (_, i) => rowOf(`w${i}`, { similarities: [(i % 5) / 10] }))
  const places = async (input: readonly DatasetRow[], by: 'block' | 'image') => {
    const { manifest, csv } = await assembled(input, { filter: { val: 2, test: 3, split: { ...FILTER.split, by } } })
    const splits = (await manifest()).map(({ id, split }) => `${id} ${split}`).toSorted()
    return [
      splits,
      paths(await csv('top30pct_filtered_by_CLIP_openai.csv')),
      paths(await csv('top50pct_filtered_by_CLIP_openai.csv')),
    ]
  }
  for (const by of ['block', 'image'] as const) {
    const due = await places(list, by)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(list, { minLength: list.length }), async (shuffled) => {
        expect(await places(shuffled, by)).toEqual(due)
      }),
      { numRuns: 3 },
    )
  }
})

test('a set without pairs has no file, and a note says why and which setting changes that', async () => {
  for (const count of [0, 1, 3]) {
    const { summary, folder, manifest } = await assembled(rows(count), { filter: { val: 5, test: 5 } })
    expect(await manifest()).toHaveLength(count)
    expect(Object.values(summary.splits).reduce((sum, split) => sum + split, 0)).toBe(count)
    expect(summary.files.every(({ path, rows }) => rows > 0 || path === 'manifest.parquet')).toBe(true)
    const csvs = (await readdir(folder)).filter((name) => name.endsWith('.csv'))
    expect(csvs.toSorted()).toEqual(
      summary.files
        .map(({ path }) => path)
        .filter((path) => path.endsWith('.csv'))
        .toSorted(),
    )
    for (const part of ['val', 'test'] as const) {
      if (summary.splits[part] > 0) continue
      expect(csvs.filter((name) => name.includes(`_${part}_`))).toEqual([])
      expect(summary.notes.join(' ')).toContain(count === 0 ? 'has no pairs' : `filter.split.${part} above`)
    }
  }
})

test('sizes of 0 give no evaluation files and no notes', async () => {
  const { summary } = await assembled(rows(100), { filter: { val: 0, test: 0 } })
  expect(summary.notes).toEqual([])
  expect(summary.files.filter(({ path }) => /_(val|test)_/.test(path))).toEqual([])
})

test('if storage fails, its own error is thrown and no file of the run remains', async () => {
  for (const failAt of ['unfiltered_5M.csv', 'manifest.parquet', 'top30pct_filtered_by_CLIP_openai.csv']) {
    const folder = await temporaryFolder()
    const storage = folderStorage(folder, failAt)
    await expect(assembled(rows(1200), { storage })).rejects.toThrow('There is no space left.')
    expect((await readdir(folder)).filter((name) => name.startsWith('.') || name.endsWith(failAt))).toEqual([])
  }
})

test('storage that refuses a file at once ends the run instead of leaving it waiting', async () => {
  const storage = folderStorage(await temporaryFolder())
  const refusing = { ...storage, put: () => Promise.reject(new Error('The bucket is gone.')) }
  await expect(assembled(rows(5000), { storage: refusing })).rejects.toThrow('The bucket is gone.')
  await expect(assembled([], { storage: refusing })).rejects.toThrow('The bucket is gone.')
})

test('rows that fail halfway leave no file', async () => {
  const folder = await temporaryFolder()
  async function* failing() {
    yield* rows(600)
    throw new Error('The shard is gone.')
  }
  const stored = storePairs({
    rows: failing(),
    scorers: ['openai'],
    moreCaptions: false,
    attribution: () => ({ collection: 'c', licence: 'l', credit: 'c', datePrecision: null }),
    storage: folderStorage(folder),
  })
  await expect(stored).rejects.toThrow('The shard is gone.')
  expect(await readdir(folder)).toEqual([])
})

test('a value that is not a cosine is reported as a bug, not written as a row', async () => {
  for (const similarities of [[Number.NaN], [1.01], [], [0.1, 0.2]]) {
    await expect(assembled([rowOf('n1', { similarities })])).rejects.toThrow(TypeError)
  }
})

test('after cutting with other settings and then with the old ones, the files are what they were', async () => {
  const { folder, summary } = await assembled(rows(700), { filter: { val: 7, test: 9 } })
  const storage = folderStorage(folder)
  const cut = (filter: Partial<typeof FILTER>) =>
    cutDataset({
      name: 'SkyScript-Test',
      scorers: ['openai'],
      filter: { ...FILTER, val: 7, test: 9, ...filter },
      seed: 51,
      region: { declared: null, imageSide: 180 },
      exclude: null,
      storage,
    })
  const other = await cut({ split: BY_IMAGE, top: [10] })
  expect(other.files.at(-1)!.sha256).not.toBe(summary.files.at(-1)!.sha256)
  expect(await cut({})).toEqual(summary)
})

test('training files match what DuckDB selects from the manifest', async () => {
  const list = Array.from({ length: 2000 }, (_, i) => rowOf(`${'nwa'[i % 3]}${i}`, { similarities: [(i % 90) / 100] }))
  const { folder, csv } = await assembled(list, { filter: { top: [20, 50] } })
  const database = await (await DuckDBInstance.create()).connect()
  const from = `from read_parquet('${join(folder, 'manifest.parquet')}')`
  for (const percent of [20, 50]) {
    const found = await database.run(`select filepath, title, title_multi_objects from (
      select *, row_number() over (order by similarity_CLIP_openai desc, id) as place ${from})
      where split = 'train' and place <= ${percent * 20} order by filepath`)
    const rows = (await csv(`top${percent}pct_filtered_by_CLIP_openai.csv`)).map((row) => row.slice(0, 3))
    expect(rows.toSorted(([a], [b]) => (a! < b! ? -1 : 1))).toEqual(await found.getRows())
  }
})

test('captions stay with their images if a column has several pages', async () => {
  const list = rows(9000).map((row, i) => {
    const title = `a satellite image of ${i} ${'x'.repeat(300)}`
    return { ...row, caption: { ...row.caption, title, titleMultiObjects: `${title}, surrounded by ${i}` } }
  })
  const { csv } = await assembled(list, { filter: { split: BY_IMAGE } })
  const textsOf = new Map(list.map((row) => [pathOf(row), [row.caption.title, row.caption.titleMultiObjects]]))
  for (const [filepath, ...texts] of await csv('unfiltered_5M.csv')) {
    expect(texts.slice(0, 2)).toEqual(textsOf.get(filepath!))
  }
})

test('a manifest of many row groups, read by threads, is cut and balanced as one ranking and keeps its order', async () => {
  const count = 9 * 8192
  const similarity = (i: number) => ((i * 7919) % count) / count
  const list = Array.from({ length: count }, (_, i) =>
    rowOf(`w${i}`, { similarities: [similarity(i)], title: `t ${i}` }),
  )
  const balance = [{ by: 'place', degrees: 90, most: 12_000 }] as const
  const filter = { split: BY_IMAGE, val: 0, test: 0, above: [0.7], balance: [...balance] }
  const { csv, summary } = await assembled(list, { filter })
  expect(summary.pairs).toBe(count)
  // All longitudes below 90 degrees are one cell, and the others are another.
  const cellOf = (i: number) => (i % 1000 < 900 ? 0 : 1)
  const ranked = [...list.keys()].toSorted((a, b) => similarity(b) - similarity(a))
  const best = [0, 1].flatMap((cell) => ranked.filter((i) => cellOf(i) === cell).slice(0, 12_000))
  const rowsAt = (places: readonly number[]) =>
    places.toSorted((a, b) => a - b).map((i) => [list[i]!.caption.filepath, list[i]!.caption.title])
  const above = best.filter((i) => similarity(i) >= 0.7)
  expect((await csv('above0.7_filtered_by_CLIP_openai.csv')).map((row) => row.slice(0, 2))).toEqual(rowsAt(above))
  const due = rowsAt(best)
  expect((await csv('top30pct_filtered_by_CLIP_openai.csv')).map((row) => row.slice(0, 2))).toEqual(due)
})
