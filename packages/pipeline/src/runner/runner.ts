import type { JobQueue } from './job-queue.ts'

/**
 * One shard of work: ids only, never data or secrets, under 2 kB. The worker reads the inputs from the dataset's
 * storage and writes its result there. Doing a job twice, or at two places at once, does no harm.
 */
export interface Job {
  /** URL of the dataset's storage: a folder or s3://bucket/prefix. */
  readonly dataset: string
  /** Fingerprint of the run's settings, stored at `runKey`. */
  readonly run: string
  /** Name of a stage. */
  readonly stage: string
  /** A path such as `x1815_y1325` or `x1815_y1325/q012`, unique within the stage. */
  readonly shard: string
  /** Name of what this job reads: in general, the fingerprint of the shard's result of the stage before. */
  readonly input: string
  /** Of everything that decides the result. */
  readonly fingerprint: string
}

export const runKey = (run: string): string => `work/runs/${run}.json`

/** Does one job: reads storage, writes its result. Throws a SkyscriptError on failure. */
export type Execute = (job: Job, signal: AbortSignal) => Promise<void>

export interface JobFailure {
  readonly job: Job
  readonly code: string
  /** Redacted, one sentence. */
  readonly message: string
}

/** Has jobs done, here or elsewhere. */
export interface Runner {
  /**
   * Takes jobs from the queue as they come, and resolves when it has ended and each of its jobs too. Failed jobs were
   * retried where that may help; the others go on. Rejects only when nothing can go on (Redis gone for good, `signal`
   * aborted).
   *
   * @param onEnd called once for each job that ended, in no particular order; with null where it left its result
   */
  run(jobs: JobQueue, onEnd: (job: Job, failure: JobFailure | null) => void, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
