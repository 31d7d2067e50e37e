import { describe, expect, test } from 'vitest'
import { verifyDataset } from '../../src/verify/verify.ts'
import { createTestDataset, storeTestDataset, type TestDataset, type TestRow } from './test-dataset.ts'

/** Makes one thing of a right dataset wrong. */
export type Change = (dataset: TestDataset) => void | Promise<void>

/** By check: what is wrong, how it is made so, and what the fault says. */
export type Changes = Record<string, readonly (readonly [what: string, change: Change, message: RegExp])[]>

/** The first row that a claim holds for. */
export function pick(dataset: TestDataset, holds: (row: TestRow) => boolean = () => true): TestRow {
  const row = dataset.rows.find(holds)
  if (!row) throw new Error('no such row')
  return row
}

/** Changes columns of a manifest row, and nothing else. */
export function set(columns: Partial<TestRow>, holds: (row: TestRow) => boolean = () => true): Change {
  return (dataset) => void Object.assign(pick(dataset, holds), columns)
}

/** One test per change: the fault is found, by the check that is meant to find it. */
export function testChanges(all: Changes): void {
  for (const [check, changes] of Object.entries(all)) {
    describe(check, () => {
      test.each(changes)('is found where %s', async (_what, change, message) => {
        const dataset = await createTestDataset()
        await change(dataset)
        const result = await verifyDataset(await storeTestDataset(dataset))
        expect(result.ok).toBe(false)
        const found = result.faults.filter((fault) => fault.check === check)
        expect(
          found.some((fault) => message.test(fault.message)),
          JSON.stringify(result.faults, null, 1),
        ).toBe(true)
      })
    })
  }
}
