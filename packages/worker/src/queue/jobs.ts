import { failureOf, fingerprint, messageOf, ServiceError } from '@skyscript/core'
import type { Job, JobFailure } from '@skyscript/pipeline/runner'
import { STAGE_NAMES } from '@skyscript/pipeline/stages'
import type { JobsOptions } from 'bullmq'
import { z } from 'zod'

/** Prefix of every key in Redis. One queue per stage. */
export const DEFAULT_PREFIX = 'skyscript'

/** Events only tell a coordinator where to look; the results are in storage, so few events are kept. */
export const EVENTS_KEPT = 1000

/**
 * How a job is queued. Finished jobs are kept for a while: completed ones so that a coordinator that missed the event
 * still sees them, failed ones for their error.
 */
export const JOB_OPTIONS: JobsOptions = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 2000, jitter: 0.5 },
  sizeLimit: 2048,
  removeOnComplete: { count: 4000, age: 3600 },
  removeOnFail: { count: 10_000, age: 7 * 24 * 3600 },
  stackTraceLimit: 1,
}

/**
 * One id per piece of work, so that two coordinators queue it once. Two datasets with the same settings, and two runs
 * whose settings are stored separately, are different work.
 */
export function jobId({ dataset, run, stage, shard, fingerprint: result }: Job): string {
  return `${stage}-${fingerprint('job', dataset, run, shard, result)}`
}

const name = z.string().regex(/^[\w.-]{1,128}$/)

/** The schema of a job in Redis: someone who can write to Redis must not be able to name a path outside a dataset. */
const jobSchema = z.strictObject({
  dataset: z.string().regex(/^(\/|[A-Za-z]:[\\/]|s3:\/\/)[^\p{Cc}]{0,1023}$/u),
  run: name,
  stage: z.enum(STAGE_NAMES),
  shard: z
    .string()
    .max(256)
    .regex(/^[\w.-]+(\/[\w.-]+)*$/)
    .refine((shard) => !shard.split('/').some((part) => part === '.' || part === '..')),
  input: name,
  fingerprint: name,
})

/** @throws ServiceError `bad-job`, not retryable, for anything but a job of ours */
export function readJob(data: unknown): Job {
  const result = jobSchema.safeParse(data)
  if (result.success) return result.data
  const fields = result.error.issues.map(({ path }) => path.join('.') || 'all').join(', ')
  throw new ServiceError(
    'bad-job',
    `The queue holds a job that is not ours (${fields}); use a separate Redis or prefix.`,
    { retry: false },
  )
}

/** The text of a failure in Redis: `code: message`. */
export function failureText(error: unknown): string {
  const { code, message } = failureOf(error)
  return `${code}: ${message}`
}

export function readFailure(job: Job, failedReason: string): JobFailure {
  const match = /^([a-z0-9][a-z0-9-]{0,63}): ([\s\S]*)$/.exec(failedReason)
  if (match) return { job, code: match[1]!, message: match[2]! }
  // BullMQ's message for a job whose workers died more often than a good job's would.
  if (/stalled/.test(failedReason)) {
    return {
      job,
      code: 'worker-lost',
      message: "Every worker that took this job died of it or lost its connection; look at the workers' logs.",
    }
  }
  return { job, code: 'internal-error', message: messageOf(failedReason) }
}
