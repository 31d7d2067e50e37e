import type { Storage } from '@skyscript/core'
import type { Execute, Job, StageName } from '../runner/runner.ts'
import { captionJob } from './caption.ts'
import { loadRun, openContext, type RunContext } from './context.ts'
import { fetchJob } from './fetch.ts'
import type { ContextOptions } from './models.ts'
import { planJob } from './plan.ts'
import { scoreJob } from './score.ts'

const JOBS: Record<StageName, (job: Job, context: RunContext, signal: AbortSignal) => Promise<void>> = {
  plan: planJob,
  fetch: fetchJob,
  caption: captionJob,
  score: scoreJob,
}

/** The contexts of the runs whose jobs come by: a worker serves many datasets, most of the time one. */
const CONTEXTS_IN_MEMORY = 2

export interface Executor {
  readonly execute: Execute
  close(): Promise<void>
}

/**
 * Does jobs of any run.
 *
 * @param openStorage opens the dataset that a job names
 */
export function createExecutor(openStorage: (url: string) => Promise<Storage>, options: ContextOptions = {}): Executor {
  const contexts = new Map<string, Promise<RunContext>>()
  const closing: Promise<void>[] = []

  const contextOf = (job: Job): Promise<RunContext> => {
    const key = `${job.dataset}\n${job.run}`
    const known = contexts.get(key)
    if (known) return known
    const opening = openStorage(job.dataset).then(async (storage) =>
      openContext(storage, await loadRun(storage, job.run), options),
    )
    opening.catch(() => contexts.delete(key))
    contexts.set(key, opening)
    if (contexts.size > CONTEXTS_IN_MEMORY) {
      const [oldest, context] = contexts.entries().next().value!
      contexts.delete(oldest)
      closing.push(context.then((each) => each.close()))
    }
    return opening
  }

  return {
    execute: async (job, signal) => JOBS[job.stage](job, await contextOf(job), signal),
    async close() {
      for (const context of contexts.values()) closing.push(context.then((each) => each.close()))
      await Promise.allSettled(closing)
    },
  }
}
