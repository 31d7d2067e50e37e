import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { evaluationCsv, manifestOf, rowsOf, TOWN_CSVS } from './dataset.ts'
import { python } from './python.ts'

interface Read {
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  /** By record set. */
  readonly records: Readonly<Record<string, readonly Record<string, unknown>[]>>
}

const datasets = inject('datasets')

const CSVS: Readonly<Record<string, string>> = {
  train_unfiltered: TOWN_CSVS.unfiltered,
  train_top30pct_openai: TOWN_CSVS.top30,
  train_top50pct_openai: TOWN_CSVS.top50,
  train_top30pct_laion_RS: TOWN_CSVS.top30_laion_RS,
  train_top50pct_laion_RS: TOWN_CSVS.top50_laion_RS,
  ...Object.fromEntries(
    (['val', 'test'] as const).flatMap((part) =>
      ['openai', 'laion_RS'].map((scorer) => [`${part}_${scorer}`, evaluationCsv(part, scorer)]),
    ),
  ),
}

test.each([
  ['beside the manifest', 'town'],
  ['of the export as zip files, with the images in them', 'zip'],
] as const)('croissant.json %s is valid, and mlcroissant reads every value of every pair', async (_where, name) => {
  const { errors, warnings, records } = python<Read>('plain', 'croissant.py', [join(datasets[name], 'croissant.json')])
  expect(errors).toEqual([])
  // A dataset has no version beside its fingerprint.
  expect(warnings.filter((warning) => !warning.includes('schema.org/version'))).toEqual([])
  expect(Object.keys(records).sort()).toEqual(['pairs', 'splits', ...Object.keys(CSVS)].sort())
  expect(records.splits).toContainEqual({ name: 'train', url: 'cr:TrainingSplit' })

  const manifest = await manifestOf(datasets.town)
  const byPath = new Map(manifest.map((row) => [row.filepath, row]))
  expect(records.pairs!.length).toBe(manifest.length)
  expect(new Set(records.pairs!.map(({ filepath }) => filepath)).size).toBe(manifest.length)
  for (const { image, ...pair } of records.pairs!) {
    const { time, ...due } = byPath.get(pair.filepath)!
    expect({ ...pair, time: Date.parse(pair.time as string) }).toEqual({ ...due, time: (time as Date).getTime() })
    expect(image).toEqual({ size: [due.width, due.height], mode: 'RGB' })
  }
  for (const [set, csv] of Object.entries(CSVS))
    expect(records[set], set).toEqual(
      rowsOf(datasets.town, csv).map(({ filepath, title, title_multi_objects, ...score }) => ({
        ...{ filepath, title, title_multi_objects },
        ...Object.fromEntries(Object.entries(score).map(([column, value]) => [column, Number(value)])),
      })),
    )
})
