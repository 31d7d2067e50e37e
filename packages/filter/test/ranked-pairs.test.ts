/** Which pairs are in which file: rankings, splits, limits and benchmarks. */
import type { DatasetRow } from '@skyscript/dataset'
import { cutDataset } from '@skyscript/filter'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assembled, BY_IMAGE, FILTER, folderStorage, pathOf, paths, rowOf, rows } from './support/dataset.ts'

test('every scorer has its own ranking, column and files, and none trains on what another tests', async () => {
  const list = Array.from({ length: 1500 }, (_, i) =>
    rowOf(`a${i}`, { similarities: [((i * 7919) % 1500) / 1500, ((i * 104_729) % 1500) / 3000] }),
  )
  const { summary, csv, manifest } = await assembled(list, {
    scorers: ['openai', 'laion_RS'],
    filter: { val: 12, test: 25, top: [50, 30, 30] },
  })
  expect(summary.files).toHaveLength(10)
  const bySplit = new Map((await manifest()).map(({ filepath, split }) => [filepath as string, split]))
  const evaluated = new Set<string>()
  for (const [i, scorer] of ['openai', 'laion_RS'].entries()) {
    const by = `filtered_by_CLIP_${scorer}.csv`
    const best = new Set(
      list
        .toSorted((a, b) => b.similarities[i]! - a.similarities[i]!)
        .slice(0, 450)
        .map(pathOf),
    )
    for (const part of ['val_12', 'test_25']) {
      const rows = await csv(`${part}_${by}`)
      expect(rows).toHaveLength(Number(part.split('_')[1]))
      for (const [filepath, , , similarity] of rows) {
        evaluated.add(filepath!)
        expect(best).toContain(filepath)
        expect(bySplit.get(filepath!)).toBe(part.split('_')[0])
        expect(Number(similarity)).toBeCloseTo(list.find((row) => pathOf(row) === filepath)!.similarities[i]!, 6)
      }
    }
    const top30 = paths(await csv(`top30pct_${by}`))
    for (const path of top30) expect(best).toContain(path)
    for (const path of [...top30, ...paths(await csv(`top50pct_${by}`))]) expect(bySplit.get(path)).toBe('train')
  }
  for (const path of paths(await csv('unfiltered_5M.csv'))) expect(evaluated).not.toContain(path)
  expect(evaluated.size).toBeGreaterThan(37)
})

test('images that overlap two splits are in no CSV, and are counted', async () => {
  const wide = Array.from({ length: 60 }, (_, i) => rowOf(`a${i}`, { box: [i / 5, 45, i / 5 + 0.35, 45.35] }))
  const { summary, csv, manifest } = await assembled(wide)
  const heldOut = new Set(
    (await manifest()).filter(({ split }) => split === 'held-out').map(({ filepath }) => filepath),
  )
  expect(heldOut.size).toBeGreaterThan(10)
  expect(heldOut.size).toBe(summary.splits['held-out'])
  expect(summary.notes.join(' ')).toContain(`images that overlap the ground of two splits: ${heldOut.size}`)
  for (const { path } of summary.files) {
    if (!path.endsWith('.csv')) continue
    for (const filepath of paths(await csv(path))) expect(heldOut).not.toContain(filepath)
  }
})

test('split by image, pairs that are not drawn are used for training, and small datasets give up at most 5 and 10 % of their best', async () => {
  const filter = { split: BY_IMAGE }
  const { summary } = await assembled(rows(1000), { filter })
  expect(summary.splits['held-out']).toBe(0)
  expect(summary.splits.val).toBeGreaterThan(0)
  expect(summary.splits.val).toBeLessThanOrEqual(15)
  expect(summary.splits.test).toBeGreaterThan(0)
  expect(summary.splits.test).toBeLessThanOrEqual(30)
  expect(summary.notes).toHaveLength(2)
  for (const note of summary.notes)
    expect(note).toMatch(/^(val|test) by openai has \d+ of the (5000|30000) pairs asked for: .*\.$/)
})

test('a pair never changes its split when the dataset grows, and no training pair becomes a test pair', async () => {
  const list = Array.from({ length: 900 }, (_, i) => rowOf(`n${i}`, { similarities: [((i * 7919) % 900) / 900] }))
  const splitsOf = async (some: readonly DatasetRow[]) => {
    const { manifest } = await assembled(some, { filter: { val: 5, test: 9 } })
    return new Map((await manifest()).map(({ id, split }) => [id, split]))
  }
  const large = await splitsOf(list)
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(list, { minLength: 1 }), async (some) => {
      for (const [id, split] of await splitsOf(some)) expect(large.get(id)).toBe(split)
    }),
    { numRuns: 5 },
  )
})

