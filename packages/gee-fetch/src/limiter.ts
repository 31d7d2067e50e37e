/** Lets so many through at a time. */
export interface Limiter {
  /** Waits for a place; the function gives it back. */
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
  const waiting: (() => void)[] = []
  let active = 0
  // Starts are spread evenly: a burst of a second's worth would be refused by a server that counts otherwise.
  const gap = 1000 / perSecond
  let nextStart = 0

  const release = () => {
    active--
    waiting.shift()?.()
  }
  return {
    async acquire(signal) {
      while (active >= maxConcurrent) await new Promise<void>((resolve) => waiting.push(resolve))
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
