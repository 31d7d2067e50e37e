import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { type Storage, sha256 } from '@skyscript/core'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { lacks, PYTHON } from '../../../../../test/support/needs.ts'
import { skyscriptHere } from '../../../../../test/support/skyscript-here.ts'
import { openFolder } from '../../../../worker/src/storages/folder.ts'
import { openWithSets, ROOFS, storeWithSets, TEST_SETS, type TestSet } from '../../../test/support/benchmark-sets.ts'
import { python, withFolder } from '../../../test/support/finished-dataset.ts'
import { MemoryStorage } from '../../../test/support/memory-storage.ts'
import { createTestDataset } from '../../../test/support/test-dataset.ts'
import { byCodePoints, classFolders } from './class-folders.ts'
import { chooseBenchmarks, type LabelObject, openSets, SET_LAYOUTS, writeSets } from './index.ts'

type Layout = keyof typeof SET_LAYOUTS
const LAYOUTS = Object.keys(SET_LAYOUTS) as Layout[]

/** Of another address than the dataset. */
const newTarget = () => Object.assign(new MemoryStorage(), { url: 'memory:export' })

async function exportSets(
  layout: Layout,
  {
    target = newTarget() as Storage,
    names = [] as string[],
    shardBytes = 1e8,
    dataset = openWithSets(),
    labelObject,
  }: {
    readonly target?: Storage
    readonly names?: readonly string[]
    readonly shardBytes?: number
    readonly dataset?: ReturnType<typeof openWithSets>
    readonly labelObject?: LabelObject
  } = {},
) {
  const opened = await dataset
  const chosen = (await chooseBenchmarks(opened, names)).filter((set) => SET_LAYOUTS[layout].refusal(set) === null)
  const written = await writeSets(opened, target, await openSets(opened, chosen, labelObject), SET_LAYOUTS[layout], {
    promptsOf: ({ record: { prompts } }) => (typeof prompts === 'string' ? ['a photo of {c}.'] : prompts),
    shardBytes,
    signal: new AbortController().signal,
    progress: () => ({ update() {}, end() {} }),
  })
  return { written, files: (target as MemoryStorage).files }
}

const textOf = (files: ReadonlyMap<string, Uint8Array>, path: string) => Buffer.from(files.get(path)!).toString('utf8')

test.each(LAYOUTS)('%s: equal datasets give equal bytes, and SHA256SUMS has the hash of every file', async (layout) => {
  const { files } = await exportSets(layout)
  expect((await exportSets(layout)).files).toEqual(files)
  const due = [...files].filter(([path]) => path !== 'SHA256SUMS').map(([path, bytes]) => `${sha256(bytes)}  ${path}`)
  expect(textOf(files, 'SHA256SUMS').trimEnd().split('\n').sort()).toEqual(due.sort())
  expect([...files.keys()].at(-1)).toBe('SHA256SUMS')
})

test.each(LAYOUTS)(
  '%s: an image that is not as the manifest says ends the export, which leaves nothing',
  async (layout) => {
    const cases = [
      ['image-missing', (storage: MemoryStorage) => storage.files.delete('images4/n1008_S2_21.jpg')],
      ['image-changed', (storage: MemoryStorage) => storage.files.set('images4/n1008_S2_21.jpg', Buffer.from('x'))],
      [
        'file-changed',
        (storage: MemoryStorage) => storage.files.set('SkyScript_cls/img_txt_pairs_val.csv', Buffer.from('x')),
      ],
      [
        'file-changed',
        (storage: MemoryStorage) => storage.files.set('benchmarks/farm/benchmark.json', Buffer.from('{}')),
      ],
      ['file-changed', (storage: MemoryStorage) => storage.files.set('ATTRIBUTION.md', Buffer.from('x'))],
    ] as const
    for (const [code, change] of cases) {
      const dataset = await openWithSets()
      change(dataset.storage)
      const target = newTarget()
      await expect(exportSets(layout, { target, dataset: Promise.resolve(dataset) })).rejects.toMatchObject({ code })
      expect([...target.files.keys()]).toEqual([])
    }
  },
)

