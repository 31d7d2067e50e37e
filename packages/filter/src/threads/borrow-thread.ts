import { createIdlePool, type IdlePool } from '@skyscript/core'
import { type StartedThread, startThread, type Thread } from './thread.ts'

/** By module. */
const pools = new Map<string, IdlePool<StartedThread>>()

/**
 * As `startThread`, but a thread that was closed a short while ago is used again, in the state in which it was left: the
 * check of a model and the build after it, or builds after one another in a worker, open the model once.
 *
 * @param state of the module in the thread, such as the model that it opened
 */
export function borrowThread(file: URL, state = ''): Thread {
  const pool = pools.get(file.href) ?? createIdlePool<StartedThread>((idle) => void idle.close())
  pools.set(file.href, pool)
  const kept = pool.take(state)
  const thread = kept === undefined || kept.hasEnded ? startThread(file) : kept
  let isClosed = false
  return {
    ask: (...call) => (isClosed ? Promise.reject(new Error('The thread is closed.')) : thread.ask(...call)),
    async close() {
      if (isClosed) return
      isClosed = true
      if (thread.isWorking || thread.hasEnded) await thread.close()
      else pool.keep(state, thread)
    },
  }
}
