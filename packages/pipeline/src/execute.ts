import type { Storage } from '@skyscript/core'
import { captionJob } from './caption.ts'
import { loadRun, openContext, type RunContext } from './context.ts'
import { createContextPool } from './context-pool.ts'
import { fetchJob } from './fetch.ts'
import type { ContextOptions } from './models.ts'
import { planJob } from './plan.ts'
import type { Execute, Job, StageName } from './runner/runner.ts'
import { scoreJob } from './score.ts'

const JOBS: Record<StageName, (job: Job, context: RunContext, signal: AbortSignal) => Promise<void>> = {
  plan: planJob,
  fetch: fetchJob,
  caption: captionJob,
  score: scoreJob,
}

export interface Executor {
  readonly execute: Execute
  close(): Promise<void>
}

/**
 * Does jobs of any run.
 *
 * @param openStorage opens the dataset that a job names, for a run
 */
export function createExecutor(
  openStorage: (url: string, run: string) => Promise<Storage>,
  options: ContextOptions = {},
): Executor {
  const pool = createContextPool(async (key) => {
    const [dataset, run] = key.split('\n') as [string, string]
    const storage = await openStorage(dataset, run)
    return openContext(storage, await loadRun(storage, run), options)
  })
  return {
    async execute(job, signal) {
      const { context, release } = await pool.borrow(`${job.dataset}\n${job.run}`)
      try {
        await JOBS[job.stage](job, context, signal)
      } finally {
        release()
      }
    },
    close: () => pool.close(),
  }
}
