/** Lets so many through at a time. */
export interface Limiter {
  /** Waits for a place, or for the signal and throws its reason; the function gives the place back. */
  acquire(signal?: AbortSignal): Promise<() => void>
}

/** A limiter for this process: `maxConcurrent` at a time, and at most `perSecond` starts in any second. */
export function createLimiter({
  maxConcurrent,
  perSecond,
}: {
  readonly maxConcurrent: number
  readonly perSecond: number
}): Limiter {
  const waiting = new Set<() => void>()
  let active = 0
  // Starts are spread evenly: a burst of a second's worth would be refused by a server that counts otherwise.
  const gap = 1000 / perSecond
  let nextStart = 0

  const release = () => {
    active--
    const [first] = waiting
    first?.()
  }
  const turn = (signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const leave = () => {
        waiting.delete(wake)
        signal?.removeEventListener('abort', abort)
      }
      const wake = () => {
        leave()
        resolve()
      }
      const abort = () => {
        leave()
        reject(signal?.reason)
      }
      waiting.add(wake)
      signal?.addEventListener('abort', abort)
    })
  return {
    async acquire(signal) {
      signal?.throwIfAborted()
      while (active >= maxConcurrent) await turn(signal)
      active++
      const now = performance.now()
      const start = Math.max(now, nextStart)
      nextStart = start + gap
      if (start > now) await new Promise((resolve) => setTimeout(resolve, start - now))
      if (signal?.aborted) {
        release()
        throw signal.reason
      }
      let released = false
      return () => {
        if (!released) release()
        released = true
      }
    },
  }
}
