import { InputError, messageOf, ServiceError } from '@skyscript/core'
import type { Execute } from '@skyscript/pipeline/runner'
import { DelayedError, type Job as QueuedJob, UnrecoverableError, WaitingError, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import { DEFAULT_PREFIX, failureText, readJob } from './jobs.ts'
import { checkRedis, openRedis, parseRedisUrl, type RedisAddress, untilReady } from './redis.ts'

/** A job whose worker died is taken up again so often; a job that kills its worker every time ends with `worker-lost`. */
const MAX_STALLED = 20
/** Troubles of the place, not of the job: the worker waits them out and the job keeps its attempts. */
const PLACE_TROUBLES = new Set(['disk-full', 'earth-engine-unreachable', 'storage-unreachable'])
/** A trouble of the place counts as the job's own after this many starts. */
const MAX_STARTS = 40
/** By default jobs under way get this long to end by themselves: with what follows, a worker ends within 8 s. */
const GRACE_MS = 4_000
/** Jobs that don't stop when told to are left behind after this long; another worker does them again. */
const STOP_MS = 2_000
/** What the queue has to write down when the last job has ended takes no longer, unless Redis is away. */
const SETTLE_MS = 1_000

export interface ServeOptions {
  readonly redisUrl: string
  readonly stages: readonly string[]
  /** Jobs of one stage at a time: one number for each stage, or one for all. */
  readonly concurrency: number | Readonly<Record<string, number>>
  readonly execute: Execute
  /** Told in one line, without secrets, of what an operator wants to know. */
  readonly onEvent: (text: string) => void
  /** Aborted to stop: no job is started any more, and those under way get `graceMs` to end. */
  readonly signal: AbortSignal
  readonly prefix?: string
  /** A job whose lock wasn't renewed for this long may be taken by another worker. */
  readonly lockMs?: number
  /** How often to look for such jobs: a killed worker's job starts again within lockMs + 2 x stalledMs. */
  readonly stalledMs?: number
  readonly graceMs?: number
  /** How long to wait before looking whether a full disk or a lost storage is back. */
  readonly troubleMs?: number
}

/**
 * Does jobs from a queue until `signal` is aborted; resolves within graceMs + 2 s of that (6 s by default; at once
 * where it has no job), with every job ended or given back. A job that ignores its own signal may still be running then: it does no harm, but the caller
 * should end the process.
 *
 * @throws InputError or ServiceError where Redis can't be used at the start; later it waits for Redis to come back
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

  /** Stops taking jobs for a while, on all stages: they share the storage. */
  const pauseAll = (trouble: ServiceError) => {
    if (resumption || signal.aborted) return
    tell(`Pausing for ${troubleMs / 1000} s (${trouble.code}): ${messageOf(trouble)}`)
    for (const worker of workers) void worker.pause(true)
    resumption = setTimeout(() => {
      resumption = undefined
      for (const worker of workers) void worker.resume()
    }, troubleMs)
  }

  // BullMQ hands the signal to a processor that declares three parameters, and to no other.
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
      // BullMQ waits 15 s by default before it tries again to write a result down.
      runRetryDelay: 2_000,
    })
    // Without the lock another worker may have the job: stop it.
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
  /** Counts a job; the function says that it ended. */
  begin(): () => void
  /** Resolves when no job is under way. */
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
 * Takes no more jobs, lets those in progress end by themselves for `graceMs`, then aborts their signal, then leaves
 * them. BullMQ's own close waits for Redis without a limit, so it is waited for only while Redis is there.
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
 * What is thrown to BullMQ, which keeps message and stack in Redis: the code, the redacted sentence and no stack. What
 * is wrong with this machine (InputError) may be right on another, so it is tried again like what may pass.
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
    // Of lost locks and lost connections there are notices of their own.
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
