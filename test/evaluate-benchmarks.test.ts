// @module-tag slow
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startInferenceServer } from '../packages/filter/test/support/inference-server.ts'
import { makeFolder } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { MODEL } from './support/town.ts'

const CLASSES = ['natural water', 'road of residential', 'landuse of grass', 'roof shape of flat', 'beach', 'building']
const IMAGES = 12

let folder: Awaited<ReturnType<typeof makeFolder>>
const at = (...names: string[]) => join(folder.path, ...names)
const evaluate = (...args: string[]) => skyscriptHere(['evaluate', '--model', MODEL, ...args])
async function resultsOf(...args: string[]) {
  const { code, stdout, stderr } = await evaluate(...args, '--json')
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout)
}

const label = (i: number) => CLASSES[(i * 5) % CLASSES.length]!
const captionsOf = (i: number) => [`${label(i)} ${i % 4}`, `a satellite image of ${label(i + 1)}`].slice(0, 1 + (i % 2))
const picture = (i: number) =>
  sharp({
    create: {
      ...{ width: 40 + i, height: 60 - i, channels: 3 },
      background: { r: (i * 83) % 256, g: (i * 41) % 256, b: (i * 149) % 256 },
    },
  })

async function write(path: string, text: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

const lines = (items: readonly string[]) => items.map((item) => `${item}\n`).join('')
const indexes = Array.from({ length: IMAGES }, (_, i) => i)

/** Images below `where`, and the rows of a CSV with paths below `prefix`. */
async function writeImages(where: string, prefix: string): Promise<string[]> {
  await mkdir(where, { recursive: true })
  for (const i of indexes)
    await picture(i)
      .png()
      .toFile(join(where, `${i}.png`))
  return indexes.map((i) => `${prefix}${i}.png`)
}

/** A shard by the tar program, with members in the order of their names. */
async function writeShard(path: string, members: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  const content = `${path}.content`
  for (const [name, bytes] of Object.entries(members)) await write(join(content, name), bytes)
  await promisify(execFile)('tar', ['-C', content, '-cf', path, ...Object.keys(members).sort()])
  await rm(content, { recursive: true })
}

beforeAll(async () => {
  folder = await makeFolder('evaluate-benchmarks')
  process.env.SKYSCRIPT_CACHE = at('cache')
  const aid = await writeImages(at('root/aid/images'), 'aid/images/')
  await write(
    at('root/aid/aid_img_txt_pairs_test.csv'),
    `filepath,title,label\n${lines(aid.map((path, i) => `${path},x,${label(i)}`))}`,
  )
  await write(at('root/aid/classnames.txt'), lines(CLASSES))
  const roofs = aid.map((path, i) => `${path},${label(i)},${label(i).split(' ')[0]}`)
  await write(at('root/roof_shape/img_txt_pairs_test.csv'), `filepath,label_v1,label_v2\n${lines(roofs)}`)
  await write(at('root/roof_shape/classnames_v1.txt'), lines(CLASSES))
  await write(at('root/roof_shape/classnames_v2.txt'), lines(CLASSES.map((name) => name.split(' ')[0]!)))
  const captions = aid.flatMap((path, i) => captionsOf(i).map((caption) => `${path},${caption}`))
  await write(at('root/RSICD/RSICD_img_txt_pairs_test.csv'), `filepath,title\n${lines(captions)}`)

  // A dataset with a set of its own: paths are relative to the dataset, two folders above the CSV.
  const own = await writeImages(at('root/town/images2'), 'images2/')
  const csv = `filepath,title,label\n${lines(own.map((path, i) => `${path},x,${label(i)}`))}`
  await write(at('root/town/benchmarks/kinds/img_txt_pairs_test.csv'), csv)
  await write(at('root/town/benchmarks/kinds/classnames.txt'), lines(CLASSES))
  const classes = CLASSES.map((name) => ({ name, images: 2, doubtful: 0, disputed: 0 }))
  const record = {
    ...{ name: 'kinds', task: 'classification', prompts: ['an image of {c} from above'] },
    ...{ labels: [{ column: 'label', file: 'classnames.txt', classes }], images: IMAGES, from: 'test', excluded: {} },
    sha256: createHash('sha256').update(csv).digest('hex'),
  }
  await write(at('root/town/benchmarks/kinds/benchmark.json'), JSON.stringify(record))

  // CLIP_benchmark's layout, in two shards, with images as WebP and PNG.
  const images = await Promise.all(
    indexes.map((i) => (i % 2 === 0 ? picture(i).png() : picture(i).webp({ lossless: true })).toBuffer()),
  )
  const nameOf = (i: number) => `s${String(i).padStart(6, '0')}`
  for (const [name, textOf] of [
    ['wds-classes', (i: number) => ({ cls: `${CLASSES.indexOf(label(i))}` })],
    ['wds-captions', (i: number) => ({ txt: captionsOf(i).join('\n') })],
  ] as const) {
    await write(at('root', name, 'test/nshards.txt'), '2')
    for (const shard of [0, 1]) {
      const members: Record<string, string | Uint8Array> = {}
      for (const i of indexes.filter((each) => Math.floor(each / 6) === shard)) {
        members[`${nameOf(i)}.${i % 2 === 0 ? 'png' : 'webp'}`] = images[i]!
        for (const [type, text] of Object.entries(textOf(i))) members[`${nameOf(i)}.${type}`] = text
      }
      await writeShard(at('root', name, `test/${shard}.tar`), members)
    }
  }
  await write(at('root/wds-classes/classnames.txt'), `${lines(CLASSES)}\n`)
  await write(at('root/wds-classes/zeroshot_classification_templates.txt'), 'an image of {c} from above\n')
  await write(at('root/wds-captions/dataset_type.txt'), 'retrieval\n')
})
afterAll(() => folder?.remove())

const NAMES = [
  ...['aid label', 'roof_shape label_v1', 'roof_shape label_v2', 'RSICD title', 'kinds label', 'wds-captions txt'],
  'wds-classes cls',
]

test('every set below a folder is measured as the calls for one CSV measure it', async () => {
  const all = (await resultsOf('--benchmarks', at('root'))) as { set: string; column: string; result: object }[]
  expect(all.map(({ set, column }) => `${set} ${column}`)).toEqual(NAMES)
  // Now all embeddings come from the cache, and then none does.
  expect(await resultsOf('--benchmarks', at('root'))).toEqual(all)
  expect(await resultsOf('--benchmarks', at('root'), '--no-cache')).toEqual(all)
  const result = (name: string) => all.find(({ set, column }) => `${set} ${column}` === name)!.result
  const classify = (csv: string, list: string, ...more: string[]) =>
    resultsOf('--classify', at('root', csv), '--classes', at('root', list), ...more)
  const root = ['--root', at('root')]
  const csv = 'aid/aid_img_txt_pairs_test.csv'
  expect(result('aid label')).toEqual(await classify(csv, 'aid/classnames.txt', ...root))
  const roofs = ['--label-column', 'label_v2', '--prompts', 'roof_shape', ...root]
  expect(result('roof_shape label_v2')).toEqual(
    await classify('roof_shape/img_txt_pairs_test.csv', 'roof_shape/classnames_v2.txt', ...roofs),
  )
  await write(at('prompts.txt'), 'an image of {c} from above\n')
  const kinds = await classify(csv, 'aid/classnames.txt', ...root, '--prompts', at('prompts.txt'))
  expect(result('kinds label')).toEqual(kinds)
  expect(result('wds-classes cls')).toEqual(kinds)
  const captions = ['--caption-column', 'title', ...root]
  const retrieve = ['--retrieve', at('root/RSICD/RSICD_img_txt_pairs_test.csv'), ...captions]
  expect(result('RSICD title')).toEqual(await resultsOf(...retrieve, '--caption-prefix', 'a satellite image. '))
  expect(result('wds-captions txt')).toEqual(await resultsOf(...retrieve))
})

test('a result records split and content, whose hash does not depend on the order of rows', async () => {
  const before = await resultsOf('--benchmarks', at('root'), '--set', 'aid', 'kinds')
  expect(before[0]).toMatchObject({ set: 'aid', task: 'classification', split: 'test', dataset: null, skipped: {} })
  expect(before[0].content).toMatch(/^[0-9a-f]{64}$/)
  // The same pictures with the same labels.
  expect(before[1].content).toBe(before[0].content)
  const path = at('root/aid/aid_img_txt_pairs_test.csv')
  const text = await readFile(path, 'utf8')
  const [header, ...rows] = text.trimEnd().split('\n')
  await writeFile(path, lines([header!, ...rows.toReversed()]))
  const shuffled = await resultsOf('--benchmarks', at('root'), '--set', 'aid')
  expect(shuffled).toEqual([before[0]])
  await writeFile(path, lines([header!, ...rows.slice(1), rows[0]!.replace(label(0), label(1))]))
  expect((await resultsOf('--benchmarks', at('root'), '--set', 'aid'))[0].content).not.toBe(before[0].content)
  await writeFile(path, text)
})

test('the table has a line for each set, and --at-least names a set', async () => {
  const given = ['--benchmarks', at('root'), '--set', 'RSICD', 'aid', 'roof_shape']
  const low = await evaluate(...given, '--at-least', 'aid.top5=0.1', '--at-least', 'roof_shape.label_v1.top1=0.999')
  expect(low.code).toBe(1)
  const names = low.stdout.split('\n').map((line) => line.split(/ {2,}/)[0])
  expect(names).toEqual([
    ...['classification', 'aid', 'roof_shape.label_v1', 'roof_shape.label_v2', ''],
    ...['retrieval', 'RSICD, image to text', 'RSICD, text to image', ''],
  ])
  expect(low.stderr).toMatch(/roof_shape\.label_v1\.top1 is 0\.\d+, below 0\.999/)
  expect(low.stderr).not.toContain('aid.top5 is')
  const recall = await evaluate(
    '--benchmarks',
    at('root'),
    '--set',
    'RSICD',
    '--at-least',
    'RSICD.image_to_text.R@100=1',
  )
  expect(recall.code, recall.stderr).toBe(0)
  const unknown = await evaluate(...given, '--at-least', 'aid.label.top1=0.5')
  expect([unknown.code, unknown.stdout]).toEqual([1, ''])
  expect(unknown.stderr).toContain('it must be one of aid.top1, aid.top5, roof_shape.label_v1.top1')
  for (const name of ['kinds', 'kinds.v2']) await cp(at('root/wds-classes'), at('dotted', name), { recursive: true })
  const dotted = await evaluate('--benchmarks', at('dotted'), '--at-least', 'kinds.v2.top1=0.999')
  expect([dotted.code, dotted.stderr]).toEqual([1, expect.stringMatching(/kinds\.v2\.top1 is 0\.\d+, below 0\.999/)])
  const other = await evaluate('--benchmarks', at('root'), '--set', 'AID')
  expect(other.stderr).toContain('--set AID: there is no such set; found: aid, roof_shape, RSICD, kinds')
})

test("the original's headline is the mean top-1 over its seven sets of scenes, where all are there", async () => {
  const files = {
    aid: 'aid_img_txt_pairs_test.csv',
    eurosat: 'eurosat_img_txt_pairs_test.csv',
    fmow: 'fmow_img_txt_pairs_val.csv',
  }
  const trains = ['millionaid', 'patternnet', 'nwpu', 'rsicb256'].map(
    (name) => [name, 'img_txt_pairs_train.csv'] as const,
  )
  for (const [i, [name, csv]] of [...Object.entries(files), ...trains].entries()) {
    const paths = await writeImages(at('seven', name, 'x'), `${name}/x/`)
    await write(
      at('seven', name, csv),
      `filepath,label\n${lines(paths.map((path, j) => `${path},${label(j * (i + 1) + (i % 3))}`))}`,
    )
    await write(at('seven', name, 'classnames.txt'), lines(CLASSES))
  }
  const { code, stdout, stderr } = await evaluate(
    '--benchmarks',
    at('seven'),
    '--json',
    '--at-least',
    'average.top1=0.9',
  )
  const list = JSON.parse(stdout)
  const average = list.pop()
  expect(list).toHaveLength(7)
  const mean = list.reduce((sum: number, { result }: { result: { top1: number } }) => sum + result.top1, 0) / 7
  expect(average).toMatchObject({ set: 'average', result: { top1: expect.closeTo(mean, 12) } })
  expect([code, stderr]).toEqual([1, expect.stringContaining(`average.top1 is ${average.result.top1}, below 0.9`)])
})

test('a set that is not whole is refused in one sentence before the model is opened', async () => {
  const refused = async (...args: string[]) => {
    const { code, stdout, stderr } = await skyscriptHere(['evaluate', '--model', at('none'), ...args])
    expect([code, stdout, stderr.trim().split('\n').length]).toEqual([1, '', 1])
    return stderr
  }
  expect(await refused('--benchmarks', at('absent'))).toContain('there is no such folder')
  await mkdir(at('empty/folder'), { recursive: true })
  expect(await refused('--benchmarks', at('empty'))).toContain('there is no benchmark; it looks for')
  const kinds = at('root/town/benchmarks/kinds/img_txt_pairs_test.csv')
  const text = await readFile(kinds, 'utf8')
  await writeFile(kinds, `${text}images2/0.png,x,beach\n`)
  expect(await refused('--benchmarks', at('root'), '--set', 'kinds')).toContain('is not the file that benchmark.json')
  await writeFile(kinds, text)
  const shard = at('root/wds-classes/test/1.tar')
  const bytes = await readFile(shard)
  await writeFile(shard, bytes.subarray(0, 1000))
  expect(await refused('--benchmarks', at('root'), '--set', 'wds-classes')).toMatch(
    /1\.tar can't be read as a tar file/,
  )
  await rm(shard)
  expect(await refused('--benchmarks', at('root'), '--set', 'wds-classes')).toContain('but nshards.txt counts it')
  await writeShard(shard, { 'a.png': 'x', 'a.cls': '6', 'b.cls': '0', 'c.png': 'x' })
  const given = ['--benchmarks', at('root'), '--set', 'wds-classes'] as const
  expect(await refused(...given)).toMatch(/test, sample 7: the label "6" is no line of .*classnames\.txt from 0 to 5/)
  const skipping = await resultsOf(...given, '--skip-missing')
  expect(skipping[0]).toMatchObject({ skipped: { 'unknown-label': 1, 'missing-image': 1, 'missing-label': 1 } })
  await writeFile(shard, bytes)
  expect(await refused('--benchmarks', at('root'), '--root', at('root'))).toContain(
    '--root has no effect with --benchmarks',
  )
})

test("models are compared side by side, with the original's published averages", async () => {
  await symlink(MODEL, at('other-model'))
  const server = await startInferenceServer(MODEL)
  const served = `${MODEL}@${server.url}`
  const given = ['evaluate', '--benchmarks', at('root'), '--set', 'aid', '--compare', MODEL, at('other-model')]
  const names = ['--vision', 'vision', '--text', 'text']
  try {
    const low = ['--at-least', 'aid.top1=0.999', '--json']
    const { code, stdout, stderr } = await skyscriptHere([...given, served, ...names, ...low])
    expect([code, stderr]).toEqual([1, expect.stringMatching(/other-model: aid\.top1 is 0\.\d+, below 0\.999/)])
    const { models, published } = JSON.parse(stdout)
    expect(models.map(({ model }: { model: string }) => model)).toEqual([MODEL, at('other-model'), served])
    const single = await resultsOf('--benchmarks', at('root'), '--set', 'aid')
    expect(models[0]).toEqual({ model: MODEL, average: null, evaluations: single })
    for (const { evaluations } of models) expect(evaluations[0].result).toEqual(single[0].result)
    expect(published).toContainEqual({ model: 'OpenAI', architecture: 'ViT-L-14', average: 0.5376 })
  } finally {
    await server.stop()
  }
  const wrong = await skyscriptHere([...given.slice(0, -1), at('no-model')])
  expect([wrong.code, wrong.stdout, wrong.stderr.trim().split('\n').length]).toEqual([1, '', 1])
  expect(wrong.stderr).toContain(`The model folder ${at('no-model')} lacks`)
  const twice = await skyscriptHere([...given, MODEL])
  expect([twice.code, twice.stderr]).toEqual([1, expect.stringContaining(`--compare names ${MODEL} twice`)])
  const needless = await skyscriptHere([...given, '--model', MODEL])
  expect([needless.code, needless.stderr]).toEqual([1, expect.stringContaining('--model has no effect with --compare')])
})
