// @module-tag slow
import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { storeWithSets, TEST_SETS } from '../packages/dataset/test/support/benchmark-sets.ts'
import type { TestDataset } from '../packages/dataset/test/support/test-dataset.ts'
import { lacks, PYTHON } from './support/needs.ts'
import { makeFolder } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { MODEL } from './support/town.ts'

/** No image is for training: `evaluate` refuses those. */
function heldOut({ rows }: TestDataset): void {
  for (const row of rows) row.split = 'test'
}

let folder: Awaited<ReturnType<typeof makeFolder>>
const at = (...names: string[]) => join(folder.path, ...names)

async function run(...args: string[]) {
  const { code, stdout, stderr } = await skyscriptHere(args)
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}

beforeAll(async () => {
  folder = await makeFolder('exported-benchmarks')
  const sets = TEST_SETS.filter(({ folder: name }) => name !== 'roof_shape')
  for (const [path, bytes] of (await storeWithSets(sets, heldOut)).files) {
    await mkdir(dirname(at('town', path)), { recursive: true })
    await writeFile(at('town', path), bytes)
  }
  for (const format of ['benchmark-zip', 'clip-benchmark'])
    await run('export', at('town'), '--format', format, '--to', at(format), '--json')
})
afterAll(() => folder?.remove())

test.skipIf(lacks(PYTHON))(
  'a set measures the same in the dataset, unpacked from its zip file, and as a webdataset',
  async () => {
    for (const name of ['SkyScript_cls', 'farm', 'SkyScript_retrieval']) {
      const { status } = spawnSync('python3', [
        '-m',
        'zipfile',
        '-e',
        at('benchmark-zip', `${name}.zip`),
        at('unpacked'),
      ])
      expect(status).toBe(0)
    }
    const evaluate = (...args: string[]) => run('evaluate', '--model', MODEL, '--json', ...args)
    const classify = (root: string) =>
      evaluate(
        ...['--classify', join(root, 'SkyScript_cls/img_txt_pairs_val.csv')],
        ...['--classes', join(root, 'SkyScript_cls/classnames.txt'), '--root', root],
      )
    const figures = await classify(at('town'))
    expect(figures.n).toBe(15)
    expect(await classify(at('unpacked'))).toEqual(figures)
    const all = async (root: string) => {
      const results: { set: string; column: string; result: unknown; content: string }[] = await evaluate(
        '--benchmarks',
        root,
      )
      return new Map(results.map(({ set, result, content }) => [set, { result, content }]))
    }
    const [own, unpacked, shards] = [await all(at('town')), await all(at('unpacked')), await all(at('clip-benchmark'))]
    expect([...own.keys()].sort()).toEqual(['SkyScript_cls', 'SkyScript_retrieval', 'farm'])
    expect(unpacked).toEqual(own)
    for (const name of ['SkyScript_cls', 'farm']) expect(shards.get(name)).toEqual(own.get(name))
  },
)
