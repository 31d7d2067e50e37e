import type { Terminal } from '@skyscript/core'
import { count, getJson, type Storage } from '@skyscript/core'
import { LOCK } from '@skyscript/dataset'
import { getResult } from './content-check.ts'
import { type Job, type JobFailure, type Runner, resultKey, type StageName } from './runner/runner.ts'

/** Results are read this many at a time: enough to hide a bucket's latency. */
const READS = 32

/** Stages whose jobs write files of the dataset; what the others write is below work/. */
const PUBLISHING: ReadonlySet<StageName> = new Set(['fetch', 'caption'])

/** A job with the number of objects or images it stands for. */
export interface Shard {
  readonly job: Job
  readonly weight: number
}

/** What all stages of a build share. */
export interface StageRunner {
  /**
   * Sees to it that every shard has a result, and gives what `digest` makes of each, by shard. A shard whose job
   * failed for good has none; its weight is counted in `failed`.
   *
   * @param isDone whether a result found in storage still stands, for its job
   */
  run<R, D>(
    stage: StageName,
    unit: string,
    shards: readonly Shard[],
    isDone: (result: R, job: Job) => boolean | Promise<boolean>,
    digest: (result: R) => D,
  ): Promise<Map<string, D>>
  /** Objects that were lost to failed jobs, by code. */
  readonly failed: ReadonlyMap<string, number>
  /** Jobs that ran, by stage: nothing for a build that found all done. */
  readonly jobs: ReadonlyMap<StageName, number>
}

export function createStageRunner(options: {
  readonly storage: Storage
  /** Keys that were in storage when the build began. */
  readonly existing: ReadonlySet<string>
  readonly runner: Runner
  readonly terminal: Terminal
  readonly signal: AbortSignal
  /** Called before the first job of these stages, to fail early where a service can't be used. */
  readonly preflight: (stage: StageName) => Promise<void>
}): StageRunner {
  const { storage, existing, runner, terminal, signal, preflight } = options
  const failed = new Map<string, number>()
  const jobs = new Map<StageName, number>()

  return {
    failed,
    jobs,
    async run<R, D>(
      stage: StageName,
      unit: string,
      shards: readonly Shard[],
      isDone: (result: R, job: Job) => boolean | Promise<boolean>,
      digest: (result: R) => D,
    ) {
      const digests = new Map<string, D>()
      const pending: Shard[] = []
      await each(shards, async (shard) => {
        const key = resultKey(shard.job)
        const result = existing.has(key) ? await getResult<R>(storage, key) : null
        if (result !== null && (await isDone(result, shard.job))) digests.set(shard.job.shard, digest(result))
        else pending.push(shard)
      })
      const total = weightOf(shards)
      const progress = terminal.stage(stage, unit)
      if (pending.length === 0) {
        progress.update(total, total)
        progress.end(`${total} ${unit}, all done before`)
        return digests
      }
      await preflight(stage)
      // From here on files change, so the dataset is not whole until the lock is written again.
      if (PUBLISHING.has(stage)) await storage.delete(LOCK)
      pending.sort((a, b) => (a.job.shard < b.job.shard ? -1 : 1))
      const weights = new Map(pending.map(({ job, weight }) => [job.fingerprint + job.shard, weight]))
      let done = total - weightOf(pending)
      progress.update(done, total)
      const failures = await runner.run(
        pending.map(({ job }) => job),
        (job) => {
          done += weights.get(job.fingerprint + job.shard) ?? 0
          progress.update(done, total)
        },
        signal,
      )
      signal.throwIfAborted()
      jobs.set(stage, pending.length)
      const failureOf = new Map(failures.map((failure) => [resultKey(failure.job), failure]))
      tellFailures(failures, terminal)
      await each(pending, async ({ job, weight }) => {
        const result = failureOf.has(resultKey(job)) ? null : await getJson<R>(storage, resultKey(job))
        if (result !== null) digests.set(job.shard, digest(result))
        else count(failed, failureOf.get(resultKey(job))?.code ?? 'missing-result', weight)
      })
      progress.end(
        failures.length === 0
          ? `${total} ${unit}`
          : `${total} ${unit}, ${failures.length} of ${pending.length} jobs failed`,
      )
      return digests
    },
  }
}

const weightOf = (shards: readonly Shard[]) => shards.reduce((sum, { weight }) => sum + weight, 0)

/** One line per kind of failure, with the first one's sentence. */
function tellFailures(failures: readonly JobFailure[], terminal: Terminal): void {
  for (const [code, list] of Map.groupBy(failures, (failure) => failure.code)) {
    terminal.warn(
      `${list.length} ${list[0]!.job.stage} ${list.length === 1 ? 'job' : 'jobs'} failed (${code}): ${list[0]!.message}`,
    )
  }
}

/** Runs `task` over all items, READS at a time. */
async function each<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
  const iterator = items.values()
  await Promise.all(
    Array.from({ length: Math.min(READS, items.length) }, async () => {
      for (const item of iterator) await task(item)
    }),
  )
}