test.each(LAYOUTS)('%s: a new export replaces that of the same set and keeps the others', async (layout) => {
  const target = newTarget()
  await exportSets(layout, { target, names: ['farm'] })
  const farm = [...target.files.keys()].filter((path) => path.startsWith('farm'))
  await exportSets(layout, { target, names: ['SkyScript_cls'], shardBytes: 1 })
  const more = target.files.size
  // Now of fewer images and in fewer shards, over one that was killed halfway.
  const fewer = TEST_SETS.map((set): TestSet => (set.folder === 'SkyScript_cls' ? { ...set, images: 5 } : set))
  if (layout !== 'benchmark-zip') target.files.set('SkyScript_cls/.unfinished', Buffer.from(''))
  await exportSets(layout, { target, names: ['SkyScript_cls'], dataset: openWithSets(fewer) })
  if (layout === 'image-folder') expect(target.files.size).toBe(more - 10)
  if (layout === 'clip-benchmark') expect(target.files.size).toBe(more - 14)
  const both = await exportSets(layout, { names: ['farm', 'SkyScript_cls'], dataset: openWithSets(fewer) })
  expect([...target.files].sort(([a], [b]) => (a < b ? -1 : 1))).toEqual(
    [...both.files].sort(([a], [b]) => (a < b ? -1 : 1)),
  )
  for (const path of farm) expect(textOf(target.files, 'SHA256SUMS')).toContain(`  ${path}\n`)
})

test('files of others in the place of a set are never removed', async () => {
  for (const layout of ['image-folder', 'clip-benchmark', 'hugging-face'] as const) {
    const target = newTarget()
    target.files.set('SkyScript_cls/val/a1000_DE_.jpg', Buffer.from('theirs'))
    await expect(exportSets(layout, { target })).rejects.toThrow(
      'has SkyScript_cls/val/a1000_DE_.jpg, which no export wrote; choose another folder with --to.',
    )
    expect([...target.files.keys()]).toEqual(['SkyScript_cls/val/a1000_DE_.jpg'])
  }
})

test('clip-benchmark has shards from 0 on, each sample with a label, and captions of an image on lines', async () => {
  const { files } = await exportSets('clip-benchmark', { shardBytes: 8000 })
  const shards = Number(textOf(files, 'SkyScript_cls/test/nshards.txt'))
  expect(shards).toBe(5)
  const paths = [...files.keys()].filter((path) => path.startsWith('SkyScript_cls/'))
  expect(paths).toEqual([
    ...['SkyScript_cls/classnames.txt', 'SkyScript_cls/zeroshot_classification_templates.txt'],
    ...['SkyScript_cls/train/0.tar', 'SkyScript_cls/train/nshards.txt'],
    ...[0, 1, 2, 3, 4].map((n) => `SkyScript_cls/test/${n}.tar`),
    'SkyScript_cls/test/nshards.txt',
  ])
  expect(textOf(files, 'SkyScript_cls/classnames.txt')).toBe('beach\nhospital\nglacier\nisland\nlake\n')
  expect(textOf(files, 'farm/zeroshot_classification_templates.txt')).toBe('a {c}, {{from}} above\nseen: {c}\n')
  expect(textOf(files, 'SkyScript_retrieval/dataset_type.txt')).toBe('retrieval\n')
})

/** Names and texts of a tar file's members. */
function membersOf(tar: Uint8Array): Map<string, string> {
  const members = new Map<string, string>()
  const bytes = Buffer.from(tar)
  for (let at = 0; bytes[at] !== 0; ) {
    const name = bytes.toString('latin1', at, bytes.indexOf(0, at))
    const size = Number.parseInt(bytes.toString('latin1', at + 124, at + 135), 8)
    members.set(name, bytes.toString('utf8', at + 512, at + 512 + size))
    at += 512 + Math.ceil(size / 512) * 512
  }
  return members
}

