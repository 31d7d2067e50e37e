/**
 * A worker process for tests of the queue: does jobs whose `input` says what happens, and notes every start in a file.
 * Settings come as JSON in the first argument; events go to stdout, one a line.
 */
import { appendFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DataFault, InputError, ServiceError } from '@skyscript/core'
import { type Execute, resultKey } from '../../packages/pipeline/src/runner/index.ts'
import { STAGE_NAMES } from '../../packages/pipeline/src/stages/index.ts'
import { serveQueue } from '../../packages/worker/src/queue/serve.ts'
import { openFolder } from '../../packages/worker/src/storages/folder.ts'

export interface WorkerSettings {
  readonly redisUrl: string
  readonly prefix: string
  /** Where each start of a job is noted: `<shard> <process>`. */
  readonly log: string
  readonly concurrency: number
  readonly lockMs?: number
  readonly stalledMs?: number
  readonly graceMs?: number
  readonly troubleMs?: number
}

/** What a job's `input` may say, before a dash and a number. */
const ACTS: Record<string, (amount: number, signal: AbortSignal, folder: string) => Promise<void> | void> = {
  quick: () => {},
  wait: async (ms, signal) => {
    await sleep(ms, undefined, { signal })
  },
  stubborn: (ms) => sleep(ms),
  // Only the first to come: `wx` fails for the second.
  block: async (ms, signal, folder) => {
    if (
      await writeFile(join(folder, 'blocked'), '', { flag: 'wx' }).then(
        () => false,
        () => true,
      )
    )
      return
    const end = Date.now() + ms
    while (Date.now() < end);
    await sleep(50)
    if (signal.aborted) process.stdout.write('told of the lost lock\n')
  },
  final: () => {
    throw new ServiceError('always-bad', 'It never works.', { retry: false })
  },
  passing: () => {
    throw new ServiceError('comes-and-goes', 'It may work later.', { retry: true })
  },
  input: () => {
    throw new InputError('bad-key-file', 'This machine has no key.')
  },
  data: () => {
    throw new DataFault('odd-data', 'The data is odd.')
  },
  bug: () => {
    throw new TypeError('cannot read redis://user:hunter2@host/0 of undefined')
  },
  disk: async (_, __, folder) => {
    if (await stat(join(folder, 'full')).catch(() => null))
      throw new ServiceError('disk-full', 'No space.', { retry: false })
  },
}

const settings = JSON.parse(process.argv[2]!) as WorkerSettings
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())

const execute: Execute = async (job, signal) => {
  const storage = await openFolder(job.dataset)
  await appendFile(settings.log, `${job.shard} ${process.pid}\n`)
  const [act, amount] = job.input.split('-')
  await ACTS[act!]!(Number(amount), signal, job.dataset)
  await storage.put(resultKey(job), `${job.stage} ${job.shard}\n`)
}

const { log, ...rest } = settings
await serveQueue({
  ...rest,
  stages: STAGE_NAMES,
  execute,
  onEvent: (text) => process.stdout.write(`${text}\n`),
  signal: stop.signal,
})
process.exit(0)
