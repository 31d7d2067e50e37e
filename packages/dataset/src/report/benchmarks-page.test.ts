import { sha256 } from '@skyscript/core'
import { expect, test } from 'vitest'
import { storeWithSets, TEST_SETS } from '../../test/support/benchmark-sets.ts'
import { createTestDataset } from '../../test/support/test-dataset.ts'
import { createDoubts } from '../benchmarks/doubt.ts'
import { readSheets } from '../benchmarks/sheets.ts'
import { benchmarksPage } from './benchmarks-page.ts'

const OPTIONS = { scorers: ['openai', 'laion_RS'], seed: 51 }
const ABOUT = { name: 'SkyScript-<Town>', toolVersion: '1.2.3' }
const FOLDERS = TEST_SETS.map(({ folder }) => folder)

async function sheetsOf(images: number) {
  const storage = await storeWithSets(TEST_SETS.map((set) => ({ ...set, images })))
  return { storage, sheets: await readSheets(storage, FOLDERS, OPTIONS) }
}

/** A failure of `toContain` would print the whole page. */
const expectIn = (page: string, text: string) => expect(page.includes(text), text).toBe(true)

test('a contact sheet shows each class with at most 12 images, the same ones each time', async () => {
  const { storage, sheets } = await sheetsOf(40)
  const [scenes, roofs, farm, captions] = sheets
  expect(scenes!.samples.map(({ name, images, rows }) => [name, images, rows.length])).toEqual(
    ['beach', 'hospital', 'glacier', 'island', 'lake'].map((name) => [name, 8, 8]),
  )
  expect(roofs!.samples.map(({ images, rows }) => [images, rows.length])).toEqual([
    [20, 12],
    [20, 12],
  ])
  expect(farm!.samples.at(-1)).toEqual({ name: 'never seen', images: 0, rows: [] })
  expect(captions!.samples.map(({ name, rows }) => [name, rows.length])).toEqual([[null, 24]])
  expect(await readSheets(storage, FOLDERS, OPTIONS)).toEqual(sheets)
  const others = await readSheets(storage, FOLDERS, { ...OPTIONS, seed: 52 })
  expect(others[1]!.samples).not.toEqual(roofs!.samples)
  const page = await benchmarksPage(ABOUT, sheets, storage)
  // Not toBe, which would print both pages.
  expect(sha256(await benchmarksPage(ABOUT, sheets, storage))).toBe(sha256(page))
  expect(page.match(/<img /g)).toHaveLength(40 + 24 + farm!.samples.flatMap(({ rows }) => rows).length + 24)
  expectIn(page, '40 images of 5 classes, on the ground of test: <code>SkyScript_cls/img_txt_pairs_val.csv</code>')
  expectIn(page, '40 images of 2 classes and 2 classes')
  expectIn(page, 'fits several classes')
  expectIn(page, 'SkyScript-&lt;Town&gt;')
  expect(/<script|https?:/.test(page)).toBe(false)
})

test('images that a scorer ranks in the lowest fifth of the ground of test are marked, and disputed if another does not', async () => {
  const { storage, sheets } = await sheetsOf(40)
  const { rows } = await createTestDataset()
  const held = rows.filter(({ split }) => split === 'test')
  const lowest = OPTIONS.scorers.map(
    (scorer) =>
      held.toSorted(
        (a, b) =>
          a[`similarity_CLIP_${scorer}` as 'similarity_CLIP_openai'] -
          b[`similarity_CLIP_${scorer}` as 'similarity_CLIP_openai'],
      )[0]!.filepath,
  )
  const doubtful = sheets[0]!.samples
    .flatMap((sample) => sample.rows)
    .filter(({ doubt }) => doubt !== 'none')
    .map(({ filepath, doubt }) => `${filepath} ${doubt}`)
  expect(new Set(lowest).size).toBe(2)
  expect(doubtful.sort()).toEqual(lowest.map((path) => `${path} some`).sort())
  expect((await benchmarksPage(ABOUT, sheets.slice(0, 1), storage)).match(/doubtful, disputed/g)).toHaveLength(2)
  const doubtOf = createDoubts([
    [1, 9],
    [2, 8],
    [3, 7],
    [4, 6],
    [5, 5],
  ])
  expect([doubtOf([1, 5]), doubtOf([1, 6]), doubtOf([2, 6])]).toEqual(['all', 'some', 'none'])
})

test('an image that is gone leaves a gap on the page and stops nothing', async () => {
  const { storage, sheets } = await sheetsOf(15)
  storage.files.delete('images2/a1000_DE_.jpg')
  expectIn(await benchmarksPage(ABOUT, sheets.slice(0, 1), storage), 'no image')
})
