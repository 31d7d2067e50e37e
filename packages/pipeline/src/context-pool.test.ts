import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { RunContext } from './context.ts'
import { createContextPool } from './context-pool.ts'

/** Contexts that note when they are opened and closed, and what is done with a closed one. */
function setUp() {
  const opened: string[] = []
  const closed: string[] = []
  const open = new Set<string>()
  let broken = false
  const pool = createContextPool(async (key) => {
    opened.push(key)
    await sleep(1)
    if (broken) throw new Error('no model')
    open.add(key)
    const close = async () => {
      open.delete(key)
      closed.push(key)
    }
    return { run: key, close } as unknown as RunContext
  })
  const use = async (key: string, ms = 5) => {
    const { context, release } = await pool.borrow(key)
    await sleep(ms)
    expect(open, `${key} was closed under a job`).toContain((context as unknown as { run: string }).run)
    release()
    release()
  }
  return { pool, use, opened, closed, break: (value: boolean) => (broken = value) }
}

describe('contexts of a worker', () => {
  test('of four datasets at once are never closed under a job, and each is opened once', async () => {
    const { pool, use, opened } = setUp()
    const jobs = Array.from({ length: 80 }, (_, i) => use(`run${i % 4}`, 5 + (i % 7)))
    await Promise.all(jobs)
    expect(opened.sort()).toEqual(['run0', 'run1', 'run2', 'run3'])
    await pool.close()
  })

  test('of two datasets whose jobs come in turn are opened once each', async () => {
    const { pool, use, opened, closed } = setUp()
    for (let i = 0; i < 6; i++) await use(`run${i % 2}`, 0)
    expect(opened).toEqual(['run0', 'run1'])
    expect(closed).toEqual([])
    await pool.close()
    expect(closed.sort()).toEqual(['run0', 'run1'])
  })

  test('that nobody uses are closed when three others were used since', async () => {
    const { pool, use, closed } = setUp()
    for (const run of ['a', 'b', 'a', 'c', 'd']) await use(run, 0)
    await sleep(5)
    expect(closed).toEqual(['b', 'a'])
    await pool.close()
  })

  test('that could not be opened are tried again by the next job', async () => {
    const { pool, use, opened, break: setBroken } = setUp()
    setBroken(true)
    await expect(Promise.all([use('a'), use('a')])).rejects.toThrow('no model')
    setBroken(false)
    await use('a')
    expect(opened).toEqual(['a', 'a'])
    await pool.close()
  })
})
