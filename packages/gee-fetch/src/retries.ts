import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceError } from '@skyscript/core'
import { isDenied } from './refusals.ts'

const FIRST_PAUSE_MS = 300
const LONGEST_PAUSE_MS = 20_000
/** After this many refusals in a row for one request, the quota is held to be used up. */
const MAX_REFUSALS = 60

/** Tries of a request that is denied: access comes back in hours rather than in seconds. */
const DENIED_ATTEMPTS = 2

/** A ServiceError of a server that says when to ask again. */
export interface RefusedError extends ServiceError {
  retryAfterMs?: number
}

/** `Retry-After` in seconds, two minutes at most; its other form, a date, hangs on two clocks and counts as none. */
export function retryAfterOf(header: string | string[] | undefined): number | null {
  const after = Number(header)
  return Number.isFinite(after) && after > 0 ? Math.min(after * 1000, 120_000) : null
}

/**
 * Tries a request again where that may help, with growing pauses. A 429 costs no try, since it says that nothing was
 * done.
 *
 * @param onRetry told before each pause
 * @throws the last error, or the signal's reason
 */
export async function withRetries<T>(
  once: () => Promise<T>,
  {
    attempts,
    signal,
    onRetry,
  }: { attempts: number; signal?: AbortSignal | undefined; onRetry?: (error: RefusedError) => void },
): Promise<T> {
  let refusals = 0
  for (let attempt = 1; ; ) {
    try {
      return await once()
    } catch (error) {
      if (signal?.aborted || !(error instanceof ServiceError) || !error.retry) throw error
      if (error.status === 429) {
        if (++refusals > MAX_REFUSALS) throw error
      } else if (++attempt > (isDenied(error.status) ? Math.min(attempts, DENIED_ATTEMPTS) : attempts)) throw error
      onRetry?.(error)
      const asked = (error as RefusedError).retryAfterMs ?? 0
      await pause(Math.max(asked, backOff(error.status === 429 ? refusals : attempt)), signal)
    }
  }
}

/** Exponential with jitter: how long to wait is no part of any output. */
export const backOff = (tries: number): number =>
  Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10)) * (0.5 + Math.random() / 2)

export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal && { signal })
  } catch (error) {
    throw signal?.aborted ? signal.reason : error
  }
}
