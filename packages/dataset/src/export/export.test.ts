import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { runCli } from '../../../worker/src/cli.ts'
import { openFolder } from '../../../worker/src/storages/folder.ts'
import { storeFinished, withFolder } from '../../test/support/finished-dataset.ts'
import { MemoryStorage } from '../../test/support/memory-storage.ts'
import { verifyDataset } from '../verify/verify.ts'
import { chooseSets, openFinished } from './dataset.ts'

/** The command in this process, with what it says. */
async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      text[name] += chunk
      return true
    }),
  )
  try {
    return { code: await runCli(['export', ...args]), ...text }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

async function writeDataset(folder: string): Promise<string> {
  for (const [path, bytes] of (await storeFinished()).files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), bytes)
  }
  return folder
}

test('exports go into the dataset or elsewhere, and verify accepts the dataset afterwards', () =>
  withFolder(async (folder) => {
    const dataset = await writeDataset(join(folder, 'town'))
    const shards = await run(dataset, '--format', 'webdataset', '--json', '--set', 'val_openai', '--set', 'test_openai')
    const zips = await run(dataset, '--format', 'zip', '--to', join(folder, 'zip'))
    const croissant = await run(dataset, '--format', 'croissant', '--to', dataset)
    const card = await run(dataset, '--format', 'card')
    expect([shards, zips, croissant, card].map(({ code, stderr }) => (code === 0 ? '' : stderr))).toEqual([
      '',
      '',
      '',
      '',
    ])
    const json = JSON.parse(shards.stdout)
    expect(json).toMatchObject({ format: 'webdataset', target: join(dataset, 'export/webdataset') })
    expect(json.sets.map((set: { set: string }) => set.set)).toEqual(['val_openai', 'test_openai'])
    await readFile(join(dataset, 'export/webdataset/val_openai/00000.tar'))
    await readFile(join(folder, 'zip/images2.zip'))
    expect(zips.stdout).toContain('images2.zip')
    expect(croissant.stderr).toMatch(/with --url, --published, --creator/)
    expect(JSON.parse(await readFile(join(dataset, 'croissant.json'), 'utf8')).name).toBe('SkyScript-Town')
    expect(await readFile(join(dataset, 'export/card/DATASET_CARD.md'), 'utf8')).toContain('# SkyScript-Town')
    expect((await verifyDataset(await openFolder(dataset))).faults).toEqual([])
  }))

test('a wrong request for an export is refused in one sentence', () =>
  withFolder(async (folder) => {
    const dataset = await writeDataset(join(folder, 'town'))
    const unfinished = await writeDataset(join(folder, 'unfinished'))
    await rm(join(unfinished, 'dataset.lock.json'))
    const cases = [
      [[unfinished, '--format', 'card'], /no finished dataset .*run skyscript build/],
      [[join(folder, 'none'), '--format', 'card'], /There is no folder/],
      [[dataset, '--format', 'tfrecord'], /must be one of webdataset, openclip, zip, croissant, card/],
      [[dataset], /required option '--format/],
      [
        [dataset, '--format', 'webdataset', '--set', 'top'],
        /no set "top"; choose from train_unfiltered, train_top30pct/,
      ],
      [[dataset, '--format', 'webdataset', '--shard-bytes', '0'], /must be a whole number of bytes/],
      [[dataset, '--format', 'zip', '--set', 'val_openai'], /--set has no effect with --format zip/],
      [[dataset, '--format', 'zip', '--to', dataset], /use --to <folder>/],
      [[dataset, '--format', 'croissant', '--published', '2026-02-30'], /must be a date/],
    ] as const
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await run(...args)
      expect(code, args.join(' ')).toBe(1)
      expect(stdout).toBe('')
      expect(stderr).toMatch(message)
      expect(stderr).not.toMatch(/\n {4}at /)
    }
  }))

test('sets are named after their contents, and training sets come first', async () => {
  const storage = await storeFinished((d) => {
    d.csvs.set('SkyScript-Town_train_above0.25_filtered_by_CLIP_openai.csv', [['filepath']])
    d.csvs.set('SkyScript-Town_train_unfiltered_5M_captions.csv', [['filepath', 'title']])
  })
  const dataset = await openFinished(storage)
  expect(dataset.sets.map(({ name }) => name)).toEqual([
    'train_unfiltered',
    ...['train_above0.25_openai', 'train_top30pct_laion_RS', 'train_top30pct_openai'],
    ...['train_top50pct_laion_RS', 'train_top50pct_openai'],
    ...['val_laion_RS', 'val_openai', 'test_laion_RS', 'test_openai'],
  ])
  expect(chooseSets(dataset, []).map(({ csv }) => csv)).toEqual([
    'SkyScript-Town_train_unfiltered_5M.csv',
    'SkyScript-Town_val_5_filtered_by_CLIP_openai.csv',
    'SkyScript-Town_test_2K_filtered_by_CLIP_openai.csv',
  ])
})

test('a set is found without the name of the first scorer, and one without pairs is left out', async () => {
  const storage = await storeFinished((d) => {
    for (const path of [...d.csvs.keys()]) if (path.includes('_test_')) d.csvs.delete(path)
  })
  const dataset = await openFinished(storage)
  const names = (...asked: string[]) => chooseSets(dataset, asked).map(({ name }) => name)
  expect(names('val')).toEqual(['val_openai'])
  expect(names('train', 'top30pct', 'val_openai', 'val')).toEqual([
    'train_unfiltered',
    'train_top30pct_openai',
    'val_openai',
  ])
  expect(names()).toEqual(['train_unfiltered', 'val_openai'])
  expect(() => names('test')).toThrow('The dataset has no pairs in set "test"; choose from train_unfiltered,')
})

test.each([
  ['{', 'is not JSON'],
  [
    '{"tool":{"name":"skyscript","version":"1"}}',
    'is not a valid lock (fingerprint: is missing; expected a string); run skyscript build again.',
  ],
  [
    '{"tool":{"name":"skyscript","version":3}}',
    'is not a valid lock (tool.version: expected a string, got 3); run skyscript build again.',
  ],
])('a lock that says %s is refused', async (text, message) => {
  const storage = new MemoryStorage()
  await storage.put('dataset.lock.json', text)
  await expect(openFinished(storage)).rejects.toMatchObject({
    code: 'bad-lock',
    message: expect.stringContaining(message),
  })
})
