/** The stages that run as jobs; extraction, selection and assembly are the coordinator's own work. */
export const STAGES = ['plan', 'fetch', 'caption', 'score'] as const
export type StageName = (typeof STAGES)[number]

/**
 * One shard of work: ids only, never data or secrets, under 2 kB. The worker reads the inputs from the dataset's
 * storage and writes its result to `resultKey(job)`. Doing a job twice, or at two places at once, does no harm.
 */
export interface Job {
  /** URL of the dataset's storage: a folder or s3://bucket/prefix. */
  readonly dataset: string
  /** Fingerprint of the run's settings, stored at `runKey`. */
  readonly run: string
  readonly stage: StageName
  /** A path such as `x1815_y1325` or `x1815_y1325/q012`, unique within the stage. */
  readonly shard: string
  /** Fingerprint of the upstream result that this shard reads. */
  readonly input: string
  /** Of everything that decides the result. */
  readonly fingerprint: string
}

export const resultKey = ({ stage, shard, fingerprint }: Job): string => `work/${stage}/${shard}/${fingerprint}.json`
export const runKey = (run: string): string => `work/runs/${run}.json`

/** Does one job: reads storage, writes `resultKey(job)`. Throws a SkyscriptError on failure. */
export type Execute = (job: Job, signal: AbortSignal) => Promise<void>

export interface JobFailure {
  readonly job: Job
  readonly code: string
  /** Redacted, one sentence. */
  readonly message: string
}

/** Gets jobs done, here or elsewhere. */
export interface Runner {
  /**
   * Resolves when each job has ended. Failed jobs were retried where that may help, and come back as failures; the
   * others go on. Rejects only when nothing can go on (Redis gone for good, `signal` aborted).
   *
   * @param onDone called once per job that ended, in no particular order
   */
  run(jobs: readonly Job[], onDone: (job: Job) => void, signal: AbortSignal): Promise<JobFailure[]>
  close(): Promise<void>
}
