import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { openTestDataset } from '../../test/support/finished-dataset.ts'
import type { TestDataset } from '../../test/support/test-dataset.ts'
import { cardOf } from './card.ts'
import { openManifest } from './dataset.ts'
import { gatherStatistics } from './statistics.ts'

interface Config {
  readonly config_name: string
  readonly default?: boolean
  readonly data_files: readonly { readonly split: string; readonly path: readonly string[] }[]
  readonly metadata_filenames: readonly string[]
}

async function cardFor(change?: (dataset: TestDataset) => void) {
  const dataset = await openTestDataset(change)
  const manifest = await openManifest(dataset)
  const statistics = await gatherStatistics(manifest)
  await manifest.close()
  return { card: cardOf(dataset, statistics), statistics, dataset }
}

test('the front matter names a configuration for each training set, with the splits that the hub knows', async () => {
  const { card, dataset } = await cardFor()
  const front = parse(card.split('---\n')[1]!)
  expect(front).toMatchObject({ pretty_name: 'SkyScript-Town', license: 'other', size_categories: ['n<1K'] })
  const configs = new Map<string, Config>(front.configs.map((config: Config) => [config.config_name, config]))
  expect([...configs.keys()]).toEqual(['unfiltered', 'top30_laion_RS', 'top30', 'top50_laion_RS', 'top50'])
  expect([...configs.values()].filter((config) => config.default).map(({ config_name: name }) => name)).toEqual([
    'unfiltered',
  ])
  for (const [name, { data_files: files, metadata_filenames: records }] of configs) {
    expect(files.map(({ split }) => split)).toEqual(['train', 'validation', 'test'])
    expect(files.map(({ path }) => path[0])).toEqual(records)
    // Val and test are those of the scorer that the training set was ranked by.
    const scorer = name.endsWith('laion_RS') ? 'laion_RS' : 'openai'
    for (const path of records) {
      expect(dataset.storage.files.has(path), path).toBe(true)
      if (!path.includes('unfiltered')) expect(path).toMatch(new RegExp(`_${scorer}\\.jsonl$`))
    }
  }
  expect(configs.get('top30')!.data_files[0]!.path).toEqual([
    'SkyScript-Town_train_top30pct_filtered_by_CLIP_openai.jsonl',
    'images*/*.jpg',
  ])
})

test('a set without pairs is no split, and a training set without pairs no configuration', async () => {
  const { card } = await cardFor((d) => {
    d.csvs.get('SkyScript-Town_test_2K_filtered_by_CLIP_openai.csv')!.splice(1)
    d.csvs.get('SkyScript-Town_train_top30pct_filtered_by_CLIP_openai.csv')!.splice(1)
    const rows = Object.fromEntries([...d.csvs].map(([path, lines]) => [path, lines.length - 1]))
    Object.assign(d.lock, { rows })
  })
  const { configs } = parse(card.split('---\n')[1]!) as { configs: Config[] }
  expect(configs.map(({ config_name: name }) => name)).toEqual([
    'unfiltered',
    'top30_laion_RS',
    'top50_laion_RS',
    'top50',
  ])
  expect(configs[0]!.data_files.map(({ split }) => split)).toEqual(['train', 'validation'])
})

test('the numbers match the manifest', async () => {
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

test('tags and credits cannot break out of their table cell', async () => {
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

test('images drawn from the map are declared as such', async () => {
  expect((await cardFor()).card).not.toMatch(/no real ground/)
  const drawn = await cardFor((d) => Object.assign(d.lock.config, { imagery: { earthEngine: { endpoint: 'local' } } }))
  expect(drawn.card).toMatch(/no real ground/)
})

test('a dataset without pairs has a card', async () => {
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
