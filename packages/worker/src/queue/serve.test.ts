// @module-tag slow
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { describe, expect, test, vi } from 'vitest'
import { startRedis } from '../../../../test/support/redis.ts'
import { resultKey } from '../../../pipeline/src/runner/index.ts'
import { runJobs } from '../../../pipeline/test/support/run-jobs.ts'
import { never, setUpQueue } from '../../test/queue-set-up.ts'

const queue = setUpQueue()

describe('a worker', () => {
  test('killed 5 times in the same job: another worker does it, and nothing fails', async () => {
    const runner = await queue.openRunner()
    const running = runJobs(runner, [queue.job('hard', 'wait-800')], () => {}, never)
    for (let kill = 1; kill <= 5; kill++) {
      const child = await queue.startWorker()
      await queue.untilStarted('hard', kill)
      child.kill('SIGKILL')
    }
    const from = Date.now()
    await queue.startWorker()
    expect(await running).toEqual([])
    expect(Date.now() - from).toBeLessThan(1000 + 2 * 500 + 5000)
    expect(await queue.starts('hard')).toHaveLength(6)
  })

  test('exits with 0 on SIGTERM under load, within its grace period, and no job stalls or loses an attempt', async () => {
    const child = await queue.startWorker({ graceMs: 700 })
    const runner = await queue.openRunner()
    const jobs = [queue.job('long', 'wait-60000'), ...queue.many(60, 'wait-50')]
    const controller = new AbortController()
    const running = runJobs(runner, jobs, () => {}, controller.signal)
    running.catch(() => {})
    await queue.untilStarted('long')
    const from = Date.now()
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(Date.now() - from).toBeLessThan(3000)
    await queue.withRedis(async (connection) => {
      const bull = new Queue('fetch', { connection, prefix: queue.prefix })
      expect(await bull.getActiveCount()).toBe(0)
      expect(await bull.getFailedCount()).toBe(0)
      const given = (await bull.getWaiting()).find(({ data }) => data.shard === 'long')
      expect(given?.attemptsMade).toBe(0)
      await bull.close()
    })
    controller.abort()
  })

  test('with a job that ignores its signal still ends in time', async () => {
    const child = await queue.startWorker({ graceMs: 200 })
    const controller = new AbortController()
    const running = runJobs(await queue.openRunner(), [queue.job('s', 'stubborn-60000')], () => {}, controller.signal)
    running.catch(() => {})
    await queue.untilStarted('s')
    const from = Date.now()
    child.kill('SIGTERM')
    expect((await once(child, 'exit'))[0]).toBe(0)
    expect(Date.now() - from).toBeLessThan(200 + 3000 + 1500)
    controller.abort()
  })

  test('ends in its grace period while Redis is unreachable, whatever its job does, and another worker does that job', async () => {
    const own = await startRedis({ appendonly: true })
    try {
      const child = await queue.startWorker({ redisUrl: own.url, graceMs: 300 })
      const controller = new AbortController()
      const runner = await queue.openRunner({ redisUrl: own.url })
      const running = runJobs(runner, [queue.job('long', 'wait-60000')], () => {}, controller.signal)
      running.catch(() => {})
      await queue.untilStarted('long')
      await own.kill()
      await vi.waitFor(() => expect(queue.said()).toMatch(/is away/), { timeout: 5000 })
      const from = Date.now()
      child.kill('SIGTERM')
      expect(await once(child, 'exit')).toEqual([0, null])
      expect(Date.now() - from).toBeLessThan(300 + 2000 + 1500)
      await own.restart()
      await queue.startWorker({ redisUrl: own.url })
      await queue.untilStarted('long', 2)
      controller.abort()
    } finally {
      await own.stop()
    }
  })

  test('whose event loop was blocked for three lock times learns that it lost the job, which another worker did', async () => {
    await Promise.all([queue.startWorker({ concurrency: 1 }), queue.startWorker({ concurrency: 1 })])
    const runner = await queue.openRunner()
    expect(await runJobs(runner, [queue.job('blocked', 'block-3000')], () => {}, never)).toEqual([])
    await queue.untilStarted('blocked', 2)
    await vi.waitFor(() => expect(queue.said()).toContain('told of the lost lock'), { timeout: 10_000 })
    expect(Buffer.from((await queue.storage.get(resultKey(queue.job('blocked'))))!).toString()).toBe('fetch blocked\n')
  })

  test('waits while the disk is full, and the jobs keep their attempts', async () => {
    await writeFile(join(queue.storage.url, 'full'), '')
    await queue.startWorker({ troubleMs: 300 })
    const runner = await queue.openRunner()
    const running = runJobs(runner, queue.many(6, 'disk'), () => {}, never)
    await vi.waitFor(() => expect(queue.said()).toMatch(/Pausing for 0.3 s \(disk-full\)/), { timeout: 5000 })
    await sleep(1500)
    await rm(join(queue.storage.url, 'full'))
    expect(await running).toEqual([])
    expect((await queue.starts()).length).toBeLessThan(60)
  })

  test('refuses a job that names a path outside, or is not ours', async () => {
    await queue.startWorker()
    await queue.withRedis(async (connection) => {
      const bull = new Queue('fetch', { connection, prefix: queue.prefix })
      const good = queue.job('good')
      const evil = [
        { ...good, shard: '../../evil' },
        { ...good, dataset: 'relative' },
        { ...good, fingerprint: 'a/b' },
        { x: 1 },
        'text',
      ]
      const added = await bull.addBulk(evil.map((data) => ({ name: 'job', data })))
      await vi.waitFor(async () => expect(await bull.getFailedCount()).toBe(evil.length), { timeout: 5000 })
      for (const { id } of added) expect((await bull.getJob(id!))!.failedReason).toMatch(/^bad-job: /)
      await bull.close()
    })
    expect(await queue.starts()).toEqual([])
  })
})
