import { expect, test } from 'vitest'
import { borrowThread } from '../src/threads.ts'

const file = new URL('./support/counting-thread.ts', import.meta.url)

test('a closed thread is used again as it was left, for the same state only', async () => {
  const first = borrowThread(file, 'a')
  const beside = borrowThread(file, 'a')
  expect(await first.ask('count', null)).toBe(1)
  expect(await first.ask('count', null)).toBe(2)
  expect(await beside.ask('count', null)).toBe(1)
  await first.close()
  await first.close()
  await expect(first.ask('count', null)).rejects.toThrow('The thread is closed.')

  const again = borrowThread(file, 'a')
  expect(await again.ask('count', null)).toBe(3)
  await again.close()
  const other = borrowThread(file, 'b')
  expect(await other.ask('count', null)).toBe(1)
  // The idle one ended, since a new model may need its memory.
  const fresh = borrowThread(file, 'a')
  expect(await fresh.ask('count', null)).toBe(1)
  expect(await beside.ask('count', null)).toBe(2)
  await Promise.all([beside, other, fresh].map((thread) => thread.close()))
})

test('a thread that is closed in the middle of a call ends', async () => {
  const thread = borrowThread(file, 'c')
  await thread.ask('count', null)
  const waiting = thread.ask('wait', null)
  await Promise.all([thread.close(), expect(waiting).rejects.toThrow('The thread is closed.')])
  const next = borrowThread(file, 'c')
  expect(await next.ask('count', null)).toBe(1)
  await next.close()
})
