import { InputError, messageOf, ServiceError } from '@skyscript/core'
import type { Execute } from '@skyscript/pipeline/runner'
import { DelayedError, type Job as QueuedJob, UnrecoverableError, WaitingError, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { DEFAULT_PREFIX, failureText, readJob } from './jobs.ts'
import { checkRedis, openRedis, parseRedisUrl, type RedisAddress, untilReady } from './redis.ts'

/** How often a job is restarted after its worker died; a job that kills its worker every time ends with `worker-lost`. */
const MAX_STALLED = 20
/** Problems of the environment, not of the job: the worker waits them out and the job keeps its attempts. */
const PLACE_TROUBLES = new Set(['disk-full', 'earth-engine-unreachable', 'storage-unreachable'])
/** After this many starts, a problem of the environment counts as the job's own. */
const MAX_STARTS = 40
/** Default time for jobs in progress to finish: with the steps after it, a worker exits within 8 s. */
const GRACE_MS = 4_000
/** Jobs that ignore the stop signal are abandoned after this long; another worker does them again. */
const STOP_MS = 2_000
/** Time limit for the queue's final writes after the last job, unless Redis is unreachable. */
const SETTLE_MS = 1_000

export interface ServeOptions {
  readonly redisUrl: string
  readonly stages: readonly string[]
  /** Concurrent jobs: one number per stage, or one for all. */
  readonly concurrency: number | Readonly<Record<string, number>>
  readonly execute: Execute
  /** Called with one line, without secrets, for the operator. */
  readonly onEvent: (text: string) => void
  /** Abort it to stop: no further job is started, and those in progress get `graceMs` to finish. */
  readonly signal: AbortSignal
  readonly prefix?: string
  /** A job whose lock was not renewed for this long may be taken by any worker. */
  readonly lockMs?: number
  /** How often to look for such jobs: a killed worker's job starts again within lockMs + 2 x stalledMs. */
  readonly stalledMs?: number
  readonly graceMs?: number
  /** How often to check whether a full disk or lost storage is usable again. */
  readonly troubleMs?: number
}

/**
 * Does jobs from a queue until `signal` is aborted. Resolves within graceMs + 2 s of that (6 s by default; at once if it
 * has no job), with every job finished or given back. A job that ignores its own signal may still be running then: it does
 * no harm, but the caller should end the process.
 *
 * @throws InputError or ServiceError if Redis can't be used at the start; later it waits for Redis to come back
 */
export async function serveQueue(options: ServeOptions): Promise<void> {
  const { stages, concurrency, execute, signal, prefix = DEFAULT_PREFIX } = options
  const { lockMs = 30_000, stalledMs = 15_000, graceMs = GRACE_MS, troubleMs = 15_000 } = options
  const address = parseRedisUrl(options.redisUrl)
  const tell = (text: string) => options.onEvent(address.scrub(text))
  const stopped = aborted(signal)
  await Promise.race([checkRedis(address), stopped])
  if (signal.aborted) return
  const client = openRedis(address, 'waiting')
  await Promise.race([untilReady(client, address), stopped]).catch((error) => {
    client.disconnect()
    throw error
  })
  tellOfOutages(client, address, tell, signal)
  const stop = new AbortController()
  const active = createActiveJobs()
  const workers: Worker[] = []
  let resumption: NodeJS.Timeout | undefined

  /** Stops taking jobs for a while, in all stages: they share the storage. */
  const pauseAll = (trouble: ServiceError) => {
    if (resumption || signal.aborted) return
    tell(`Pausing for ${troubleMs / 1000} s (${trouble.code}): ${messageOf(trouble)}`)
    for (const worker of workers) void worker.pause(true)
    resumption = setTimeout(() => {
      resumption = undefined
      for (const worker of workers) void worker.resume()
    }, troubleMs)
  }

  // BullMQ passes the signal only to a processor that declares three parameters.
  const perform = async (
    queued: QueuedJob,
    token: string | undefined,
    lock: AbortSignal | undefined,
  ): Promise<void> => {
    const ended = active.begin()
    try {
      const job = readJob(queued.data)
      await execute(job, lock ? AbortSignal.any([lock, stop.signal]) : stop.signal)
    } catch (error) {
      if (lock?.aborted) throw new UnrecoverableError('lock-lost: Another worker has this job.')
      if (stop.signal.aborted) {
        await queued.moveToWait(token)
        throw new WaitingError()
      }
      if (error instanceof ServiceError && PLACE_TROUBLES.has(error.code) && queued.attemptsStarted < MAX_STARTS) {
        pauseAll(error)
        await queued.moveToDelayed(Date.now() + troubleMs, token)
        throw new DelayedError()
      }
      throw asKept(error, tell)
    } finally {
      ended()
    }
  }

  for (const stage of stages) {
    const worker = new Worker(stage, perform, {
      connection: client,
      prefix,
      concurrency: typeof concurrency === 'number' ? concurrency : concurrency[stage]!,
      lockDuration: lockMs,
      stalledInterval: stalledMs,
      maxStalledCount: MAX_STALLED,
      // By default BullMQ waits 15 s before it retries to record a result.
      runRetryDelay: 2_000,
    })
    // The lock is lost, so another worker may have the job: abort it here.
    worker.on('lockRenewalFailed', (ids) => {
      for (const id of ids) worker.cancelJob(id, 'lock-lost')
    })
    worker.on('stalled', (id) => tell(`${id} was left behind by a worker that is gone; it starts again.`))
    worker.on('failed', (queued, error) => {
      tell(`${stage} ${queued?.data?.shard ?? ''} failed (try ${queued?.attemptsMade ?? '?'}): ${error.message}`)
    })
    worker.on('error', noticeOf(tell))
    workers.push(worker)
  }

  try {
    tell(`Serving ${stages.join(', ')} from ${address.shown}.`)
    await stopped
    clearTimeout(resumption)
    await closeAll(workers, active, client, stop, graceMs)
  } finally {
    client.disconnect()
  }
}

function tellOfOutages(
  client: Redis,
  { shown }: RedisAddress,
  tell: (text: string) => void,
  signal: AbortSignal,
): void {
  let away = false
  client.on('close', () => {
    if (!away && !signal.aborted) tell(`Redis at ${shown} is away; waiting for it.`)
    away = true
  })
  client.on('ready', () => {
    if (away) tell(`Redis at ${shown} is back.`)
    away = false
  })
}

interface ActiveJobs {
  /** Counts a job as running; call the returned function when it ends. */
  begin(): () => void
  /** Resolves when no job is running. */
  none(): Promise<void>
}

function createActiveJobs(): ActiveJobs {
  let active = 0
  let waiting: (() => void)[] = []
  return {
    begin() {
      active++
      return () => {
        if (--active > 0) return
        for (const resolve of waiting) resolve()
        waiting = []
      }
    },
    none: () => (active === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}

/**
 * Stops taking jobs, lets those in progress finish within `graceMs`, then aborts them, then abandons them. BullMQ's own
 * close waits for Redis without a time limit, so it is awaited only while Redis is reachable.
 */
async function closeAll(
  workers: readonly Worker[],
  active: ActiveJobs,
  client: Redis,
  stop: AbortController,
  graceMs: number,
): Promise<void> {
  const timers: NodeJS.Timeout[] = []
  const after = (ms: number) => new Promise<void>((resolve) => timers.push(setTimeout(resolve, ms)))
  timers.push(
    setTimeout(
      () => stop.abort(new ServiceError('worker-stopping', 'The worker is stopping.', { retry: true })),
      graceMs,
    ),
  )
  const closed = Promise.allSettled(workers.map((worker) => worker.close()))
  const ended = active.none().then(() => (client.status === 'ready' ? after(SETTLE_MS) : undefined))
  await Promise.race([closed, ended, after(graceMs + STOP_MS)])
  for (const timer of timers) clearTimeout(timer)
}

/**
 * The error for BullMQ, which stores message and stack in Redis: the code, the redacted message and no stack. An
 * InputError may be specific to this machine, so it is retried like a temporary failure.
 */
function asKept(error: unknown, tell: (text: string) => void): Error {
  const isBug = failureText(error).startsWith('internal-error')
  if (isBug) tell(`A fault in the code: ${error instanceof Error ? messageOf(error.stack) : messageOf(error)}`)
  const mayPass = error instanceof InputError || (error instanceof ServiceError && error.retry)
  const kept = new (mayPass ? Error : UnrecoverableError)(failureText(error))
  kept.stack = ''
  return kept
}

/** Reports errors of the queue itself; a repeated one at most once a minute. */
function noticeOf(tell: (text: string) => void): (error: Error) => void {
  const told = new Map<string, number>()
  return ({ message }) => {
    // Lost locks and lost connections have their own notices.
    if (/renew lock|Missing lock|ECONN|Connection is closed|Socket timeout/.test(message)) return
    const kind = message.replace(/\S*\d\S*/g, '#')
    if (Date.now() - (told.get(kind) ?? 0) < 60_000) return
    told.set(kind, Date.now())
    tell(`The queue reports: ${messageOf(message)}`)
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
