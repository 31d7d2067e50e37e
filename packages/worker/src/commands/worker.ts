import { createOutages } from '@skyscript/gee-fetch'
import { guardedStorage } from '../ownership/lease.ts'
import { createOutputGuard } from '../ownership/output-roots.ts'
import { redisLedger } from '../pipeline/eecu-ledger.ts'
import { createExecutor } from '../pipeline/execute.ts'
import { createRedisLimiter } from '../queue/limiter.ts'
import { openNoticeBoard } from '../queue/notices.ts'
import { openRedis, parseRedisUrl } from '../queue/redis.ts'
import { serveQueue } from '../queue/serve.ts'
import type { StageName } from '../runner/runner.ts'
import { openStorage } from '../storages/storages.ts'
import { closeInTime, interruptSignal } from '../terminal/interrupt.ts'
import { downloadProgress, openTerminal } from './region.ts'

/** Jobs at a time. Fetch jobs wait for the network, some for few large answers. */
const CONCURRENCY = { plan: 2, fetch: 12, caption: 2, score: 2 } as const

/** `serveQueue` ends by itself within this long of a signal. */
const STOP_MS = 7_500

export interface WorkerOptions {
  readonly queue: string
  readonly stages: readonly StageName[]
  readonly concurrency?: number
  /** Folders and s3:// prefixes that datasets must lie below; without any, all are served. */
  readonly outputRoot?: readonly string[]
}

/** `skyscript worker`: serves until SIGTERM or Ctrl-C, then finishes or gives back what it holds. */
export async function workerCommand(options: WorkerOptions): Promise<number> {
  const allow = createOutputGuard(options.outputRoot ?? [])
  const terminal = openTerminal()
  const interrupt = interruptSignal(terminal)
  const limiters = sharedLimiters(options.queue)
  const openAllowed = async (dataset: string, run: string) => {
    await allow(dataset)
    return guardedStorage(await openStorage(dataset), run)
  }
  const executor = createExecutor(openAllowed, {
    progress: downloadProgress(terminal),
    limiter: limiters.open,
    ledger: limiters.ledger,
    outages: createOutages((notice) => {
      terminal.note(notice.text)
      limiters.notices.post(notice)
    }),
  })
  const serving = serveQueue({
    redisUrl: options.queue,
    stages: options.stages,
    concurrency: options.concurrency ?? CONCURRENCY,
    execute: executor.execute,
    onEvent: (event) => terminal.note(event),
    signal: interrupt.signal,
  })
  try {
    await interrupt.race(serving, STOP_MS)
    return 0
  } catch (error) {
    if (interrupt.signal.aborted && error === interrupt.signal.reason) return 0
    throw error
  } finally {
    await closeInTime(() => executor.close())
    await limiters.close()
    interrupt.release()
  }
}

/** Requests started per second in a project, https://developers.google.com/earth-engine/guides/usage */
const REQUESTS_PER_SECOND = 100

/** A limiter and a ledger in Redis for each Earth Engine project, shared by all workers of the queue. */
function sharedLimiters(queue: string) {
  const redis: ReturnType<typeof openRedis>[] = []
  const board = openRedis(parseRedisUrl(queue), 'waiting')
  redis.push(board)
  const notices = openNoticeBoard(board)
  return {
    notices,
    open: async (project: string, maxConcurrent: number) => {
      const connection = openRedis(parseRedisUrl(queue), 'waiting')
      redis.push(connection)
      return createRedisLimiter({ redis: connection, name: project, maxConcurrent, perSecond: REQUESTS_PER_SECOND })
    },
    ledger: (project: string) => {
      const connection = openRedis(parseRedisUrl(queue), 'waiting')
      redis.push(connection)
      return redisLedger(connection, project, () => new Date())
    },
    close: async () => {
      notices.close()
      for (const connection of redis) connection.disconnect()
    },
  }
}
