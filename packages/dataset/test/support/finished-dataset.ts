import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FinishedDataset, openFinished } from '../../src/export/dataset.ts'
import type { MemoryStorage } from './memory-storage.ts'
import { createTestDataset, storeTestDataset, type TestDataset } from './test-dataset.ts'

/** Says what a test dataset's lock lacks of a real one. */
export const asFinished =
  (change: (dataset: TestDataset) => void = () => {}) =>
  (dataset: TestDataset): void => {
    const rows = Object.fromEntries([...dataset.csvs].map(([path, lines]) => [path, lines.length - 1]))
    const inputs = [{ name: 'town.osm.pbf', bytes: 1, sha256: 'ab'.repeat(32) }]
    const imagery = { earthEngine: { endpoint: 'https://earthengine-highvolume.googleapis.com' } }
    Object.assign(dataset.lock, { fingerprint: 'f0'.repeat(16), inputs, rows, notes: ['5 pairs are in no CSV.'] })
    Object.assign(dataset.lock.config, { seed: 51, imagery })
    change(dataset)
  }

/** A small dataset whose lock says all that an export asks for: 40 pairs, of which two blocks of five are val and one is test. */
export async function storeFinished(change?: (dataset: TestDataset) => void): Promise<MemoryStorage> {
  const dataset = await createTestDataset()
  asFinished(change)(dataset)
  const storage = await storeTestDataset(dataset)
  const lock = JSON.parse(Buffer.from(storage.files.get('dataset.lock.json')!).toString())
  lock.tool = { name: 'skyscript', version: '0.1.0' }
  storage.files.set('dataset.lock.json', Buffer.from(JSON.stringify(lock)))
  return storage
}

export async function openTestDataset(
  change?: (dataset: TestDataset) => void,
): Promise<FinishedDataset & { readonly storage: MemoryStorage }> {
  const storage = await storeFinished(change)
  return { ...(await openFinished(storage)), storage }
}

/** What a Python script, which gets a folder as its argument, prints as JSON. */
export function python<T>(script: string, folder: string): T {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', script, folder], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as T
}

export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-export-test-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
