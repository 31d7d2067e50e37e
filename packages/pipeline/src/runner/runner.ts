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
   * Takes jobs from the queue as they arrive; resolves when the queue has ended and all its jobs have too. Failed jobs
   * were retried where that may help, and don't stop the others. Rejects only when no job can run any more (Redis gone for
   * good, `signal` aborted).
   *
   * @param onEnd called once for each job that ended, in no particular order; with null where it left its result
   */
  run(jobs: JobQueue, onEnd: (job: Job, failure: JobFailure | null) => void, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
