import { count, InputError, ServiceError, type Storage } from '@skyscript/core'
import { type Job, type JobFailure, type JobQueue, type Runner, resultKey } from '@skyscript/pipeline/runner'
import { Queue, QueueEvents } from 'bullmq'
import type { Redis } from 'ioredis'
import { DEFAULT_PREFIX, EVENTS_KEPT, JOB_OPTIONS, jobId, readFailure } from './jobs.ts'
import { readNotices } from './notices.ts'
import { asRedisFault, checkRedis, openRedis, parseRedisUrl, type RedisAddress, untilReady } from './redis.ts'

/** Errors that every job would hit, such as an account without access to the project; confirmed by more than one worker. */
const ENDS_BUILD = new Set(['bad-credentials', 'no-access'])
/** Jobs of a stage in Redis at a time: more than workers hold, but few enough to lose or to scan. */
const WINDOW = 1000
/** Jobs checked, or added, at a time. */
const BATCH = 100
/** How often a job is redone if the queue calls it done but its result is missing. */
const MAX_LOST_RESULTS = 3
/** Pause between retries while Redis or the storage is unreachable. */
const OUTAGE_PAUSE_MS = 1_000
const CLOSE_MS = 2_000

export interface QueueRunnerOptions {
  readonly redisUrl: string
  /** The dataset's storage: a job is done when its result is there. */
  readonly storage: Storage
  readonly prefix?: string
  /** Called with one line, without secrets, that a person should know while waiting. */
  readonly onEvent?: (text: string) => void
  /** How often every open job is checked; in between, the queue's events say which to check. */
  readonly sweepMs?: number
  /** A job that the queue has lost is added again after this long: a worker may still be doing it. */
  readonly forgottenMs?: number
  /** The run ends if Redis or storage is unreachable for this long. */
  readonly giveUpMs?: number
}

interface OpenJob {
  readonly job: Job
  /** A result that existed before the job was queued proves nothing. */
  readonly isRedone: boolean
  /** When the queue was first seen without the job; 0 while the queue has it. */
  forgottenSince: number
  lostResults: number
}

/**
 * Has jobs done by `skyscript worker` processes, over Redis. Only the result in storage counts: the queue just distributes
 * the work, and its events only say where to look. So a run survives a restart or loss of Redis, and several coordinators
 * may want the same work.
 *
 * @throws InputError or ServiceError if Redis can't be used
 */
export async function createQueueRunner(options: QueueRunnerOptions): Promise<Runner> {
  const address = parseRedisUrl(options.redisUrl)
  await checkRedis(address)
  const link = openLink(address, options.prefix ?? DEFAULT_PREFIX)
  await untilReady(link.client, address).catch(async (error) => {
    await link.close()
    throw error
  })
  return {
    async run(jobs, onEnd, signal) {
      signal.throwIfAborted()
      const { promise: aborted, reject } = Promise.withResolvers<never>()
      const abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      try {
        await Promise.race([aborted, drive(jobs, onEnd, signal, link, address, options)])
      } finally {
        signal.removeEventListener('abort', abort)
        aborted.catch(() => {})
      }
    },
    close: () => link.close(),
  }
}

/** A coordinator's connections; each stage's queue is opened at first use. */
interface Link {
  readonly client: Redis
  queue(stage: string): Queue
  /** Reports jobs that ended. */
  listen(stage: string, onEnded: (id: string) => void): Promise<() => void>
  close(): Promise<void>
}

function openLink(address: RedisAddress, prefix: string): Link {
  const client = openRedis(address, 'failing')
  const queues = new Map<string, Queue>()
  const listeners = new Map<string, { events: QueueEvents; connection: Redis }>()
  return {
    client,
    queue(stage) {
      let queue = queues.get(stage)
      if (!queue) {
        queue = new Queue(stage, {
          connection: client,
          prefix,
          streams: { events: { maxLen: EVENTS_KEPT } },
          defaultJobOptions: JOB_OPTIONS,
        })
        queue.on('error', () => {})
        queues.set(stage, queue)
      }
      return queue
    },
    async listen(stage, onEnded) {
      let listener = listeners.get(stage)
      if (!listener) {
        const connection = openRedis(address, 'waiting')
        listener = { connection, events: new QueueEvents(stage, { connection, prefix }) }
        listener.events.on('error', () => {})
        listeners.set(stage, listener)
      }
      const { events, connection } = listener
      const heard = ({ jobId: id }: { jobId: string }) => onEnded(id)
      events.on('completed', heard).on('failed', heard)
      // Events are hints: the run continues without them if it can't listen now.
      await untilReady(connection, address).catch(() => {})
      return () => {
        events.off('completed', heard).off('failed', heard)
      }
    },
    async close() {
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const limit = setTimeout(resolve, CLOSE_MS)
      const closing = [...queues.values(), ...[...listeners.values()].map(({ events }) => events)].map((each) =>
        each.close(),
      )
      await Promise.race([Promise.allSettled(closing), late])
      clearTimeout(limit)
      for (const { connection } of listeners.values()) connection.disconnect()
      client.disconnect()
    },
  }
}

