import { setTimeout as sleep } from 'node:timers/promises'
import { InputError, type Terminal } from '@skyscript/core'

/** After SIGINT or SIGTERM, time for a command to end by itself before it is left behind. */
const UNWIND_MS = 3_000
/** Time to close clients and threads after that. */
const CLOSE_MS = 2_000
/** The process ends by the signal after this long, whatever it does: service managers kill after 10 s. */
const LAST_MS = 8_000
/** With nothing left to do the process ends by itself; a socket or timer that was forgotten holds it up this long. */
const LINGER_MS = { stopped: 300, done: 5_000 } as const

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const
type StopSignal = keyof typeof SIGNALS

/** The first signal that came. */
let stoppedBy: StopSignal | undefined
/** Whether something was left running: a thread in native code would hold up an orderly exit. */
let leftBehind = false
let installed = false
const listeners = new Set<() => void>()

/**
 * SIGINT and SIGTERM end the process at once, except while a command listens with `interruptSignal`: then it may end in
 * order, within 8 s. A second signal ends it at once. Also as process 1 of a container, where signals have no default.
 */
export function handleSignals(): void {
  if (installed) return
  installed = true
  for (const name of Object.keys(SIGNALS) as StopSignal[]) {
    process.on(name, () => {
      if (stoppedBy !== undefined || listeners.size === 0) return dieBy(name)
      stoppedBy = name
      setTimeout(() => dieBy(name), LAST_MS).unref()
      for (const listener of listeners) listener()
    })
  }
}

/**
 * Ends the process by the signal's default action. Unlike process.exit it waits for no thread, so that it works while
 * native code computes.
 */
function dieBy(name: StopSignal): void {
  process.removeAllListeners(name)
  process.kill(process.pid, name)
  // Process 1 of a container survives that.
  setTimeout(() => process.exit(128 + SIGNALS[name]), 100)
}

export interface Interrupt {
  /** Aborted by SIGINT or SIGTERM, with an InputError `interrupted`. */
  readonly signal: AbortSignal
  /**
   * The task's result. Once the signal is aborted the task has a few seconds to end; then it is left behind and the
   * signal's reason thrown.
   */
  race<T>(task: Promise<T>, unwindMs?: number): Promise<T>
  release(): void
}

/**
 * Lets a command end in order.
 *
 * @param next what the same command will do
 */
export function interruptSignal(terminal: Terminal, next: 'resume' | 'start over' = 'resume'): Interrupt {
  handleSignals()
  const controller = new AbortController()
  const stop = () => {
    terminal.warn(`Stopping; run the same command again to ${next}.`)
    controller.abort(new InputError('interrupted', `Stopped before the end; run the same command again to ${next}.`))
  }
  listeners.add(stop)
  const { signal } = controller
  return {
    signal,
    async race(task, unwindMs = UNWIND_MS) {
      const { promise: late, reject } = Promise.withResolvers<never>()
      const begin = () => {
        setTimeout(() => {
          leftBehind = true
          reject(signal.reason)
        }, unwindMs).unref()
      }
      signal.addEventListener('abort', begin, { once: true })
      task.catch(() => {})
      late.catch(() => {})
      try {
        return await Promise.race([task, late])
      } finally {
        signal.removeEventListener('abort', begin)
      }
    },
    release: () => listeners.delete(stop),
  }
}

/** Resolves at SIGINT or SIGTERM, for a server that serves until then. */
export function untilStopped(): Promise<void> {
  handleSignals()
  return new Promise((resolve) => {
    const stop = () => {
      listeners.delete(stop)
      resolve()
    }
    listeners.add(stop)
  })
}

/** Closes clients and threads. After an interrupt, what doesn't close within a few seconds is left behind. */
export async function closeInTime(close: () => Promise<unknown>): Promise<void> {
  const closing = close()
  if (stoppedBy === undefined) {
    await closing
    return
  }
  closing.catch(() => {})
  const late = sleep(CLOSE_MS, 'late', { ref: false })
  if ((await Promise.race([closing, late])) === 'late') leftBehind = true
}

/** Whether something of an interrupted command may still be at work. */
export const isLeftBehind = (): boolean => leftBehind

/** What keeps `process.exit` waiting: threads of this process, and work that was given to the system's. */
const isBusy = () => process.getActiveResourcesInfo().some((name) => /ReqWrap|FSReq|Worker|Zlib/.test(name))

/** Ends the process with this code: by itself where nothing is left to do, else after a moment. */
export function endProcess(code: number): void {
  process.exitCode = code
  if (stoppedBy !== undefined && leftBehind) return dieBy(stoppedBy)
  const end = () => {
    if (stoppedBy !== undefined && isBusy()) dieBy(stoppedBy)
    else if (stoppedBy === undefined && process.stdout.writableLength > 0) setTimeout(end, LINGER_MS.done).unref()
    else process.exit(code)
  }
  setTimeout(end, stoppedBy === undefined ? LINGER_MS.done : LINGER_MS.stopped).unref()
}
