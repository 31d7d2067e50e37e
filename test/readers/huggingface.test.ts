import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { evaluationCsv, manifestOf, type PairRow, rowsOf, TOWN_CSVS } from './dataset.ts'
import { python } from './python.ts'

interface Loaded {
  /** By configuration, the default one as `''`; then by split. */
  readonly configs: Readonly<Record<string, Readonly<Record<string, Split>>>>
  /** Of the training rows, streamed. */
  readonly first: Record<string, unknown>
}

interface Split {
  /** Names of the columns of images. */
  readonly images: readonly string[]
  readonly rows: readonly Record<string, unknown>[]
}

interface LoadedImage {
  readonly size: readonly [width: number, height: number]
  readonly mode: string
  readonly file: string | null
}

const datasets = inject('datasets')
const load = (...folders: string[]) =>
  python<Record<string, Loaded>>('plain', 'huggingface.py', [join(datasets.cache, 'datasets'), ...folders])

/** A row of a CSV as `datasets` gives it, without its image. */
const asLoaded = (row: PairRow) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, /^sim/.test(name) ? Number(value) : value]))

test('the output folder is a dataset repository: each configuration gives the rows of its CSVs with their images', async () => {
  const sizes = new Map((await manifestOf(datasets.town)).map((row) => [row.filepath, [row.width, row.height]]))
  // Unpacked zip files are the dataset again, which goes for this too.
  const loaded = load(datasets.town, datasets.unpacked)
  for (const folder of [datasets.town, datasets.unpacked]) {
    const { configs, first } = loaded[folder]!
    const { '': byDefault, ...named } = configs
    expect(Object.keys(named).sort()).toEqual(Object.keys(TOWN_CSVS).sort())
    expect(byDefault).toEqual(named.unfiltered)
    for (const [config, csv] of Object.entries(TOWN_CSVS)) {
      const scorer = config.endsWith('laion_RS') ? 'laion_RS' : 'openai'
      const csvs = { train: csv, validation: evaluationCsv('val', scorer), test: evaluationCsv('test', scorer) }
      expect(Object.keys(named[config]!)).toEqual(Object.keys(csvs))
      for (const [split, file] of Object.entries(csvs)) {
        const { images, rows } = named[config]![split]!
        expect(images).toEqual(['image'])
        expect(rows.length).toBeGreaterThan(split === 'train' ? 9 : 0)
        expect(rows.map(({ image, ...row }) => row)).toEqual(rowsOf(folder, file).map(asLoaded))
        for (const { image, filepath } of rows) {
          const { size, mode, file: path } = image as LoadedImage
          expect({ size, mode }).toEqual({ size: sizes.get(filepath), mode: 'RGB' })
          expect(path).toBe(join(folder, filepath as string))
        }
      }
    }
    expect(first).toEqual(byDefault!.train!.rows[0])
  }
})

test('exported shards are one too: every pair with all of its tags, and nothing else is taken for data', async () => {
  const manifest = new Map((await manifestOf(datasets.town)).map((row) => [row.filepath, row]))
  const train = join(datasets.shards, 'train')
  const loaded = load(datasets.shards, train)
  const { configs } = loaded[datasets.shards]!
  expect(Object.keys(configs)).toEqual(['unfiltered', ''])
  const csvs = {
    train: TOWN_CSVS.unfiltered,
    validation: evaluationCsv('val', 'openai'),
    test: evaluationCsv('test', 'openai'),
  }
  expect(Object.keys(configs.unfiltered!)).toEqual(Object.keys(csvs))
  for (const [split, csv] of Object.entries(csvs)) {
    const { images, rows } = configs.unfiltered![split]!
    expect(images).toEqual(['jpg'])
    const pairs = rows.map(({ json }) => json as Record<string, unknown>)
    expect(pairs.map(({ filepath }) => filepath).sort()).toEqual(
      rowsOf(datasets.town, csv)
        .map(({ filepath }) => filepath)
        .sort(),
    )
    for (const [i, { jpg, txt }] of rows.entries()) {
      const { time, ...due } = manifest.get(pairs[i]!.filepath)!
      expect(pairs[i]).toEqual({ ...due, time: (time as Date | null)?.toISOString() ?? null })
      expect(txt).toBe(due.title)
      expect((jpg as LoadedImage).size).toEqual([due.width, due.height])
      expect(Object.keys(JSON.parse(pairs[i]!.center_tags as string)).length).toBeGreaterThan(0)
    }
  }
  const alone = loaded[train]!.configs.default!
  expect(Object.keys(alone)).toEqual(['train'])
  expect(alone.train!.rows.length).toBe(configs.unfiltered!.train!.rows.length)
})
