import { count, fingerprint, type Storage, type Terminal } from '@skyscript/core'
import pLimit from 'p-limit'
import type { RunContext } from './context.ts'
import type { Facts } from './facts.ts'
import type { Done, PackedHeads } from './heads.ts'
import { createLanes } from './lanes.ts'
import type { Presence } from './presence/presence.ts'
import { beginChanges } from './record/publish.ts'
import { readHead, readResult, resultKey } from './results.ts'
import type { Job } from './runner/job.ts'
import { JobQueue } from './runner/job-queue.ts'
import type { JobFailure, Runner } from './runner/runner.ts'
import type { Following, Found, Head, Stage } from './stage.ts'

/** Results are looked at this many at a time: enough to hide a bucket's latency. */
const READS = 32

export interface FlowOptions {
  readonly storage: Storage
  /** Name of the run, for its jobs. */
  readonly run: string
  readonly facts: Facts
  readonly context: RunContext
  /** Whether jobs are done in this process. */
  readonly isEmbedded: boolean
  readonly heads: PackedHeads
  readonly presence: Presence
  readonly runner: Runner
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

export interface Flow {
  /** Results by stage and shard: of this flow, and of earlier ones that still stand. */
  readonly done: ReadonlyMap<string, ReadonlyMap<string, Done>>
  /** Objects that were lost to failed jobs, by code. */
  readonly failed: ReadonlyMap<string, number>
  /** Jobs that ran, by stage: nothing where all was done before. */
  readonly jobs: ReadonlyMap<string, number>
}

/**
 * Takes every shard through its stages. A shard moves on as soon as its own result is there, so that different ones
 * are fetched, captioned and scored at the same time; which results there are depends on no order.
 *
 * @param stages of which the first, whose `after` is not among them, take up the roots
 */
export async function flow(stages: readonly Stage[], roots: readonly Following[], options: FlowOptions): Promise<Flow> {
  const { storage, context, presence, runner, terminal, signal } = options
  const names = new Set(stages.map(({ name }) => name))
  const next = Map.groupBy(stages, ({ after }) => (after !== null && names.has(after) ? after : null))
  const queue = new JobQueue(stages.map(({ name }) => name))
  const lanes = createLanes(stages, terminal)
  const done = new Map(stages.map(({ name }) => [name, new Map<string, Done>()]))
  const failed = new Map<string, number>()
  const failures: JobFailure[] = []
  /** Jobs that are to be done, or are. */
  const open = new Map<string, { readonly stage: Stage; readonly item: Following }>()

  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const limit = pLimit(READS)
  const ended = Promise.withResolvers<void>()
  let tasks = 0
  let running: Promise<void> | undefined

  const start = (task: () => Promise<void>) => {
    tasks++
    limit(task)
      .catch((error) => stop.abort(error))
      .finally(() => {
        if (--tasks === 0 && open.size === 0) ended.resolve()
      })
  }

  /** Of all stages at once: a model that can't be opened should cost no imagery. */
  let checked: Promise<void> | undefined
  const preflights = () =>
    (checked ??= (async () => {
      for (const stage of stages) await stage.preflight?.(context, options.isEmbedded)
    })())

  /** From here on files change. */
  let publishing: Promise<void> | undefined

  const enter = (after: string | null, items: readonly Following[]) => {
    for (const stage of next.get(after) ?? []) {
      for (const item of items) {
        lanes.enter(stage, item.upstream.kept)
        start(() => look(stage, item))
      }
    }
  }

  const look = async (stage: Stage, item: Following) => {
    either.throwIfAborted()
    const job = jobOf(stage, item, options)
    const found = await find(job, options)
    if (found !== null && (await stands(stage, found, item, presence))) {
      finish(stage, item, { job, head: found.head, size: found.size })
      return
    }
    await lanes.begin(stage, async () => {
      await preflights()
      if (stage.publishes) await (publishing ??= beginChanges(storage))
    })
    open.set(resultKey(job), { stage, item })
    queue.push({ job, isRedone: presence.has(resultKey(job)) })
    running ??= runner
      .run(queue, (each, failure) => start(() => end(each, failure)), either)
      .catch((error) => stop.abort(error))
  }

  const finish = (stage: Stage, item: Following, result: Done) => {
    done.get(stage.name)!.set(item.shard, result)
    const { shard } = item
    const same = { shard, input: result.job.fingerprint, upstream: result.head }
    enter(stage.name, stage.follow?.(result.head) ?? [same])
    lanes.leave(stage, item.upstream.kept)
  }

  const end = async (job: Job, failure: JobFailure | null) => {
    const { stage, item } = open.get(resultKey(job))!
    const stored = failure === null ? await readHead<Head>(storage, resultKey(job)) : null
    open.delete(resultKey(job))
    if (stored !== null) return finish(stage, item, { job, ...stored })
    if (failure !== null) failures.push(failure)
    count(failed, failure?.code ?? 'missing-result', item.upstream.kept)
    lanes.leave(stage, item.upstream.kept, true)
  }

  either.addEventListener('abort', () => ended.resolve(), { once: true })
  start(async () => {
    enter(null, roots)
    lanes.close()
  })
  await ended.promise
  queue.end()
  await running
  either.throwIfAborted()
  tellFailures(failures, terminal)
  return { done, failed, jobs: lanes.jobs() }
}

/** The job that makes a shard's result. */
export function jobOf(
  stage: Stage,
  { shard, input, upstream }: Following,
  { storage, run, facts }: Pick<FlowOptions, 'storage' | 'run' | 'facts'>,
): Job {
  const name = fingerprint(stage.name, stage.version, ...stage.decides(shard, upstream, facts))
  return { dataset: storage.url, run, stage: stage.name, shard, input, fingerprint: name }
}

/** A result of this name, of an earlier build. */
export async function find(job: Job, { storage, heads, presence }: FlowOptions): Promise<Found<unknown, Head> | null> {
  const key = resultKey(job)
  const size = presence.listing.work.get(key)
  if (size === undefined) return null
  const packed = heads.get(job)
  const stored = packed ?? (await readHead<Head>(storage, key))
  // A file of another size was cut short.
  if (stored?.size !== size) return null
  const isSealed = packed !== undefined && presence.seal?.heads[job.stage] === heads.digests.get(job.stage)
  const result = async () => {
    const found = await readResult(storage, key)
    if (found === null) throw new DamagedResult(key)
    return found
  }
  return { job, ...stored, isSealed, result }
}

class DamagedResult extends Error {}

async function stands(
  stage: Stage,
  found: Found<unknown, Head>,
  { upstream }: Following,
  presence: Presence,
): Promise<boolean> {
  if (Object.keys(found.head.failed).length > 0) return false
  try {
    return (await stage.stands?.(found, upstream, presence)) ?? true
  } catch (error) {
    if (error instanceof DamagedResult) return false
    throw error
  }
}

/** One line per kind of failure, with the first one's sentence. */
function tellFailures(failures: readonly JobFailure[], terminal: Terminal): void {
  const sorted = failures.toSorted((a, b) => (resultKey(a.job) < resultKey(b.job) ? -1 : 1))
  for (const list of Map.groupBy(sorted, ({ job, code }) => `${job.stage} ${code}`).values()) {
    const { job, code, message } = list[0]!
    terminal.warn(`${list.length} ${job.stage} ${list.length === 1 ? 'job' : 'jobs'} failed (${code}): ${message}`)
  }
}
