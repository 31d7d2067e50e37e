import { expect, test } from 'vitest'
import { isOwnerGone, OWNER } from '../src/process-identity.ts'

const HOUR = 3_600_000

test('the owner of a temporary file is gone when its process is, and in another place when the file is old', () => {
  const old = Date.now() - 2 * HOUR
  expect(isOwnerGone(OWNER, old, HOUR)).toBe(false)
  // Linux has no process ids above 4194304.
  expect(isOwnerGone(OWNER.replace(/\d+$/, '4194305'), Date.now(), HOUR)).toBe(true)
  const elsewhere = `ffffffff-${process.pid}`
  expect(isOwnerGone(elsewhere, Date.now(), HOUR)).toBe(false)
  expect(isOwnerGone(elsewhere, old, HOUR)).toBe(true)
})
