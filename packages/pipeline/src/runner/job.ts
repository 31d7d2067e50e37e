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
