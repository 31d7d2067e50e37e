import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FinishedDataset, openFinished } from '../../src/export/dataset.ts'
import type { MemoryStorage } from './memory-storage.ts'
import { createTestDataset, storeTestDataset, type TestDataset } from './test-dataset.ts'

/** A small dataset in a storage: 40 pairs, of which two blocks of five are val and one is test. */
export async function storeFinished(change: (dataset: TestDataset) => void = () => {}): Promise<MemoryStorage> {
  const dataset = await createTestDataset()
  change(dataset)
  return storeTestDataset(dataset)
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
