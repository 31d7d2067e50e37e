import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { openTestDataset } from '../../test/dataset/finished-dataset.ts'
import type { TestDataset } from '../../test/dataset/test-dataset.ts'
import { cardOf } from './card.ts'
import { openManifest } from './dataset.ts'
import { gatherStatistics } from './statistics.ts'

async function cardFor(change?: (dataset: TestDataset) => void) {
  const dataset = await openTestDataset(change)
  const manifest = await openManifest(dataset)
  const statistics = await gatherStatistics(manifest)
  await manifest.close()
  return { card: cardOf(dataset, statistics), statistics, dataset }
}

test('the front matter is YAML whose sets are files of the dataset, with the splits that the hub knows', async () => {
  const { card, dataset } = await cardFor()
  const front = parse(card.split('---\n')[1]!)
  expect(front).toMatchObject({ pretty_name: 'SkyScript-Town', license: 'other', size_categories: ['n<1K'] })
  const names = front.configs.map((config: { config_name: string }) => config.config_name)
  expect(names).toEqual([
    'train_unfiltered',
    'train_top30pct_laion_RS',
    'train_top30pct_openai',
    'train_top50pct_laion_RS',
    'train_top50pct_openai',
    'manifest',
  ])
  expect(front.configs.filter((config: { default?: boolean }) => config.default)).toHaveLength(1)
  for (const { data_files: files } of front.configs)
    for (const { split, path } of files) {
      expect(['train', 'validation', 'test', 'all']).toContain(split)
      expect(dataset.storage.files.has(path), path).toBe(true)
    }
})

test('the numbers are those of the manifest', async () => {
  let titles: string[] = []
  let scores: number[] = []
  const { card, statistics } = await cardFor((d) => {
    titles = d.rows.map(({ title }) => title)
    scores = d.rows.map((row) => row.similarity_CLIP_openai).sort((a, b) => a - b)
  })
  expect(statistics).toMatchObject({ pairs: 40, distinctTags: 4, dates: ['2019-06-03', '2021-06-27'] })
  expect(statistics.captions.title).toMatchObject({ distinct: 2, repeated: 1, longest: 10 })
  const words = titles.map((title) => title.split(' ').length)
  expect(statistics.captions.title.words.mean).toBeCloseTo(words.reduce((a, b) => a + b) / 40)
  expect(statistics.similarities.get('openai')!.median).toBeCloseTo(scores[19]!, 2)
  expect(card).toContain('| all |  |  | 40 | 25 | 10 | 5 |')
  expect(card).toContain('| DE | `COPERNICUS/S2_SR_HARMONIZED` | 10 m | 5 |')
  expect(card).toMatch(/\| 2019 \| \d+ \|[\s\S]*\| undated \| 5 \|/)
  expect(card).toContain('| building=yes | 20 | 50.0 % |')
  expect(card).toContain('- 5 pairs are in no CSV.')
  expect(card).not.toMatch(/NaN|undefined|null|\[object/)
})

test('tags and credits can not leave their cell', async () => {
  const { card } = await cardFor((d) => {
    for (const row of d.rows) {
      row.center_tags = JSON.stringify({ 'a|b': '`x`\n| c |', '<b>': '[l](u)' })
      row.credit = 'A | B\n# C'
    }
  })
  expect(card).toContain('| a\\|b=\\`x\\` \\| c \\| | 40 |')
  expect(card).toContain('| \\<b\\>=\\[l\\](u) | 40 |')
  expect(card).toContain('| A \\| B # C |')
  expect(card).not.toMatch(/^# C/m)
})

test('images that were drawn are not passed off as real ones', async () => {
  expect((await cardFor()).card).not.toMatch(/no real ground/)
  const drawn = await cardFor((d) => Object.assign(d.lock.config, { imagery: { earthEngine: { endpoint: 'local' } } }))
  expect(drawn.card).toMatch(/no real ground/)
})

test('an empty dataset has a card too', async () => {
  const dataset = await openTestDataset()
  const empty = {
    rows: 0,
    scorers: ['openai'],
    columns: [],
    async *read() {},
    close: async () => {},
  }
  expect(cardOf(dataset, await gatherStatistics(empty))).not.toMatch(/NaN|Infinity/)
})