test('train has the training images that show a class by the same tags, and nothing of val or test', async () => {
  const { rows } = await createTestDataset()
  const labelObject: LabelObject = ({ record: { name } }, tags) => {
    if (name === 'roof_shape') return tags['roof:shape'] === 'gabled' ? [ROOFS.label_v1[1], ROOFS.label_v2[1]] : null
    return [tags.landuse === 'forest' ? 'glacier' : 'a class that the set lacks']
  }
  const { files, written } = await exportSets('clip-benchmark', { labelObject, names: ['SkyScript_cls', 'roof_shape'] })
  const due = (isShown: (i: number) => boolean, label: number) =>
    rows
      .filter(({ split }, i) => split === 'train' && isShown(i))
      .map(({ filepath }) => [`${basename(filepath, '.jpg')}.cls`, String(label)])
  const labelsOf = (path: string) => [...membersOf(files.get(path)!)].filter(([name]) => name.endsWith('.cls'))
  expect(labelsOf('SkyScript_cls/train/0.tar')).toEqual(due((i) => i % 2 === 0, 2))
  for (const folder of ['roof_shape', 'roof_shape_v2'])
    expect(labelsOf(`${folder}/train/0.tar`)).toEqual(due((i) => i % 2 === 1, 1))
  expect(written.flatMap(({ notes }) => notes)).toEqual([])
  const without = await exportSets('clip-benchmark', { names: ['SkyScript_cls'] })
  expect(membersOf(without.files.get('SkyScript_cls/train/0.tar')!).size).toBe(0)
  expect(textOf(without.files, 'SkyScript_cls/train/nshards.txt')).toBe('1\n')
  expect(without.written[0]!.notes).toEqual(['SkyScript_cls/train is empty: no train image shows one of the classes'])
})

test('several captions of an image are lines of one sample', async () => {
  const dataset = await openWithSets()
  const csv = 'SkyScript_retrieval/img_txt_pairs_test.csv'
  const twice = `${textOf(dataset.storage.files, csv)}images2/a1000_DE_.jpg,t,a second caption\n`
  dataset.storage.files.set(csv, Buffer.from(twice))
  Object.assign(dataset.lock.files, { [csv]: sha256(twice) })
  const { files } = await exportSets('clip-benchmark', {
    names: ['SkyScript_retrieval'],
    dataset: Promise.resolve(dataset),
  })
  const tar = textOf(files, 'SkyScript_retrieval/test/0.tar')
  expect(tar).toContain('a satellite image of landuse of forest\na second caption\0')
  expect(tar.match(/\.jpg\0/g)).toHaveLength(10)
})

const UNPACK = `
import json, os, sys, zipfile
root = sys.argv[1]
for name in sorted(os.listdir(root)):
    if name.endswith('.zip'):
        with zipfile.ZipFile(os.path.join(root, name)) as file:
            assert file.testzip() is None
            file.extractall(root)
print(json.dumps(sorted(os.path.join(os.path.relpath(folder, root), f) for folder, _, files in os.walk(root) for f in files)))
`

test.skipIf(lacks(PYTHON))(
  "zip files of sets unpack to the original's folders, with paths that begin with the set",
  () =>
    withFolder(async (folder) => {
      const dataset = await openWithSets()
      await exportSets('benchmark-zip', { target: await openFolder(folder), dataset: Promise.resolve(dataset) })
      const files = python<string[]>(UNPACK, folder)
      const read = (path: string) => readFile(join(folder, path), 'utf8')
      expect(await read('SkyScript_cls/classnames.txt')).toBe('beach\nhospital\nglacier\nisland\nlake\n')
      for (const [csv, original, part] of [
        ['SkyScript_cls/img_txt_pairs_val.csv', 'SkyScript_cls/img_txt_pairs_val.csv', 'SkyScript_cls/val'],
        ['roof_shape/img_txt_pairs_test.csv', 'roof_shape/img_txt_pairs_test.csv', 'roof_shape/test'],
        ['farm/img_txt_pairs_test.csv', 'benchmarks/farm/img_txt_pairs_test.csv', 'farm/test'],
        [
          'SkyScript_retrieval/img_txt_pairs_test.csv',
          'SkyScript_retrieval/img_txt_pairs_test.csv',
          'SkyScript_retrieval/test',
        ],
      ] as const) {
        const text = await read(csv)
        const before = textOf(dataset.storage.files, original)
        expect(text).toBe(before.replaceAll(/^images\d\//gm, `${part}/`))
        for (const [path] of text.matchAll(/^\S+\.jpg/gm)) {
          const image = [...dataset.storage.files].find(
            ([key]) => /^images/.test(key) && key.endsWith(path!.slice(part.length)),
          )
          expect((await readFile(join(folder, path!))).equals(Buffer.from(image![1]))).toBe(true)
        }
        const record = JSON.parse(await read(csv.replace(/img.*/, 'benchmark.json')))
        expect(record.sha256).toBe(sha256(text))
      }
      expect(files).toContain('roof_shape/classnames_v2.txt')
      expect(files).toContain('farm/prompts.txt')
      expect(files).toContain('farm/ATTRIBUTION.md')
    }),
)

test('every class gets a folder of its own that any file system can hold, and its own name where that is possible', () => {
  expect(
    classFolders(['airport apron', 'a/b', 'a\\b', '.', '..', '.x', 'x.', 'nul.txt', 'A/B', '', 'x\u0000y']),
  ).toEqual([...['airport apron', 'a_b', 'a_b_2', '_', '__', '_x', 'x_', 'nul.txt_', 'A_B_3', '__2', 'x_y']])
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 80 }), { maxLength: 8 }), (classes) => {
      const folders = classFolders(classes)
      expect(new Set(folders.map((folder) => folder.toLowerCase())).size).toBe(classes.length)
      const isFit = (name: string) =>
        /^[^./\\:*?"<>|\p{Cc}\p{Cs}][^/\\:*?"<>|\p{Cc}\p{Cs}]*(?<![. ])$/u.test(name) && Buffer.byteLength(name) < 256
      expect(folders.filter((name) => !isFit(name))).toEqual([])
    }),
  )
  expect(classFolders(['é'.repeat(300)])[0]).toBe('é'.repeat(100))
  expect(['｡', '𐀀', 'b', 'B'].sort(byCodePoints)).toEqual(['B', 'b', '｡', '𐀀'])
})

