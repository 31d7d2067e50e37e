import type { Job } from './job.ts'
import type { JobQueue } from './job-queue.ts'

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
