import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Storage } from '@skyscript/core'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest'
import type { WorkerSettings } from '../../../test/support/queue-worker.ts'
import { type RedisServer, startRedis } from '../../../test/support/redis.ts'
import type { Job, Runner } from '../../pipeline/src/runner/index.ts'
import { createQueueRunner, type QueueRunnerOptions } from '../src/queue/distributed.ts'
import { openFolder } from '../src/storages/folder.ts'

const WORKER = join(import.meta.dirname, '../../../test/support/queue-worker.ts')
/** One that a URL must encode. */
export const PASSWORD = 'p@ss/w0rd#hunter2'
export const never = new AbortController().signal

/** A Redis for a test file, and for each test a dataset, worker processes and runners that end with it. */
export function setUpQueue() {
  const children = new Map<ChildProcess, string[]>()
  const runners: Runner[] = []
  let tests = 0
  const queue = {
    server: undefined as unknown as RedisServer,
    storage: undefined as unknown as Storage,
    folder: '',
    /** Each test has queues of its own. */
    prefix: '',

    job: (shard: string, input = 'quick', stage: Job['stage'] = 'fetch'): Job => ({
      dataset: queue.storage.url,
      run: 'run1',
      stage,
      shard,
      input,
      fingerprint: `f-${shard.replaceAll('/', '-')}`,
    }),

    many: (count: number, input = 'quick') =>
      Array.from({ length: count }, (_, i) => queue.job(`x${i % 7}/q${i}`, input)),

    async openRunner(options: Partial<QueueRunnerOptions> = {}): Promise<Runner> {
      const { server, storage, prefix } = queue
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
    },

    /** A worker process that serves already. */
    async startWorker(settings: Partial<WorkerSettings> = {}): Promise<ChildProcess> {
      const { server, prefix, folder } = queue
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
      await vi.waitFor(() => expect(said.join('')).toContain('Serving'), { timeout: 40_000 })
      return child
    },

    /** What all worker processes of the test have written. */
    said: () => [...children.values()].flat().join(''),

    /** A line for each start of a job, `<shard> <process>`. */
    async starts(shard?: string): Promise<string[]> {
      const lines = (await readFile(join(queue.folder, 'log'), 'utf8')).split('\n').filter((line) => line !== '')
      return shard === undefined ? lines : lines.filter((line) => line.startsWith(`${shard} `))
    },

    untilStarted: (shard: string, times = 1) =>
      vi.waitFor(async () => expect(await queue.starts(shard)).toHaveLength(times), { timeout: 15_000, interval: 20 }),

    async withRedis<T>(task: (redis: Redis) => Promise<T>): Promise<T> {
      const redis = new Redis(queue.server.url, { maxRetriesPerRequest: null })
      try {
        return await task(redis)
      } finally {
        redis.disconnect()
      }
    },
  }

  beforeAll(async () => {
    queue.server = await startRedis({ password: PASSWORD, appendonly: true })
  })
  afterAll(() => queue.server.stop())
  beforeEach(async () => {
    queue.folder = await mkdtemp(join(tmpdir(), 'skyscript-queue-'))
    queue.storage = await openFolder(join(queue.folder, 'dataset'))
    await writeFile(join(queue.folder, 'log'), '')
    queue.prefix = `test${++tests}`
  })
  afterEach(async () => {
    for (const runner of runners.splice(0)) await runner.close()
    for (const child of children.keys()) {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    children.clear()
    await rm(queue.folder, { recursive: true })
  })
  return queue
}
