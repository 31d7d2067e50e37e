import { createOutages } from '@skyscript/gee-fetch'
import { createExecutor } from '@skyscript/pipeline/execute'
import { guardedStorage } from '@skyscript/pipeline/ownership'
import { stageConcurrency } from '@skyscript/pipeline/stages'
import { EXIT } from '../exit-codes.ts'
import { queueLimits } from '../limits/queue-limits.ts'
import { openNoticeBoard } from '../queue/notices.ts'
import { createOutputGuard } from '../queue/output-roots.ts'
import { serveQueue } from '../queue/serve.ts'
import { openStorage } from '../storages/storages.ts'
import { closeInTime, interruptSignal } from '../terminal/interrupt.ts'
import { downloadProgress, openTerminal } from '../terminal/open-terminal.ts'

/** `serveQueue` ends by itself within this long of a signal. */
const STOP_MS = 7_500

export interface WorkerOptions {
  readonly queue: string
  readonly stages: readonly string[]
  readonly concurrency: number | undefined
  /** Only datasets inside one of these folders or s3:// prefixes are served; none: all are. */
  readonly outputRoots: readonly string[]
}

/**
 * Serves a queue until SIGTERM or Ctrl-C, then finishes its jobs or gives them back.
 *
 * @returns the exit code
 */
export async function serve(options: WorkerOptions): Promise<number> {
  const allow = createOutputGuard(options.outputRoots)
  const terminal = openTerminal()
  const interrupt = interruptSignal(terminal)
  const limits = queueLimits(options.queue)
  const notices = openNoticeBoard(limits.redis)
  const openAllowed = async (dataset: string, run: string) => {
    await allow(dataset)
    return guardedStorage(await openStorage(dataset), run)
  }
  const executor = createExecutor(openAllowed, {
    progress: downloadProgress(terminal),
    ...limits.options,
    outages: createOutages((notice) => {
      terminal.note(notice.text)
      notices.post(notice)
    }),
  })
  const serving = serveQueue({
    redisUrl: options.queue,
    stages: options.stages,
    concurrency: options.concurrency ?? (await stageConcurrency('worker')),
    execute: executor.execute,
    onEvent: (event) => terminal.note(event),
    signal: interrupt.signal,
  })
  try {
    await interrupt.race(serving, STOP_MS)
    return EXIT.whole
  } catch (error) {
    if (interrupt.signal.aborted && error === interrupt.signal.reason) return EXIT.whole
    throw error
  } finally {
    await closeInTime(() => executor.close())
    notices.close()
    await limits.close()
    interrupt.release()
  }
}
