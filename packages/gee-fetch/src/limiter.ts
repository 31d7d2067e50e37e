import { pause } from './pause.ts'

/** Lets so many through at a time. */
export interface Limiter {
  /** Waits for a place, or for the signal and throws its reason; the function gives the place back. */
  acquire(signal?: AbortSignal): Promise<() => void>
  /** The server refused a request for coming too fast: fewer are let through for a while, and none before `retryAfterMs`. */
  refused(retryAfterMs: number | null): void
  /** The server computes less at a time for this project (`true`), or as usual again. */
  restricted(isRestricted: boolean): void
}

/** What remains of the places after a refusal, and how soon after one another refusals count: one overload gives many. */
export const AFTER_REFUSAL = { share: 0.7, everyMs: 1000 } as const
/** Places that come back a second. */
export const PLACES_PER_SECOND = 2

/** Places while a project is restricted; Earth Engine doesn't say how many it grants then. */
export const RESTRICTED_PLACES = 4
/** A restriction that no answer has confirmed for this long is over. */
export const RESTRICTED_MS = 60_000

/** "Per second" is counted over a little more, since requests that left evenly may arrive bunched. */
export const WINDOW_MS = 1_100

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
  /** When the last `perSecond` requests really started, in a ring: one may start when the oldest is a window ago. */
  const starts = new Float64Array(perSecond).fill(-Infinity)
  let oldest = 0
  /** A server asked for nothing before this. */
  let notBefore = 0
  /** Places at the last refusal, and when that was. */
  let places = maxConcurrent
  let refusedAt = -Infinity
  let growing: NodeJS.Timeout | undefined
  let lifting: NodeJS.Timeout | undefined

  const placesAt = (now: number) =>
    Math.min(
      lifting === undefined ? maxConcurrent : Math.min(maxConcurrent, RESTRICTED_PLACES),
      Math.floor(places + ((now - refusedAt) / 1000) * PLACES_PER_SECOND),
    )
  const wakeFirst = () => {
    const [first] = waiting
    first?.()
  }
  const release = () => {
    active--
    wakeFirst()
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
      while (active >= placesAt(performance.now())) await turn(signal)
      active++
      for (;;) {
        const wait = Math.max(starts[oldest]! + WINDOW_MS, notBefore) - performance.now()
        if (wait <= 0) break
        try {
          await pause(wait, signal)
        } catch (error) {
          release()
          throw error
        }
      }
      starts[oldest] = performance.now()
      oldest = (oldest + 1) % perSecond
      let released = false
      return () => {
        if (!released) release()
        released = true
      }
    },
    restricted(isRestricted) {
      clearTimeout(lifting)
      const lift = () => {
        lifting = undefined
        for (const wake of [...waiting]) wake()
      }
      if (isRestricted) lifting = setTimeout(lift, RESTRICTED_MS).unref()
      else lift()
    },
    refused(retryAfterMs) {
      const now = performance.now()
      if (retryAfterMs !== null) notBefore = Math.max(notBefore, now + retryAfterMs)
      if (now - refusedAt < AFTER_REFUSAL.everyMs) return
      places = Math.max(1, Math.floor(placesAt(now) * AFTER_REFUSAL.share))
      refusedAt = now
      // A place that comes back wakes nobody by itself.
      growing ??= setInterval(() => {
        wakeFirst()
        if (placesAt(performance.now()) < maxConcurrent) return
        clearInterval(growing)
        growing = undefined
      }, 1000 / PLACES_PER_SECOND).unref()
    },
  }
}
