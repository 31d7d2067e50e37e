import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDataset, storeTestDataset, type TestRow } from '../packages/dataset/test/support/test-dataset.ts'
import { makeFolder } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { MODEL } from './support/town.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
let output: string
let rows: readonly TestRow[]
const evaluate = (...args: string[]) => skyscriptHere(['evaluate', '--model', MODEL, ...args])

const TEST_PAIRS = 20

beforeAll(async () => {
  folder = await makeFolder('by-cut')
  process.env.SKYSCRIPT_CACHE = join(folder.path, 'cache')
  output = join(folder.path, 'dataset')
  const dataset = await createTestDataset()
  for (const [i, row] of dataset.rows.entries()) {
    row.split = i % 2 === 0 ? 'test' : 'train'
    row.title = `${row.title} ${i}`
    row.title_multi_objects = `${row.title_multi_objects} and ${i % 8}`
  }
  rows = dataset.rows
  const storage = await storeTestDataset(dataset)
  for (const [path, bytes] of storage.files) {
    await mkdir(dirname(`${output}/${path}`), { recursive: true })
    await writeFile(`${output}/${path}`, bytes)
  }
})
afterAll(() => folder?.remove())

/** The test pairs by a scorer, best first. */
const ranked = (scorer: 'openai' | 'laion_RS') => {
  const scoreOf = (row: TestRow) => row[`similarity_CLIP_${scorer}`]
  return rows.filter(({ split }) => split === 'test').toSorted((a, b) => scoreOf(b) - scoreOf(a))
}

test('recall among the best pairs is what evaluate measures on a CSV of them, from pools of one size', async () => {
  const { code, stdout, stderr } = await evaluate('--by-cut', output, '--json')
  expect(code, stderr).toBe(0)
  const { cuts, ...facts } = JSON.parse(stdout)
  expect(facts).toEqual({ dataset: 'SkyScript-Town', scorer: 'openai', pairs: TEST_PAIRS, pool: 4 })
  expect(cuts.map(({ percent, pairs }: Record<string, number>) => [percent, pairs])).toEqual([
    [20, 4],
    [30, 6],
    [50, 10],
    [100, TEST_PAIRS],
  ])
  for (const { pairs, least, images } of cuts) {
    expect(images).toBe(4)
    expect(least).toBe(ranked('openai')[pairs - 1]!.similarity_CLIP_openai)
  }
  const lines = ranked('openai')
    .slice(0, 4)
    .map((row) => `${row.filepath},"${row.title_multi_objects}"\n`)
  await writeFile(`${output}/best.csv`, `filepath,title_multi_objects\n${lines.join('')}`)
  const alone = await evaluate('--retrieve', `${output}/best.csv`, '--json')
  const { percent: _percent, pairs: _pairs, least: _least, ...best } = cuts[0]
  expect(best).toEqual(JSON.parse(alone.stdout))
})

test('the table says which pairs and how many, and --at-least names a cut', async () => {
  const given = ['--by-cut', output, '--scorer', 'laion_RS', '--caption-column', 'title', '--bootstrap', '50']
  const { code, stdout, stderr } = await evaluate(...given, '--at-least', 'top20.image_to_text.R@5=1')
  expect(code, stderr).toBe(0)
  expect(stdout).toContain('20 test pairs of SkyScript-Town, ranked by similarity_CLIP_laion_RS.')
  expect(stdout).toMatch(/^top 20 % +>= 0\.\d{3} +4 +\d+ +\d/m)
  expect(stdout).toMatch(/^all +>= /m)
  expect(stderr).toContain('4 pairs in a pool are too few to compare cuts; raise filter.split.test')
  expect(stderr).toContain('With 4 pairs to choose from, R@k is 100 % for a k of that number or more.')
  const low = await evaluate(...given, '--at-least', 'all.text_to_image.R@1=1')
  expect([low.code, low.stderr]).toEqual([1, expect.stringContaining('all.text_to_image.R@1 is ')])
})

test('a dataset without test pairs, an unknown scorer and options of other modes are refused', async () => {
  const refused = async (...args: string[]) => {
    const { code, stdout, stderr } = await evaluate(...args)
    expect([code, stdout]).toEqual([1, ''])
    return stderr
  }
  expect(await refused('--by-cut', output, '--scorer', 'mine')).toContain('--scorer mine: use one of openai, laion_RS.')
  expect(await refused('--by-cut', output, '--caption-column', 'x')).toContain('use title_multi_objects or title')
  expect(await refused('--by-cut', output, '--root', output)).toContain('--root has no effect with --by-cut')
  expect(await refused('--by-cut', output, '--retrieve', 'a.csv')).toContain('Give exactly one of')
  expect(await refused('--by-cut', join(folder.path, 'none'))).toContain('There is no folder')
})