let folder: string | undefined
afterEach(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  folder = undefined
})

test('the command exports all sets or those that are named, and says in one sentence what it cannot', async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-sets-'))
  const at = (name: string) => join(folder!, name)
  for (const [name, sets] of [
    ['town', TEST_SETS],
    ['none', []],
    ['captions', TEST_SETS.slice(-1)],
  ] as const) {
    for (const [path, bytes] of (await storeWithSets(sets)).files) {
      await mkdir(dirname(join(at(name), path)), { recursive: true })
      await writeFile(join(at(name), path), bytes)
    }
  }
  const run = (dataset: string, format: string, ...args: string[]) =>
    skyscriptHere(['export', at(dataset), '--format', format, ...args])
  const all = await run('town', 'image-folder', '--json')
  expect(all.code, all.stderr).toBe(0)
  expect(JSON.parse(all.stdout)).toMatchObject({
    ...{ format: 'image-folder', target: join(at('town'), 'export/image-folder') },
    sets: [
      { set: 'SkyScript_cls', images: 15 },
      { set: 'farm', images: 12 },
      { set: 'roof_shape', images: 8 },
    ],
  })
  expect(all.stderr).toContain('SkyScript_retrieval has captions, not classes')
  const sorted = await readFile(join(at('town'), 'export/image-folder/SkyScript_cls/classnames.txt'), 'utf8')
  expect(sorted).toBe('beach\nglacier\nhospital\nisland\nlake\n')
  expect(all.stderr).toContain('1 class of farm without images left out')
  const some = await run(
    'town',
    'benchmark-zip',
    '--benchmark',
    'roof_shape',
    '--benchmark',
    'benchmarks/farm',
    '--to',
    at('zip'),
  )
  expect(some.stdout).toContain('roof_shape')
  expect(await readFile(join(at('zip'), 'SHA256SUMS'), 'utf8')).toMatch(/ {2}farm\.zip\n.* {2}roof_shape\.zip\n$/)
  const refused = [
    [
      await run('none', 'clip-benchmark'),
      `${at('none')} has no benchmark sets; make them with skyscript benchmark ${at('none')}.`,
    ],
    [
      await run('town', 'hugging-face', '--benchmark', 'roofs'),
      'no benchmark set "roofs"; choose from SkyScript_cls, SkyScript_retrieval, farm, roof_shape.',
    ],
    [
      await run('town', 'image-folder', '--benchmark', 'SkyScript_retrieval'),
      "can't be exported with --format image-folder; use another format.",
    ],
    [await run('captions', 'image-folder'), "can't be exported with --format image-folder; use another format."],
    [
      await run('town', 'clip-benchmark', '--to', at('town')),
      "can't be written into the dataset itself; leave out --to",
    ],
    [await run('town', 'image-folder', '--shard-bytes', '9'), '--shard-bytes has no effect with --format image-folder'],
  ] as const
  for (const [{ code, stdout, stderr }, message] of refused) {
    expect(stderr).toContain(message)
    expect([code, stdout]).toEqual([1, ''])
  }
})
