// @module-tag slow
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sha256 } from '@skyscript/core'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openManifestFile } from '../packages/dataset/src/index.ts'
import { makeFolder } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { buildHere, startSmallTown } from './support/small-map.ts'
import { MODEL } from './support/town.ts'

const CLASSES = ['beach', 'building', 'forest', 'lake', 'quarry']

let folder: Awaited<ReturnType<typeof makeFolder>>
let output: string
/** Paths of images. */
let images: Record<'train' | 'test', string[]>
const at = (...names: string[]) => join(folder.path, ...names)
const evaluate = (...args: string[]) => skyscriptHere(['evaluate', '--model', MODEL, ...args])
async function refused(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await skyscriptHere(['evaluate', '--model', at('no-model'), ...args])
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr.trim()).not.toContain('\n')
  return stderr
}
async function write(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  return path
}
const labels = (paths: readonly string[]) =>
  `filepath,label\n${paths.map((path, i) => `${path},${CLASSES[i % 5]}\n`).join('')}`

beforeAll(async () => {
  folder = await makeFolder('evaluate-dataset')
  process.env.SKYSCRIPT_CACHE = at('cache')
  const town = await startSmallTown(folder.path)
  output = at('out')
  await buildHere(town.region(output), folder.path)
  await town.earthEngine.close()
  const manifest = await openManifestFile(join(output, 'manifest.parquet'))
  const { filepath, split } = await manifest.readGroup(0, ['filepath', 'split'])
  await manifest.close()
  const train = (filepath as string[]).filter((_, i) => split![i] === 'train')
  // The town is so small that all of its images are in one block. These are in no split.
  const test: string[] = []
  for (let i = 0; i < 5; i++) {
    const background = { r: 40 * i, g: 200 - 30 * i, b: 90 }
    const stripe = sharp({ create: { width: 60, height: 9 + 7 * i, channels: 3, background: 'white' } })
    const picture = sharp({ create: { width: 96, height: 80, channels: 3, background } })
    const composed = picture.composite([{ input: await stripe.png().toBuffer(), left: 5 * i, top: 8 * i }])
    test.push(`images2/own${i}.jpg`)
    await composed.jpeg().toFile(join(output, test[i]!))
  }
  images = { train, test }
  await write(at('classes.txt'), `${CLASSES.join('\n')}\n`)
})
afterAll(() => folder?.remove())

test('files of training pairs are refused unless they are allowed; training images elsewhere are warned of, and refused in sets', async () => {
  const training = join(output, 'Small_train_unfiltered_5M.csv')
  expect(await refused('--retrieve', training)).toContain(
    'has training pairs; measure on a test file (--allow-training',
  )
  await mkdir(at('copies'))
  for (const name of ['top30pct_filtered_by_CLIP_openai', 'unfiltered_5M_language_polished']) {
    const copy = at('copies', `SkyScript_train_${name}.csv`)
    await copyFile(training, copy)
    expect(await refused('--retrieve', copy, '--root', output)).toContain('has training pairs')
  }
  const paths = [images.test[0]!, images.train[1]!, images.train[0]!]
  const csv = await write(at('copies', 'mine.csv'), labels(paths))
  const classify = ['--classify', csv, '--classes', at('classes.txt'), '--root', output]
  const found = `line 3: ${images.train[1]} is for training in ${output} (2 images in all)`
  const warned = await evaluate(...classify, '--json')
  expect([warned.code, JSON.parse(warned.stdout).n, warned.stderr]).toEqual([0, 3, expect.stringContaining(found)])
  const allowed = await evaluate(...classify, '--allow-training', '--json')
  expect([allowed.code, allowed.stdout, allowed.stderr]).toEqual([0, warned.stdout, expect.not.stringContaining(found)])
  await mkdir(join(output, 'aid'))
  await copyFile(csv, join(output, 'aid', 'aid_img_txt_pairs_test.csv'))
  await copyFile(at('classes.txt'), join(output, 'aid', 'classnames.txt'))
  expect(await refused('--benchmarks', output, '--set', 'aid')).toContain(`${found}; leave training images out.`)
  await rm(join(output, 'aid'), { recursive: true })
  await writeFile(csv, labels(images.test))
  const { code, stderr } = await evaluate(...classify)
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('is for training')])
})

