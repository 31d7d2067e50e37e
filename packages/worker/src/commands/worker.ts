import { createExecutor } from '../pipeline/execute.ts'
import { serveQueue } from '../queue/serve.ts'
import type { StageName } from '../runner/runner.ts'
import { openStorage } from '../storages/storages.ts'
import { downloadProgress, interruptSignal, openTerminal } from './region.ts'

/** `skyscript worker`: serves until SIGTERM or Ctrl-C, then finishes or gives back what it holds. */
export async function workerCommand(options: { queue: string; stages: readonly StageName[]; concurrency: number }): Promise<number> {
  const terminal = openTerminal()
  const interrupt = interruptSignal(terminal)
  const executor = createExecutor(openStorage, { progress: downloadProgress(terminal) })
  try {
    await serveQueue({
      redisUrl: options.queue,
      stages: options.stages,
      concurrency: options.concurrency,
      execute: executor.execute,
      onEvent: (event) => terminal.note(event),
      signal: interrupt.signal,
    })
    return 0
  } finally {
    await executor.close()
    interrupt.release()
  }
}
