import type { Storage } from '@skyscript/core'
import { loadRun, openContext } from './context.ts'
import { createContextPool } from './context-pool.ts'
import type { ContextOptions } from './models.ts'
import { putResult, resultKey } from './results.ts'
import type { Execute } from './runner/runner.ts'
import { loadStages } from './stages/index.ts'

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
  const stages = loadStages()
  return {
    async execute(job, signal) {
      const stage = (await stages).find(({ name }) => name === job.stage)!
      const { context, release } = await pool.borrow(`${job.dataset}\n${job.run}`)
      try {
        const result = await stage.run(job, context, signal)
        await putResult(context.storage, resultKey(job), stage.head(result), result)
      } finally {
        release()
      }
    },
    close: () => pool.close(),
  }
}