test('training images are found in a set as files and as pictures', async () => {
  const [test1, train1, train2] = [
    images.test[0]!,
    images.train[0]!,
    images.train.find((path) => path.includes('_CH_'))!,
  ]
  await mkdir(at('other', 'images'), { recursive: true })
  const names = ['images/0.jpg', 'images/1.jpg', 'images/2.jpg']
  await copyFile(join(output, test1), at('other', names[0]!))
  await copyFile(join(output, test1), at('other', names[1]!))
  await copyFile(join(output, test1), at('other', names[2]!))
  const csv = await write(at('other', 'pairs.csv'), labels(names))
  const given = ['--classify', csv, '--classes', at('classes.txt'), '--training', output]
  expect((await evaluate(...given)).code).toBe(0)
  await copyFile(join(output, train1), at('other', names[1]!))
  expect(await refused(...given)).toContain(
    `1 of 3 images of ${csv} are among the training images of ${output}: images/1.jpg is the same file as ${train1};`,
  )
  await copyFile(join(output, test1), at('other', names[1]!))
  await sharp(join(output, train2)).modulate({ brightness: 1.03 }).png().toFile(at('other', names[2]!))
  expect(await refused(...given)).toContain(`images/2.jpg looks like ${train2};`)
  expect(await refused(...given.slice(0, -1), at('other'))).toContain('has no manifest.parquet; name the folder')
})

test('results are saved beside the dataset, ordered, and replaced by set, column and model', async () => {
  const csv = labels(images.test).replace('label', 'label_v1')
  const set = join(output, 'benchmarks', 'kinds')
  await write(join(set, 'img_txt_pairs_test.csv'), csv)
  await write(join(set, 'classnames_v1.txt'), `${CLASSES.join('\n')}\n`)
  const classes = CLASSES.map((name) => ({ name, images: 1, doubtful: 0, disputed: 0 }))
  const record = {
    ...{ name: 'kinds', task: 'classification', prompts: 'SkyScript_cls', images: images.test.length, from: 'test' },
    ...{ labels: [{ column: 'label_v1', file: 'classnames_v1.txt', classes }], excluded: {}, sha256: sha256(csv) },
  }
  await write(join(set, 'benchmark.json'), JSON.stringify(record))
  const given = ['--benchmarks', output, '--save', output, '--json']
  const { code, stdout, stderr } = await evaluate(...given)
  expect(code, stderr).toBe(0)
  const [result] = JSON.parse(stdout)
  const lock = JSON.parse(await readFile(join(output, 'dataset.lock.json'), 'utf8'))
  expect(result).toMatchObject({ split: 'test', dataset: lock.fingerprint, map: lock.inputs[0].replicationTimestamp })
  const file = join(output, 'evaluations.json')
  const saved = JSON.parse(await readFile(file, 'utf8'))
  const { split: _, skipped: __, textsCut: ___, ...kept } = result
  expect(saved).toEqual([kept])
  const others = [
    { ...kept, set: 'zebra' },
    { ...kept, model: 'a-model' },
    { ...kept, result: { ...kept.result, top1: 0.25 } },
  ]
  await writeFile(file, JSON.stringify(others))
  expect((await evaluate(...given)).code).toBe(0)
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual([
    { ...kept, model: 'a-model' },
    kept,
    { ...kept, set: 'zebra' },
  ])
  expect(await readFile(join(output, 'report', 'evaluations.html'), 'utf8')).toContain('a-model')
  await mkdir(at('twice'))
  for (const name of ['a', 'b']) await symlink(output, at('twice', name))
  await writeFile(file, '[]')
  const twice = await evaluate('--benchmarks', at('twice'), '--save', output, '--json')
  const names = JSON.parse(twice.stdout).map((each: { set: string }) => each.set)
  expect(names, twice.stderr).toEqual(['a/benchmarks/kinds', 'b/benchmarks/kinds'])
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual([kept])
  await writeFile(file, '{}')
  expect(await refused(...given)).toContain('evaluations.json of')
})
