import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Storage } from '@skyscript/core'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { WorkerSettings } from '../../../../test/support/queue-worker.ts'
import { type RedisServer, startRedis } from '../../../../test/support/redis.ts'
import { openFolder } from '../storages/folder.ts'
import { createQueueRunner, type QueueRunnerOptions } from './distributed.ts'
import { type Job, type Runner, resultKey } from './runner.ts'

const WORKER = join(import.meta.dirname, '../../../../test/support/queue-worker.ts')
const PASSWORD = 'p@ss/w0rd#hunter2'
const never = new AbortController().signal

let server: RedisServer
let folder: string
let storage: Storage
let prefix = ''
let tests = 0
const children = new Map<ChildProcess, string[]>()
const runners: Runner[] = []

beforeAll(async () => {
  server = await startRedis({ password: PASSWORD, appendonly: true })
})
afterAll(() => server.stop())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-queue-'))
  storage = await openFolder(join(folder, 'dataset'))
  await writeFile(join(folder, 'log'), '')
  prefix = `test${++tests}`
})
afterEach(async () => {
  for (const runner of runners.splice(0)) await runner.close()
  for (const child of children.keys()) {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  children.clear()
  await rm(folder, { recursive: true })
})

const job = (shard: string, input = 'quick', stage: Job['stage'] = 'fetch'): Job => ({
  dataset: storage.url,
  run: 'run1',
  stage,
  shard,
  input,
  fingerprint: `f-${shard.replaceAll('/', '-')}`,
})
const many = (count: number, input = 'quick') => Array.from({ length: count }, (_, i) => job(`x${i % 7}/q${i}`, input))

async function openRunner(options: Partial<QueueRunnerOptions> = {}): Promise<Runner> {
  const runner = await createQueueRunner({
    redisUrl: server.url,
    storage,
    prefix,
    sweepMs: 300,
    forgottenMs: 600,
    ...options,
  })
  runners.push(runner)
  return runner
}

/** A worker process that serves already. */
async function startWorker(settings: Partial<WorkerSettings> = {}): Promise<ChildProcess> {
  const all: WorkerSettings = {
    redisUrl: server.url,
    prefix,
    log: join(folder, 'log'),
    concurrency: 4,
    lockMs: 1000,
    stalledMs: 500,
    ...settings,
  }
  const child = spawn(process.execPath, [WORKER, JSON.stringify(all)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said: string[] = []
  children.set(child, said)
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (data) => said.push(String(data)))
  await vi.waitFor(() => expect(said.join('')).toContain('Serving'), { timeout: 15_000 })
  return child
}
const said = () => [...children.values()].flat().join('')
const starts = async (shard?: string) =>
  (await readFile(join(folder, 'log'), 'utf8'))
    .split('\n')
    .filter((line) => (shard ? line.startsWith(`${shard} `) : line !== ''))
const untilStarted = (shard: string, times = 1) =>
  vi.waitFor(async () => expect(await starts(shard)).toHaveLength(times), { timeout: 15_000, interval: 20 })
const withRedis = async <T>(task: (redis: Redis) => Promise<T>): Promise<T> => {
  const redis = new Redis(server.url)
  try {
    return await task(redis)
  } finally {
    redis.disconnect()
  }
}

describe('jobs over Redis', () => {
  test('2,000 jobs over 3 workers are each done, told of once, and leave little in Redis', async () => {
    await Promise.all([startWorker(), startWorker(), startWorker()])
    const jobs = many(2000)
    const done: string[] = []
    const runner = await openRunner()
    expect(await runner.run(jobs, ({ shard }) => done.push(shard), never)).toEqual([])
    expect(done.sort()).toEqual(jobs.map(({ shard }) => shard).sort())
    for (const each of jobs) expect(await storage.has(resultKey(each))).toBe(true)
    expect(new Set((await starts()).map((line) => line.split(' ')[1])).size).toBe(3)
    await withRedis(async (redis) => {
      // Trimming is approximate: whole nodes of 100 entries.
      expect(await redis.xlen(`${prefix}:fetch:events`)).toBeLessThan(1200)
      const one = (await redis.keys(`${prefix}:fetch:fetch-*`))[0]!
      expect((await redis.memory('USAGE', one))!).toBeLessThan(1500)
      expect(await redis.hget(one, 'returnvalue')).toBe('null')
    })
  })

  test('a job that always fails comes back with its code, and the others are done', async () => {
    await startWorker()
    const runner = await openRunner()
    const bad = [job('bad/final', 'final'), job('bad/data', 'data'), job('bad/bug', 'bug')]
    const failures = await runner.run([...many(20), ...bad], () => {}, never)
    expect(failures.map(({ job: { shard }, code }) => [shard, code]).sort()).toEqual([
      ['bad/bug', 'internal-error'],
      ['bad/data', 'odd-data'],
      ['bad/final', 'always-bad'],
    ])
    expect(failures.find(({ code }) => code === 'always-bad')!.message).toBe('It never works.')
    expect(await starts('bad/final')).toHaveLength(1)
    // The next run tries again, and finds it mended.
    const mended = { ...job('bad/final'), run: 'run1' }
    expect(await runner.run([mended], () => {}, never)).toEqual([])
    expect(await storage.has(resultKey(mended))).toBe(true)
  })

  test('a failure that may pass is tried 3 times', async () => {
    await startWorker()
    const runner = await openRunner()
    const failures = await runner.run([job('a', 'passing'), job('b', 'input')], () => {}, never)
    expect(failures.map(({ code }) => code).sort()).toEqual(['bad-key-file', 'comes-and-goes'])
    expect(await starts('a')).toHaveLength(3)
    expect(await starts('b')).toHaveLength(3)
  })

  test('a result that was there before proves nothing: the coordinator wants it redone', async () => {
    await startWorker()
    const runner = await openRunner()
    const jobs = many(5)
    await storage.put(resultKey(jobs[0]!), 'outdated')
    expect(await runner.run(jobs, () => {}, never)).toEqual([])
    expect(Buffer.from((await storage.get(resultKey(jobs[0]!)))!).toString()).toBe('fetch x0/q0\n')
    await storage.delete(resultKey(jobs[1]!))
    expect(await runner.run([jobs[1]!], () => {}, never)).toEqual([])
    expect(await storage.has(resultKey(jobs[1]!))).toBe(true)
  })

  test('two coordinators at once do the work once', async () => {
    await startWorker({ concurrency: 8 })
    const [one, two] = [await openRunner(), await openRunner()]
    const jobs = many(300, 'wait-10')
    const counts = [0, 0]
    const both = [one, two].map((runner, i) => runner.run(jobs, () => counts[i]!++, never))
    expect(await Promise.all(both)).toEqual([[], []])
    expect(counts).toEqual([300, 300])
    expect(await starts()).toHaveLength(300)
  })

  test('an abort ends the wait at once', async () => {
    const events: string[] = []
    const runner = await openRunner({ onEvent: (text) => events.push(text) })
    const controller = new AbortController()
    const running = runner.run(many(3), () => {}, controller.signal)
    await vi.waitFor(() => expect(events.join()).toMatch(/No worker serves fetch/), { timeout: 5000 })
    controller.abort(new Error('enough'))
    await expect(running).rejects.toThrow('enough')
  })
})

describe('a worker', () => {
  test('killed 5 times in the same job: another does it, and nothing fails', async () => {
    const runner = await openRunner()
    const running = runner.run([job('hard', 'wait-800')], () => {}, never)
    for (let kill = 1; kill <= 5; kill++) {
      const child = await startWorker()
      await untilStarted('hard', kill)
      child.kill('SIGKILL')
    }
    const from = Date.now()
    await startWorker()
    expect(await running).toEqual([])
    expect(Date.now() - from).toBeLessThan(1000 + 2 * 500 + 5000)
    expect(await starts('hard')).toHaveLength(6)
  })

  test('ends with 0 on SIGTERM under load, within its grace, and nothing stalls or loses a try', async () => {
    const child = await startWorker({ graceMs: 700 })
    const runner = await openRunner()
    const jobs = [job('long', 'wait-60000'), ...many(60, 'wait-50')]
    const controller = new AbortController()
    const running = runner.run(jobs, () => {}, controller.signal)
    running.catch(() => {})
    await untilStarted('long')
    const from = Date.now()
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(Date.now() - from).toBeLessThan(3000)
    await withRedis(async (connection) => {
      const queue = new Queue('fetch', { connection, prefix })
      expect(await queue.getActiveCount()).toBe(0)
      expect(await queue.getFailedCount()).toBe(0)
      const given = (await queue.getWaiting()).find(({ data }) => data.shard === 'long')
      expect(given?.attemptsMade).toBe(0)
      await queue.close()
    })
    controller.abort()
  })

  test('that a stubborn job keeps busy still ends in time', async () => {
    const child = await startWorker({ graceMs: 200 })
    const controller = new AbortController()
    const running = (await openRunner()).run([job('s', 'stubborn-60000')], () => {}, controller.signal)
    running.catch(() => {})
    await untilStarted('s')
    const from = Date.now()
    child.kill('SIGTERM')
    expect((await once(child, 'exit'))[0]).toBe(0)
    expect(Date.now() - from).toBeLessThan(200 + 3000 + 1500)
    controller.abort()
  })

  test('whose event loop was blocked for three lock times is told that it lost the job, which another did', async () => {
    await Promise.all([startWorker({ concurrency: 1 }), startWorker({ concurrency: 1 })])
    const runner = await openRunner()
    expect(await runner.run([job('blocked', 'block-3000')], () => {}, never)).toEqual([])
    await untilStarted('blocked', 2)
    await vi.waitFor(() => expect(said()).toContain('told of the lost lock'), { timeout: 10_000 })
    expect(Buffer.from((await storage.get(resultKey(job('blocked'))))!).toString()).toBe('fetch blocked\n')
  })

  test('waits while the disk is full, and the jobs keep their tries', async () => {
    await writeFile(join(storage.url, 'full'), '')
    await startWorker({ troubleMs: 300 })
    const runner = await openRunner()
    const running = runner.run(many(6, 'disk'), () => {}, never)
    await vi.waitFor(() => expect(said()).toMatch(/Pausing for 0.3 s \(disk-full\)/), { timeout: 5000 })
    await sleep(1500)
    await rm(join(storage.url, 'full'))
    expect(await running).toEqual([])
    expect((await starts()).length).toBeLessThan(60)
  })

  test('refuses a job that names a path outside, or is none of ours', async () => {
    await startWorker()
    await withRedis(async (connection) => {
      const queue = new Queue('fetch', { connection, prefix })
      const good = job('good')
      const evil = [
        { ...good, shard: '../../evil' },
        { ...good, dataset: 'relative' },
        { ...good, fingerprint: 'a/b' },
        { x: 1 },
        'text',
      ]
      const added = await queue.addBulk(evil.map((data) => ({ name: 'job', data })))
      await vi.waitFor(async () => expect(await queue.getFailedCount()).toBe(evil.length), { timeout: 5000 })
      for (const { id } of added) expect((await queue.getJob(id!))!.failedReason).toMatch(/^bad-job: /)
      await queue.close()
    })
    expect(await starts()).toEqual([])
  })
})

describe('Redis', () => {
  test('emptied in the middle: the run ends, and only jobs under way are done twice', async () => {
    await startWorker({ concurrency: 8 })
    const runner = await openRunner()
    const jobs = many(400, 'wait-20')
    let done = 0
    const running = runner.run(jobs, () => done++, never)
    await vi.waitFor(() => expect(done).toBeGreaterThan(100), { interval: 5 })
    await withRedis((redis) => redis.flushall())
    expect(await running).toEqual([])
    expect(done).toBe(400)
    expect((await starts()).length).toBeLessThanOrEqual(400 + 8)
  })

  test('killed and started again: the run ends, nothing fails', async () => {
    await startWorker({ concurrency: 8 })
    const runner = await openRunner()
    let done = 0
    const running = runner.run(many(300, 'wait-20'), () => done++, never)
    await vi.waitFor(() => expect(done).toBeGreaterThan(50), { interval: 5 })
    await server.kill()
    await sleep(1000)
    const before = done
    await server.restart()
    const from = Date.now()
    await vi.waitFor(() => expect(done).toBeGreaterThan(before), { timeout: 25_000 })
    expect(await running).toEqual([])
    expect(done).toBe(300)
    expect(Date.now() - from).toBeLessThan(25_000)
    expect(said()).toMatch(/is away; waiting/)
    expect(said()).toMatch(/is back/)
  })

  test('gone for good: the run says so and ends', async () => {
    const own = await startRedis()
    const events: string[] = []
    const runner = await openRunner({ redisUrl: own.url, giveUpMs: 2000, onEvent: (text) => events.push(text) })
    const running = runner.run(many(3), () => {}, never)
    running.catch(() => {})
    await sleep(500)
    await own.stop()
    await expect(running).rejects.toMatchObject({ code: 'redis-unreachable', retry: true })
    expect(events[0]).toMatch(/^Waiting \(redis-unreachable\)/)
  })

  test('full: the run waits with a code, and goes on when there is room', async () => {
    const own = await startRedis({ maxmemory: '3mb' })
    try {
      await startWorker({ redisUrl: own.url })
      const admin = new Redis(own.url)
      const ballast = async () => {
        for (let i = 0; ; i++) await admin.set(`ballast${i}`, 'x'.repeat(50_000))
      }
      await expect(ballast()).rejects.toThrow(/OOM/)
      const events: string[] = []
      const runner = await openRunner({ redisUrl: own.url, onEvent: (text) => events.push(text) })
      const running = runner.run(many(50), () => {}, never)
      await vi.waitFor(() => expect(events.join()).toMatch(/Waiting \(redis-full\)/), { timeout: 5000 })
      await admin.config('SET', 'maxmemory', '0')
      expect(await running).toEqual([])
      admin.disconnect()
    } finally {
      await own.stop()
    }
  })

  test('holds no secret, and neither do events, failures and logs', async () => {
    await startWorker()
    const events: string[] = []
    const runner = await openRunner({ onEvent: (text) => events.push(text) })
    const failures = await runner.run([job('bug', 'bug'), job('good')], () => {}, never)
    expect(failures[0]!.message).toContain('redis://***@host')
    const dump = await withRedis(async (redis) => {
      const keys = await redis.keys(`${prefix}:*`)
      return (await Promise.all(keys.map((key) => redis.dumpBuffer(key)))).map(String).join('\n')
    })
    expect(dump).toContain('internal-error')
    const readable = [dump, said(), JSON.stringify(failures), events.join('\n')].join('\n')
    for (const secret of ['hunter2', PASSWORD, encodeURIComponent(PASSWORD)]) expect(readable).not.toContain(secret)
  })
})