test('each training file by similarity has the pairs with at least that similarity', async () => {
  const list = rows(800)
  const { csv, summary } = await assembled(list, { filter: { top: [], above: [0.2, -0.1], val: 0, test: 0 } })
  expect(summary.files.filter(({ path }) => path.includes('_top'))).toEqual([])
  const train = new Set(paths(await csv('unfiltered_5M.csv')))
  for (const least of [0.2, -0.1]) {
    const due = list.filter((row) => row.similarities[0]! >= least && train.has(pathOf(row))).map(pathOf)
    expect(paths(await csv(`above${least}_filtered_by_CLIP_openai.csv`))).toEqual(due.toSorted())
  }
})

test('with a limit per tag, no tag has more pairs in a ranking, and rarer tags move up', async () => {
  const list = rows(1000).map((row, i) => {
    const centerTags = {
      building: 'yes',
      ...(i % 10 === 0 && { amenity: 'school' }),
      ...(i % 3 === 0 && { power: 'pole' }),
    }
    return { ...row, caption: { ...row.caption, centerTags } }
  })
  const { csv, summary } = await assembled(list, { filter: { maxPerTag: 90, top: [20, 50] } })
  const tagsOf = new Map(list.map((row) => [pathOf(row), row.caption.centerTags]))
  const rarest = (path: string) => {
    const tags = tagsOf.get(path)!
    return 'amenity' in tags ? 'amenity' : 'power' in tags ? 'power' : 'building'
  }
  const top20 = Map.groupBy(paths(await csv('top20pct_filtered_by_CLIP_openai.csv')), rarest)
  for (const found of top20.values()) expect(found.length).toBeLessThanOrEqual(90)
  expect(top20.get('building')!.length).toBeGreaterThan(60)
  expect(top20.get('amenity')!.length).toBeGreaterThan(10)
  // Three times 90 are 270, fewer than the 500 of the top 50 %.
  expect(summary.notes.join(' ')).toContain('The top 50 % by openai are 270 of 500 pairs: filter.maxPerTag')
})

test('with a limit per title, training files have the best pairs of each title', async () => {
  const list = rows(1000).map((row, i) => ({
    ...row,
    caption: { ...row.caption, title: `a satellite image of ${i % 40}` },
  }))
  const { csv } = await assembled(list, { filter: { maxSameCaption: 3 } })
  const { csv: unlimited } = await assembled(list)
  for (const file of ['unfiltered_5M.csv', 'top30pct_filtered_by_CLIP_openai.csv']) {
    const limited = Map.groupBy(await csv(file), ([, title]) => title!)
    for (const [title, all] of Map.groupBy(await unlimited(file), ([, title]) => title!)) {
      const best = all.toSorted((a, b) => Number(b[3]) - Number(a[3])).slice(0, 3)
      expect(paths(limited.get(title)!)).toEqual(paths(best))
    }
  }
})

test('an image that looks like a benchmark image is in no training, validation or test file, and is listed', async () => {
  const list = rows(600).map((row, i) => ({ ...row, phash: i % 50 === 0 ? 'ff00ff00ff00ff01' : '00000000ffffffff' }))
  const exclude = {
    files: ['airport/1.jpg', 'beach/2.jpg'],
    hashes: { high: Uint32Array.of(0xff00ff00, 0), low: Uint32Array.of(0xff00ff00, 0) },
    unreadable: [],
    fingerprint: 'f',
  }
  const { csv, summary, manifest } = await assembled(list, { exclude, filter: { val: 500, test: 500 } })
  expect(summary.splits.excluded).toBe(12)
  const excluded = await csv('excluded.csv')
  expect(excluded.map(([, image]) => image)).toEqual(Array(12).fill('airport/1.jpg'))
  for (const { path } of summary.files) {
    if (!path.endsWith('.csv') || path === 'excluded.csv') continue
    const listed = new Set(paths(await csv(path.slice('SkyScript-Test_'.length))))
    for (const [filepath] of excluded) expect(listed).not.toContain(filepath)
  }
  const marked = (await manifest()).filter(({ split }) => split === 'excluded')
  expect(paths(excluded)).toEqual(marked.map(({ filepath }) => filepath as string).toSorted())
})

test('a scorer whose scores are not stored is refused by its name', async () => {
  const { folder } = await assembled(rows(5))
  const storage = folderStorage(folder)
  const cut = cutDataset({
    name: 'a',
    scorers: ['laion_RS'],
    filter: FILTER,
    seed: 51,
    region: { declared: null, imageSide: 180 },
    exclude: null,
    storage,
  })
  await expect(cut).rejects.toMatchObject({ code: 'no-scores', message: expect.stringContaining('laion_RS') })
})
