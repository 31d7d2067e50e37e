import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createIdlePool } from './idle-pool.ts'

test('what is kept is given to the next user of the same state; a new one, or time, ends it', async () => {
  const ended: string[] = []
  const pool = createIdlePool<string>((item) => ended.push(item), 30)
  expect(pool.take('x')).toBeUndefined()
  pool.keep('x', 'one')
  pool.keep('x', 'two')
  pool.keep('y', 'three')
  expect(pool.take('x')).toBe('one')
  expect(pool.take('x')).toBe('two')
  expect(ended).toEqual([])
  expect(pool.take('x')).toBeUndefined()
  expect(ended).toEqual(['three'])
  pool.keep('x', 'one')
  await sleep(60)
  expect(ended).toEqual(['three', 'one'])
  expect(pool.take('x')).toBeUndefined()
})
