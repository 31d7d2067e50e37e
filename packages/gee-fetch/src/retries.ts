import { ServiceError } from '@skyscript/core'
import type { Outage } from './outages.ts'
import { backOff, pause } from './pause.ts'
import { isDenied, isServiceFailure } from './refusals.ts'

/** After this many refusals in a row for one request, the quota is held to be used up. */
const MAX_REFUSALS = 60
/** Tries of a request that is denied: access comes back in hours rather than in seconds. */
const DENIED_ATTEMPTS = 2

/** Tries of a request that failed at all others, once its service is known to be well. */
const LAST_ATTEMPTS = 2

export interface RetryOptions {
  readonly attempts: number
  readonly signal?: AbortSignal | undefined
  /** Told before each pause. */
  readonly onRetry?: (error: ServiceError) => void
  /** Of the service that is asked. */
  readonly outage?: Outage | undefined
}

/**
 * Tries a request again where that may help, with growing pauses. A 429 costs no try, since it says that nothing was
 * done; neither does a failure of a service that is away, which is waited for.
 *
 * @param once may be called again, without a signal, after it succeeded
 * @throws the last error, or the signal's reason
 */
export async function withRetries<T>(
  once: (signal?: AbortSignal) => Promise<T>,
  { attempts, signal, onRetry, outage }: RetryOptions,
): Promise<T> {
  let refusals = 0
  let failures = 0
  let isServiceWell = false
  for (;;) {
    const began = performance.now()
    try {
      return await (outage ? outage.send(once, signal) : once(signal))
    } catch (error) {
      if (signal?.aborted || !(error instanceof ServiceError) || !error.retry) throw error
      if (error.status === 429) {
        if (++refusals > MAX_REFUSALS) throw error
      } else if (++failures >= (isDenied(error.status) ? Math.min(attempts, DENIED_ATTEMPTS) : attempts)) {
        if (!outage || !isServiceFailure(error) || isServiceWell) throw error
        const state = await outage.judge(error, began, signal)
        if (state === 'unknown') throw error
        isServiceWell = state === 'well'
        // Tries that fell into an outage say nothing of the request: it gets others while the service is well.
        failures = attempts - LAST_ATTEMPTS
      }
      onRetry?.(error)
      await pause(Math.max(error.retryAfterMs ?? 0, backOff(error.status === 429 ? refusals : failures + 1)), signal)
    }
  }
}
