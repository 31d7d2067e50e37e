import { parse } from 'csv-parse/sync'
import { expect, test } from 'vitest'
import { openTestDataset } from '../../test/support/finished-dataset.ts'
import { MemoryStorage } from '../../test/support/memory-storage.ts'
import { chooseSets } from './dataset.ts'
import { exportOpenclip, type OpenclipOptions } from './openclip.ts'

type Dataset = Awaited<ReturnType<typeof openTestDataset>>

async function exported(dataset: Dataset, options: Partial<OpenclipOptions> = {}) {
  const target = new MemoryStorage()
  const { signal } = new AbortController()
  const sets = chooseSets(dataset, ['val'])
  const written = await exportOpenclip(dataset, target, { sets, caption: 'title', absolute: false, signal, ...options })
  const tables = written.map(({ path }) =>
    parse(Buffer.from(target.files.get(path)!).toString(), { delimiter: '\t', columns: true }),
  )
  return { written, tables, target }
}

test.each(['title', 'title_multi_objects'] as const)(
  'a table has the paths of its set, and %s as title',
  async (caption) => {
    const dataset = await openTestDataset()
    const [set] = chooseSets(dataset, ['val'])
    const { written, tables } = await exported(dataset, { caption })
    const rows: Record<string, string>[] = parse(Buffer.from(dataset.storage.files.get(set!.csv)!).toString(), {
      columns: true,
    })
    expect(rows.length).toBeGreaterThan(1)
    expect(written).toEqual([{ path: 'val_openai.tsv', rows: rows.length }])
    expect(tables[0]).toEqual(rows.map(({ filepath, [caption]: title }) => ({ filepath, title })))
  },
)

test.each([
  ['was edited', (text: string) => text.replace('a satellite', 'A satellite')],
  ['is no longer a CSV', (text: string) => `${text}"x"y\n`],
])('a CSV that %s is refused', async (_, change) => {
  const dataset = await openTestDataset()
  const [set] = chooseSets(dataset, ['val'])
  const { files } = dataset.storage
  files.set(set!.csv, Buffer.from(change(Buffer.from(files.get(set!.csv)!).toString())))
  await expect(exported(dataset)).rejects.toMatchObject({
    code: 'file-changed',
    message: expect.stringMatching(/run skyscript verify, then skyscript build\.$/),
  })
})

test('absolute paths need a dataset in a folder', async () => {
  const dataset = await openTestDataset()
  await expect(exported(dataset, { absolute: true })).rejects.toMatchObject({
    code: 'not-a-folder',
    message: expect.stringContaining('use --format webdataset'),
  })
})
