// @module-tag slow
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { describe, expect, test, vi } from 'vitest'
import { startRedis } from '../../../../test/support/redis.ts'
import type { Job, JobFailure } from '../../../pipeline/src/runner/index.ts'
import { resultKey } from '../../../pipeline/src/runner/index.ts'
import { JobQueue } from '../../../pipeline/src/runner/job-queue.ts'
import { runJobs } from '../../../pipeline/test/support/run-jobs.ts'
import { never, PASSWORD, setUpQueue } from '../../test/queue-set-up.ts'
import { openNoticeBoard } from './notices.ts'

const queue = setUpQueue()

describe('jobs over Redis', () => {
  test('2,000 jobs over 3 workers are each done and reported once, and leave little in Redis', async () => {
    await Promise.all([queue.startWorker(), queue.startWorker(), queue.startWorker()])
    const jobs = queue.many(2000)
    const done: string[] = []
    const runner = await queue.openRunner()
    expect(await runJobs(runner, jobs, ({ shard }) => done.push(shard), never)).toEqual([])
    expect(done.sort()).toEqual(jobs.map(({ shard }) => shard).sort())
    for (const each of jobs) expect(await queue.storage.has(resultKey(each))).toBe(true)
    expect(new Set((await queue.starts()).map((line) => line.split(' ')[1])).size).toBe(3)
    await queue.withRedis(async (redis) => {
      // Trimming is approximate: whole nodes of 100 entries.
      expect(await redis.xlen(`${queue.prefix}:fetch:events`)).toBeLessThan(1200)
      const one = (await redis.keys(`${queue.prefix}:fetch:fetch-*`))[0]!
      expect((await redis.memory('USAGE', one))!).toBeLessThan(2500)
      expect(await redis.hget(one, 'returnvalue')).toBe('null')
    })
  })

  test('a job that always fails comes back with its code, and the others are done', async () => {
    await queue.startWorker()
    const runner = await queue.openRunner()
    const bad = [queue.job('bad/final', 'final'), queue.job('bad/data', 'data'), queue.job('bad/bug', 'bug')]
    const failures = await runJobs(runner, [...queue.many(20), ...bad], () => {}, never)
    expect(failures.map(({ job: { shard }, code }) => [shard, code]).sort()).toEqual([
      ['bad/bug', 'internal-error'],
      ['bad/data', 'odd-data'],
      ['bad/final', 'always-bad'],
    ])
    expect(failures.find(({ code }) => code === 'always-bad')!.message).toBe('It never works.')
    expect(await queue.starts('bad/final')).toHaveLength(1)
    // The next run retries it, and now it works.
    const mended = { ...queue.job('bad/final'), run: 'run1' }
    expect(await runJobs(runner, [mended], () => {}, never)).toEqual([])
    expect(await queue.storage.has(resultKey(mended))).toBe(true)
  })

  test('the wait of a worker is shown once when it begins, also to a build that starts later, and once when it is over', async () => {
    const events: string[] = []
    const runner = await queue.openRunner({ onEvent: (text) => events.push(text) })
    await queue.withRedis(async (redis) => {
      const boards = [openNoticeBoard(redis, queue.prefix), openNoticeBoard(redis, queue.prefix)]
      const service = 'http://ee p pixels'
      for (const [i, board] of boards.entries())
        board.post({ service, text: `Earth Engine has answered 503 for ${i} s; waiting.`, isOver: false })
      const running = runJobs(runner, queue.many(3), () => {}, never)
      await vi.waitFor(() => expect(events.filter((each) => each.includes('503'))).toHaveLength(1), 5000)
      for (const board of boards) board.post({ service, text: 'Earth Engine answers again.', isOver: true })
      await vi.waitFor(() => expect(events).toContain('A worker says: Earth Engine answers again.'), 5000)
      await queue.startWorker()
      expect(await running).toEqual([])
      for (const board of boards) board.close()
      expect(events.filter((each) => each.startsWith('A worker says'))).toHaveLength(2)
      expect(await redis.pttl(`${queue.prefix}:notice:${service}`)).toBeGreaterThan(0)
    })
  })

  test('a retryable failure is tried 3 times', async () => {
    await queue.startWorker()
    const runner = await queue.openRunner()
    const failures = await runJobs(runner, [queue.job('a', 'passing'), queue.job('b', 'input')], () => {}, never)
    expect(failures.map(({ code }) => code).sort()).toEqual(['bad-key-file', 'comes-and-goes'])
    expect(await queue.starts('a')).toHaveLength(3)
    expect(await queue.starts('b')).toHaveLength(3)
  })

  test('a job that another one brings is queued at once, and not at the next sweep', async () => {
    await queue.startWorker()
    const runner = await queue.openRunner({ sweepMs: 60_000 })
    const jobs = new JobQueue(['fetch', 'caption'])
    const chain = Array.from({ length: 12 }, (_, i) => ({
      ...queue.job(`link${i}`),
      stage: i % 2 === 0 ? 'fetch' : 'caption',
    }))
    let next = 0
    const push = () => (next < chain.length ? jobs.push({ job: chain[next++]!, isRedone: false }) : jobs.end())
    push()
    const from = performance.now()
    const onEnd = (_: Job, failure: JobFailure | null) => {
      expect(failure).toBeNull()
      // Jobs of a flow are made after some reads.
      setTimeout(push, Math.floor(next / 2))
    }
    await runner.run(jobs, onEnd, never)
    expect(next).toBe(12)
    expect(performance.now() - from).toBeLessThan(30_000)
  }, 60_000)

  test('an existing result proves nothing if the coordinator wants it redone', async () => {
    await queue.startWorker()
    const runner = await queue.openRunner()
    const jobs = queue.many(5)
    await queue.storage.put(resultKey(jobs[0]!), 'outdated')
    expect(await runJobs(runner, jobs, () => {}, never, { isRedone: true })).toEqual([])
    expect(Buffer.from((await queue.storage.get(resultKey(jobs[0]!)))!).toString()).toBe('fetch x0/q0\n')
    // Even if the queue remembers that the job was done.
    expect(await runJobs(runner, [jobs[0]!], () => {}, never, { isRedone: true })).toEqual([])
    expect(await queue.starts(jobs[0]!.shard)).toHaveLength(2)
    await queue.storage.delete(resultKey(jobs[1]!))
    expect(await runJobs(runner, [jobs[1]!], () => {}, never)).toEqual([])
    expect(await queue.storage.has(resultKey(jobs[1]!))).toBe(true)
  })

  test('two coordinators at once do the work once', async () => {
    await queue.startWorker({ concurrency: 8 })
    const [one, two] = [await queue.openRunner(), await queue.openRunner()]
    const jobs = queue.many(300, 'wait-10')
    const counts = [0, 0]
    const both = [one, two].map((runner, i) => runJobs(runner, jobs, () => counts[i]!++, never))
    expect(await Promise.all(both)).toEqual([[], []])
    expect(counts).toEqual([300, 300])
    expect(await queue.starts()).toHaveLength(300)
  })

  test('an abort ends the wait at once', async () => {
    const events: string[] = []
    const runner = await queue.openRunner({ onEvent: (text) => events.push(text) })
    const controller = new AbortController()
    const running = runJobs(runner, queue.many(3), () => {}, controller.signal)
    await vi.waitFor(() => expect(events.join()).toMatch(/No worker serves fetch/), { timeout: 5000 })
    controller.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
  })
})