/** One run: keeps the window full, checks jobs that may have ended, waits for the next hint. */
async function drive(
  jobs: JobQueue,
  onEnd: (job: Job, failure: JobFailure | null) => void,
  signal: AbortSignal,
  link: Link,
  address: RedisAddress,
  options: QueueRunnerOptions,
): Promise<void> {
  const { storage, onEvent, sweepMs = 5_000, forgottenMs = 10_000, giveUpMs = 10 * 60_000 } = options
  const { stages } = jobs
  const open = new Map<string, OpenJob>()
  /** Open jobs by stage. */
  const inWindow = new Map<string, number>()
  const hints = new Set<string>()
  let wake = () => {}
  let lastEnd = Date.now()
  let toldOfWorkers = false

  const end = (id: string, job: Job, failure: JobFailure | null = null) => {
    if (!open.delete(id)) return
    count(inWindow, job.stage, -1)
    lastEnd = Date.now()
    toldOfWorkers = false
    onEnd(job, failure)
  }
  const isDone = async ({ job, isRedone }: OpenJob) => !isRedone && (await storage.has(resultKey(job)))
  const add = async (job: Job) => {
    await link.queue(job.stage).add('job', job, { jobId: jobId(job) })
  }
  /** Jobs taken from the source that are not in Redis yet: Redis may be unreachable in between. */
  const taken: OpenJob[] = []

  /** Takes jobs into the window. Leftovers of an earlier run under the same id are checked first. */
  const fill = async () => {
    for (const stage of stages) {
      for (let room = WINDOW - (inWindow.get(stage) ?? 0); room > 0; ) {
        while (taken.length < Math.min(BATCH, room)) {
          const next = jobs.take(stage)
          if (next === undefined) break
          taken.push({ ...next, forgottenSince: 0, lostResults: 0 })
        }
        if (taken.length === 0) break
        room -= taken.length
        await enqueue(taken)
        taken.length = 0
      }
    }
  }
  const enqueue = async (batch: readonly OpenJob[]) => {
    const ended = new Set<OpenJob>()
    const fresh = await Promise.all(
      batch.map(async (entry) => {
        const { job } = entry
        const id = jobId(job)
        const state = await link.queue(job.stage).getJobState(id)
        if (state !== 'failed' && state !== 'completed') return job
        if (state === 'completed' && (await isDone(entry))) {
          ended.add(entry)
          return null
        }
        await link.queue(job.stage).remove(id)
        return job
      }),
    )
    const added = fresh.filter((job) => job !== null)
    for (const [stage, list] of Map.groupBy(added, (job) => job.stage))
      await link.queue(stage).addBulk(list.map((job) => ({ name: 'job', data: job, opts: { jobId: jobId(job) } })))
    for (const entry of batch) {
      open.set(jobId(entry.job), entry)
      count(inWindow, entry.job.stage)
    }
    for (const { job } of ended) end(jobId(job), job)
  }

  const look = async (id: string) => {
    const entry = open.get(id)
    if (!entry) return
    const { job } = entry
    const queue = link.queue(job.stage)
    const state = await queue.getJobState(id)
    if (state === 'failed') {
      // A worker that lost its lock, and thereby its claim on the job, may still have finished it.
      if (await isDone(entry)) return end(id, job)
      const queued = await queue.getJob(id)
      if (!queued || !open.has(id)) return
      const failure = readFailure(job, address.scrub(queued.failedReason ?? ''))
      if (ENDS_BUILD.has(failure.code)) throw new InputError(failure.code, failure.message)
      end(id, job, failure)
    } else if (state === 'completed') {
      if (await storage.has(resultKey(job))) end(id, job)
      else if (++entry.lostResults <= MAX_LOST_RESULTS) {
        await queue.remove(id)
        await add(job)
      } else {
        end(id, job, {
          job,
          code: 'missing-result',
          message: `A worker did this job, but its result is not in ${storage.url}; do the workers use the same storage?`,
        })
      }
    } else if (state === 'unknown') {
      if (await isDone(entry)) end(id, job)
      else if (entry.forgottenSince === 0) entry.forgottenSince = Date.now()
      else if (Date.now() - entry.forgottenSince >= forgottenMs) {
        await add(job)
        entry.forgottenSince = 0
      }
    } else entry.forgottenSince = 0
  }

  const tellIfNobodyWorks = async () => {
    if (!onEvent || toldOfWorkers || Date.now() - lastEnd < 3 * sweepMs) return
    for (const [stage, jobsOfStage] of inWindow) {
      if (jobsOfStage === 0) continue
      const workers = await link
        .queue(stage)
        .getWorkersCount()
        .catch(() => null)
      if (workers !== 0) continue
      toldOfWorkers = true
      onEvent(`No worker serves ${stage} at ${address.shown}; start one with: skyscript worker --queue <url>`)
    }
  }

  /** Notices of workers that were already shown. */
  const shown = new Set<string>()
  const tellNotices = async () => {
    if (!onEvent) return
    for (const { service, text, isOver } of await readNotices(link.client, options.prefix)) {
      if (shown.has(service) !== isOver) continue
      if (isOver) shown.delete(service)
      else shown.add(service)
      onEvent(`A worker says: ${text}`)
    }
  }

  let outageSince = 0
  let sweepAt = 0
  const step = async () => {
    await fill()
    const isSweep = Date.now() >= sweepAt
    const due = isSweep ? [...open.keys()] : [...hints]
    for (let at = 0; at < due.length; at += BATCH) {
      const batch = due.slice(at, at + BATCH)
      await Promise.all(batch.map(look))
      for (const id of batch) hints.delete(id)
      signal.throwIfAborted()
      // Finished jobs make room; refill at once so that workers don't run out of jobs.
      await fill()
    }
    if (!isSweep) return
    await tellIfNobodyWorks()
    await tellNotices()
    sweepAt = Date.now() + sweepMs
  }

  const listening: (() => void)[] = []
  try {
    for (const stage of stages) {
      listening.push(
        await link.listen(stage, (id) => {
          if (!open.has(id)) return
          hints.add(id)
          wake()
        }),
      )
    }
    while (!signal.aborted) {
      const { change } = jobs
      try {
        await step()
        if (outageSince > 0) onEvent?.('Resuming.')
        outageSince = 0
      } catch (error) {
        signal.throwIfAborted()
        const fault = asWaitable(error, address)
        if (outageSince === 0) onEvent?.(`Waiting (${fault.code}): ${fault.message}`)
        outageSince ||= Date.now()
        if (Date.now() - outageSince > giveUpMs) throw fault
        await pause(OUTAGE_PAUSE_MS)
        continue
      }
      if (open.size === 0 && jobs.isDone) break
      if (hints.size === 0) {
        const { promise, resolve } = Promise.withResolvers<void>()
        wake = resolve
        await Promise.race([promise, change, pause(Math.max(0, sweepAt - Date.now()))])
      }
    }
  } finally {
    for (const stop of listening) stop()
  }
}

/** Errors that may pass are returned as a ServiceError; all others are rethrown. */
function asWaitable(error: unknown, address: RedisAddress): ServiceError {
  if (error instanceof ServiceError && error.retry) return error
  if (error instanceof ServiceError || error instanceof InputError) throw error
  // A bug in our code is not an outage. Redis answers with a ReplyError; a lost connection has a code or says so.
  const { name, message, code } = error as NodeJS.ErrnoException
  const isRedis =
    /ReplyError|AbortError|MaxRetries|ConnectionClosed/.test(name) ||
    code !== undefined ||
    /Connection is closed|isn't writeable|timed out/.test(message)
  if (!isRedis) throw error
  const fault = asRedisFault(error, address)
  if (fault instanceof InputError) throw fault
  return fault
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
