import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { evaluationCsv, manifestOf, rowsOf, TOWN_CSVS } from './dataset.ts'
import { python } from './python.ts'

type Sample = readonly [caption: string, channels: number, height: number, width: number, brightest: number]

const datasets = inject('datasets')
const FOLDERS = [2, 3, 4, 5, 6, 7].map((number) => `images${number}`)

/** What torchgeo's class gives of folders, by split. */
const read = (...asked: { folder: string; files: Record<string, string>; looks: boolean }[]) =>
  python<Record<string, Sample[]>[]>(
    'torch',
    'torchgeo_skyscript.py',
    asked.map((each) => JSON.stringify(each)),
  )

async function expectPairs(folder: string, csv: string, samples: readonly Sample[]) {
  const sizes = new Map((await manifestOf(folder)).map((row) => [row.filepath, [3, row.height, row.width]]))
  const rows = rowsOf(folder, csv)
  expect(samples.map(([caption]) => caption)).toEqual(rows.map(({ title }) => title))
  expect(samples.map(([, ...shape]) => shape.slice(0, 3))).toEqual(rows.map(({ filepath }) => sizes.get(filepath)))
  expect(samples.every((sample) => sample[4] > 1)).toBe(true)
}

test("torchgeo's SkyScript class loads train, val and test, and unpacks the zip files itself", async () => {
  const files = {
    train: TOWN_CSVS.top30,
    val: evaluationCsv('val', 'openai'),
    test: evaluationCsv('test', 'openai'),
  }
  // In a copy of the zip export that nothing else reads: unpacking leaves folders there.
  const [folder, zip] = read(
    { folder: datasets.town, files, looks: true },
    { folder: datasets.zip, files, looks: true },
  )
  for (const [split, csv] of Object.entries(files)) await expectPairs(datasets.town, csv, folder![split]!)
  expect(zip).toEqual(folder)
})

test('it loads a dataset that has images in some of the six folders only', async () => {
  const images = FOLDERS.map((name) => readdirSync(join(datasets.few, name)).length)
  expect(images).toContain(0)
  expect(FOLDERS.every((name) => existsSync(join(datasets.few, name)))).toBe(true)
  const files = { train: TOWN_CSVS.unfiltered }
  const looked = [true, false].map((looks) => ({ folder: datasets.few, files, looks }))
  for (const { train } of read(...looked)) await expectPairs(datasets.few, TOWN_CSVS.unfiltered, train!)
})
