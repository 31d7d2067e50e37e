import { readdirSync } from 'node:fs'
import { sha256 } from '@skyscript/core'
import { expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { lacks, PYTHON } from '../../../../test/support/needs.ts'
import { openFolder } from '../../../worker/src/storages/folder.ts'
import { openTestDataset, python, withFolder } from '../../test/support/finished-dataset.ts'
import { MemoryStorage } from '../../test/support/memory-storage.ts'
import type { TestRow } from '../../test/support/test-dataset.ts'
import { chooseSets, type FinishedDataset } from './dataset.ts'
import { exportWebdataset, type WebdatasetOptions } from './webdataset.ts'

const signal = new AbortController().signal
const TRAIN = 'SkyScript-Town_train_unfiltered_5M.csv'

function optionsFor(dataset: FinishedDataset, names: readonly string[] = []): WebdatasetOptions {
  return {
    sets: chooseSets(dataset, names).map((set) => ({ set, folder: names.length > 0 ? set.name : set.part })),
    shardBytes: 20_000,
    caption: 'title',
    signal,
    progress: () => ({ update() {}, end() {} }),
  }
}

async function exported(dataset: FinishedDataset, options = optionsFor(dataset)) {
  const target = new MemoryStorage()
  const sets = await exportWebdataset(dataset, target, options)
  return { target, sets }
}

const READER = `
import hashlib, json, os, sys, tarfile
root = sys.argv[1]
result = {}
for folder in sorted(os.listdir(root)):
    if folder.endswith('.md'):
        continue
    sizes = json.load(open(os.path.join(root, folder, 'sizes.json')))
    samples = []
    for shard, size in sizes.items():
        path = os.path.join(root, folder, shard)
        with tarfile.open(path) as tar:
            members = tar.getmembers()
            assert len(members) == 3 * size, (shard, len(members))
            for i in range(0, len(members), 3):
                files = {}
                for member in members[i:i + 3]:
                    assert member.isreg() and member.mtime == member.uid == member.gid == 0, member.name
                    key, extension = member.name.split('.')
                    files[extension] = tar.extractfile(member).read()
                    files['key'] = key
                assert len({m.name.split('.')[0] for m in members[i:i + 3]}) == 1
                row = json.loads(files['json'])
                assert hashlib.sha256(files['jpg']).hexdigest() == row['sha256']
                samples.append([files['key'], files['txt'].decode(), row])
    result[folder] = samples
print(json.dumps(result))
`

test.skipIf(lacks(PYTHON))("Python's tarfile reads every pair of the three sets with its image, row and caption", () =>
  withFolder(async (folder) => {
    let rows: TestRow[] = []
    const dataset = await openTestDataset((d) => {
      rows = d.rows
    })
    const sets = await exportWebdataset(dataset, await openFolder(folder), optionsFor(dataset))
    const read = python<Record<string, [string, string, Record<string, unknown>][]>>(READER, folder)
    expect(Object.keys(read)).toEqual(['test', 'train', 'val'])
    expect(sets[0]!.urls).toBe('train/{00000..00004}.tar')
    const keys = (of: readonly TestRow[]) => of.map(({ filepath }) => filepath.slice(8, -4)).sort()
    expect(read.train!.map(([key]) => key).sort()).toEqual(keys(rows.filter(({ split }) => split === 'train')))
    for (const [key, caption, json] of read.train!) {
      const row = rows.find(({ filepath }) => filepath.includes(`/${key}.`))!
      expect(caption).toBe(row.title)
      expect(json).toEqual({
        ...row,
        time: row.time?.toISOString() ?? null,
      })
    }
  }),
)

test('the same dataset gives the same bytes, and pairs are not ordered by place', async () => {
  const [first, second] = await Promise.all([0, 1].map(async () => exported(await openTestDataset())))
  expect(second!.target.files).toEqual(first!.target.files)
  const shard = Buffer.from(first!.target.files.get('train/00000.tar')!).toString('latin1')
  const ids = [...shard.matchAll(/"id":"\w(\d+)"/g)].map(([, id]) => Number(id))
  expect(ids).not.toEqual(ids.toSorted())
  const other = await exported(await openTestDataset((d) => Object.assign(d.lock.config, { seed: 7 })))
  expect(other.target.files.get('train/00000.tar')).not.toEqual(first!.target.files.get('train/00000.tar'))
})

test('no shard exceeds the maximum size, except one with a single larger pair', async () => {
  const dataset = await openTestDataset()
  for (const shardBytes of [20_000, 1]) {
    const { target, sets } = await exported(dataset, { ...optionsFor(dataset), shardBytes })
    const { shards, samples, bytes } = sets[0]!
    expect(shards.length).toBe(shardBytes === 1 ? samples : 5)
    for (const { name, samples: count, bytes: size, sha256: hash } of shards) {
      const file = target.files.get(`train/${name}`)!
      expect(file.length).toBe(size)
      expect(sha256(file)).toBe(hash)
      expect(count === 1 || size <= shardBytes).toBe(true)
    }
    expect(bytes).toBe(shards.reduce((sum, shard) => sum + shard.bytes, 0))
  }
})

test('a set chosen by name has the pairs of its CSV, with the chosen caption', async () => {
  const dataset = await openTestDataset()
  const options = optionsFor(dataset, ['train_top30pct_laion_RS'])
  const { target, sets } = await exported(dataset, { ...options, caption: 'title_multi_objects' })
  expect(sets).toMatchObject([{ set: 'train_top30pct_laion_RS', folder: 'train_top30pct_laion_RS' }])
  const csv = Buffer.from(dataset.storage.files.get(sets[0]!.csv)!).toString()
  const tars = [...target.files].filter(([path]) => path.endsWith('.tar')).map(([, bytes]) => Buffer.from(bytes))
  const text = Buffer.concat(tars).toString('latin1')
  const paths = [...text.matchAll(/"filepath":"([^"]+)"/g)].map(([, path]) => path!)
  expect(paths.length).toBe(sets[0]!.samples)
  expect(csv.trim().split('\n').length - 1).toBe(paths.length)
  for (const path of paths) expect(csv).toContain(path)
  expect(text).toMatch(/\0a satellite image of [^\0]+, surrounded by [^\0]+\0/)
})

test('a README names the tar files of each set, of this export and of those before it, and the types of all columns', async () => {
  const dataset = await openTestDataset()
  const target = new MemoryStorage()
  await exportWebdataset(dataset, target, optionsFor(dataset))
  await exportWebdataset(dataset, target, optionsFor(dataset, ['train_top30pct_laion_RS', 'val_laion_RS']))
  const front = (path: string) => parse(Buffer.from(target.files.get(path)!).toString().split('---\n')[1]!)
  const { configs, dataset_info: infos } = front('README.md')
  const files = (...list: string[]) => list.map((text) => text.split(' ')).map(([split, path]) => ({ split, path }))
  expect(configs).toEqual([
    {
      config_name: 'unfiltered',
      default: true,
      data_files: files('train train/*.tar', 'validation val/*.tar', 'test test/*.tar'),
    },
    {
      config_name: 'top30_laion_RS',
      data_files: files('train train_top30pct_laion_RS/*.tar', 'validation val_laion_RS/*.tar'),
    },
  ])
  expect(front('val/README.md').configs).toEqual([{ config_name: 'default', data_files: files('validation *.tar') }])
  expect(infos.map((info: { config_name: string }) => info.config_name)).toEqual(['unfiltered', 'top30_laion_RS'])
  const { struct } = infos[0].features.find((feature: { name: string }) => feature.name === 'json')
  const types = new Map(struct.map(({ name, dtype }: { name: string; dtype: string }) => [name, dtype]))
  const shard = Buffer.from(target.files.get('train/00000.tar')!).toString('latin1')
  const [, json] = /(\{"id":.*?\})\0/.exec(shard)!
  expect([...types.keys()]).toEqual(Object.keys(JSON.parse(json!)))
  expect([types.get('gsd'), types.get('width'), types.get('center_tags')]).toEqual(['float64', 'int64', 'string'])
  // Of whole metres too: 10 would make the column one of integers.
  expect(json).toContain('"gsd":10.0,')
})

test('further columns of a manifest are exported too', async () => {
  const dataset = await openTestDataset((d) => {
    for (const row of d.rows) Object.assign(row, { phash: '0123456789abcdef' })
  })
  const { target } = await exported(dataset)
  expect(Buffer.from(target.files.get('train/00000.tar')!).toString('latin1')).toContain('"phash":"0123456789abcdef"')
})

test('a set without pairs has a size of 0 and no shard', async () => {
  const dataset = await openTestDataset(
    (d) => void d.csvs.get('SkyScript-Town_test_2K_filtered_by_CLIP_openai.csv')!.splice(1),
  )
  const { target, sets } = await exported(dataset)
  expect(sets[2]).toMatchObject({ samples: 0, urls: null, shards: [] })
  expect(Buffer.from(target.files.get('test/sizes.json')!).toString()).toBe('{}\n')
})

test('an export replaces the one before it and nothing else', async () => {
  const dataset = await openTestDataset()
  const target = new MemoryStorage()
  await exportWebdataset(dataset, target, { ...optionsFor(dataset), shardBytes: 1 })
  await target.put('train/notes.txt', 'mine')
  await exportWebdataset(dataset, target, { ...optionsFor(dataset), shardBytes: 1e9 })
  const left = [...target.files.keys()].filter((path) => path.startsWith('train/')).sort()
  expect(left).toEqual([
    ...['train/00000.tar', 'train/README.md', 'train/notes.txt', 'train/sizes.json', 'train/stats.json'],
  ])
})

test.each([
  ['an image is missing', 'image-missing', (d) => void d.storage.files.delete(d.path)],
  ['an image is another', 'image-changed', (d) => void d.storage.files.set(d.path, Buffer.from('x'))],
  ['a CSV was edited', 'file-changed', (d) => void d.storage.files.set(TRAIN, Buffer.from('filepath\n'))],
  [
    'the manifest was swapped',
    'file-changed',
    (d) => void d.storage.files.set('manifest.parquet', Buffer.from('PAR1')),
  ],
] satisfies [string, string, (d: { storage: MemoryStorage; path: string }) => void][])(
  'where %s, one error says so and no shard is left',
  async (_what, code, spoil) => {
    const dataset = await openTestDataset()
    // In the middle of the shards of one pair each.
    const path = 'images2/a1012_S2_19.jpg'
    expect(dataset.storage.files.has(path)).toBe(true)
    const target = new MemoryStorage()
    const options = { ...optionsFor(dataset, ['train_unfiltered']), shardBytes: 1 }
    spoil({ storage: dataset.storage, path })
    const message = code.startsWith('image') ? expect.stringContaining(path) : expect.stringMatching(/csv|manifest/)
    const refused = () => expect(exportWebdataset(dataset, target, options)).rejects.toMatchObject({ code, message })
    expect(await leftAfter(refused)).toEqual([])
    expect([...target.files.keys()]).toEqual([])
  },
)

test('a target that fails leaves no temporary file', async () => {
  const dataset = await openTestDataset()
  const target = new MemoryStorage()
  target.put = async () => {
    throw new Error('full')
  }
  const left = await leftAfter(() =>
    expect(exportWebdataset(dataset, target, optionsFor(dataset))).rejects.toThrow('full'),
  )
  expect(left).toEqual([])
})

/** What a task leaves in the folder for temporary files, which is its own: other tests use the system's. */
async function leftAfter(task: () => Promise<void>): Promise<string[]> {
  return withFolder(async (folder) => {
    vi.stubEnv('TMPDIR', folder)
    try {
      await task()
      return readdirSync(folder)
    } finally {
      vi.unstubAllEnvs()
    }
  })
}
