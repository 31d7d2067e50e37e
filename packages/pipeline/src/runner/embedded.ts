import { failureOf, InputError, retrying, ServiceError } from '@skyscript/core'
import type { Job } from './job.ts'
import type { Execute, JobFailure, Runner } from './runner.ts'

/** Tries of a job whose failure may pass; requests inside a job have tries of their own. */
const ATTEMPTS = 3
/** First pause between tries; twice as long before the third. */
const PAUSE_MS = 1000

export interface EmbeddedOptions {
  readonly execute: Execute
  /** Jobs at a time, by stage. */
  readonly concurrency: Readonly<Record<string, number>>
  readonly pauseMs?: number
}

/**
 * Does jobs in this process, a few of each stage at a time.
 *
 * What would stop every job alike ends the run: an InputError, a full disk, an abort. Anything else that a job throws,
 * including a bug (`internal-error`), is that job's failure, and the other jobs continue.
 */
export function createEmbeddedRunner(options: EmbeddedOptions): Runner {
  const { execute, concurrency, pauseMs = PAUSE_MS } = options
  return {
    async run(jobs, onEnd, signal) {
      signal.throwIfAborted()
      const stop = new AbortController()
      const either = AbortSignal.any([signal, stop.signal])
      const serve = async (stage: string) => {
        for (let next = await jobs.next(stage, either); next; next = await jobs.next(stage, either))
          onEnd(next.job, await attempt(execute, next.job, either, pauseMs))
      }
      const served = jobs.stages.flatMap((stage) =>
        Array.from({ length: concurrency[stage]! }, () => serve(stage).catch((error) => stop.abort(error))),
      )
      await Promise.all(served)
      either.throwIfAborted()
    },
    async close() {},
  }
}

async function attempt(execute: Execute, job: Job, signal: AbortSignal, pauseMs: number): Promise<JobFailure | null> {
  try {
    await retrying(() => execute(job, signal), { tries: ATTEMPTS, pauseMs, signal })
    return null
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof InputError || (error instanceof ServiceError && error.code === 'disk-full')) throw error
    return { job, ...failureOf(error) }
  }
}
