import { type StartedThread, startThread, type Thread } from './thread.ts'

/** A thread that nobody borrows ends after this long. */
const IDLE_MS = 10_000

interface IdleThread {
  readonly file: string
  readonly key: string
  readonly thread: StartedThread
}

const idle = new Set<IdleThread>()

/**
 * As `startThread`, but a thread that was closed a short while ago is used again, in the state in which it was left: the
 * check of a model and the build after it, or builds after one another in a worker, open the model once.
 *
 * @param key names the state of the module in the thread, such as the model that it opened
 */
export function borrowThread(file: URL, key = ''): Thread {
  const thread = takeIdle(file.href, key) ?? startThread(file)
  let isClosed = false
  return {
    ask: (...call) => (isClosed ? Promise.reject(new Error('The thread is closed.')) : thread.ask(...call)),
    async close() {
      if (isClosed) return
      isClosed = true
      if (thread.isWorking || thread.hasEnded) return thread.close()
      const entry = { file: file.href, key, thread }
      idle.add(entry)
      setTimeout(() => end(entry), IDLE_MS).unref()
    },
  }
}

function takeIdle(file: string, key: string): StartedThread | undefined {
  const own = [...idle].filter((each) => each.file === file)
  const found = own.find((each) => each.key === key && !each.thread.hasEnded)
  if (found === undefined) {
    // A new model may need the memory of those that are out of use.
    for (const each of own) end(each)
    return undefined
  }
  idle.delete(found)
  return found.thread
}

function end(entry: IdleThread): void {
  if (idle.delete(entry)) void entry.thread.close()
}