describe('Redis', () => {
  test('emptied during a run: the run completes, and only jobs in progress are done twice', async () => {
    await queue.startWorker({ concurrency: 8 })
    const runner = await queue.openRunner()
    const jobs = queue.many(400, 'wait-20')
    let done = 0
    const running = runJobs(runner, jobs, () => done++, never)
    await vi.waitFor(() => expect(done).toBeGreaterThan(100), { timeout: 10_000, interval: 5 })
    await queue.withRedis((redis) => redis.flushall())
    expect(await running).toEqual([])
    expect(done).toBe(400)
    expect((await queue.starts()).length).toBeLessThanOrEqual(400 + 8)
  })

  test('killed and restarted: the run completes, nothing fails', async () => {
    await queue.startWorker({ concurrency: 8 })
    const runner = await queue.openRunner()
    let done = 0
    const running = runJobs(runner, queue.many(300, 'wait-20'), () => done++, never)
    await vi.waitFor(() => expect(done).toBeGreaterThan(50), { timeout: 10_000, interval: 5 })
    await queue.server.kill()
    await sleep(1000)
    const before = done
    await queue.server.restart()
    const from = Date.now()
    await vi.waitFor(() => expect(done).toBeGreaterThan(before), { timeout: 25_000 })
    expect(await running).toEqual([])
    expect(done).toBe(300)
    expect(Date.now() - from).toBeLessThan(25_000)
    expect(queue.said()).toMatch(/is away; waiting/)
    expect(queue.said()).toMatch(/is back/)
  })

  test('gone for good: the run reports it and ends', async () => {
    const own = await startRedis()
    const events: string[] = []
    const runner = await queue.openRunner({ redisUrl: own.url, giveUpMs: 2000, onEvent: (text) => events.push(text) })
    const running = runJobs(runner, queue.many(3), () => {}, never)
    running.catch(() => {})
    await sleep(500)
    await own.stop()
    await expect(running).rejects.toMatchObject({ code: 'redis-unreachable', retry: true })
    expect(events[0]).toMatch(/^Waiting \(redis-unreachable\)/)
  })

  test('full: the run waits with a code, and continues when there is space', async () => {
    const own = await startRedis({ maxmemory: '3mb' })
    try {
      await queue.startWorker({ redisUrl: own.url })
      const admin = new Redis(own.url)
      const ballast = async () => {
        for (let i = 0; ; i++) await admin.set(`ballast${i}`, 'x'.repeat(50_000))
      }
      await expect(ballast()).rejects.toThrow(/OOM/)
      const events: string[] = []
      const runner = await queue.openRunner({ redisUrl: own.url, onEvent: (text) => events.push(text) })
      const running = runJobs(runner, queue.many(50), () => {}, never)
      await vi.waitFor(() => expect(events.join()).toMatch(/Waiting \(redis-full\)/), { timeout: 5000 })
      await admin.config('SET', 'maxmemory', '0')
      expect(await running).toEqual([])
      admin.disconnect()
    } finally {
      await own.stop()
    }
  })

  test('contains no secret, and neither do events, failures and logs', async () => {
    await queue.startWorker()
    const events: string[] = []
    const runner = await queue.openRunner({ onEvent: (text) => events.push(text) })
    const failures = await runJobs(runner, [queue.job('bug', 'bug'), queue.job('good')], () => {}, never)
    expect(failures[0]!.message).toContain('redis://***@host')
    const dump = await queue.withRedis(async (redis) => {
      const keys = await redis.keys(`${queue.prefix}:*`)
      return (await Promise.all(keys.map((key) => redis.dumpBuffer(key)))).map(String).join('\n')
    })
    expect(dump).toContain('internal-error')
    const readable = [dump, queue.said(), JSON.stringify(failures), events.join('\n')].join('\n')
    for (const secret of ['hunter2', PASSWORD, encodeURIComponent(PASSWORD)]) expect(readable).not.toContain(secret)
  })
})
