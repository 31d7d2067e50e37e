import { pause } from './pause.ts'
import { turn } from './turn.ts'

/** Limits concurrency. */
export interface Limiter {
  /** Waits for a slot, or throws the signal's reason; call the returned function to release the slot. */
  acquire(signal?: AbortSignal): Promise<() => void>
  /** The server rate-limited a request: fewer are admitted for a while, and none before `retryAfterMs`. */
  refused(retryAfterMs: number | null): void
  /** The server reduces this project's concurrency (`true`), or lifts the restriction. */
  restricted(isRestricted: boolean): void
}

/** The share of slots left after a refusal; refusals within `everyMs` count as one, because one overload causes many. */
export const AFTER_REFUSAL = { share: 0.7, everyMs: 1000 } as const
/** Slots that come back per second. */
export const PLACES_PER_SECOND = 2

/** Slots while a project is restricted; Earth Engine doesn't say how many it allows then. */
export const RESTRICTED_PLACES = 4
/** A restriction ends when no response has confirmed it for this long. */
export const RESTRICTED_MS = 60_000

/** The window for "per second" is a little longer, since requests that left evenly spaced may arrive in bursts. */
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
  /** Start times of the last `perSecond` requests, in a ring buffer: one may start when the oldest is a window ago. */
  const starts = new Float64Array(perSecond).fill(-Infinity)
  let oldest = 0
  /** No request starts before this. */
  let notBefore = 0
  /** Slots at the last refusal, and its time. */
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
  return {
    async acquire(signal) {
      signal?.throwIfAborted()
      while (active >= placesAt(performance.now())) await turn(waiting, signal)
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
      // A slot that comes back with time needs a timer to wake the next waiter.
      growing ??= setInterval(() => {
        wakeFirst()
        if (placesAt(performance.now()) < maxConcurrent) return
        clearInterval(growing)
        growing = undefined
      }, 1000 / PLACES_PER_SECOND).unref()
    },
  }
}
