import { ServiceError } from '@skyscript/core'
import type { Outage } from './outages.ts'
import { backOff, pause } from './pause.ts'
import { isDenied, isServiceFailure } from './refusals.ts'

/** After this many consecutive refusals of one request, the quota counts as used up. */
const MAX_REFUSALS = 60
/** Attempts of a request that is denied: access comes back in hours rather than in seconds. */
const DENIED_ATTEMPTS = 2

/** Further attempts of a request that failed all others, once its service is known to be well. */
const LAST_ATTEMPTS = 2

export interface RetryOptions {
  readonly attempts: number
  readonly signal?: AbortSignal | undefined
  /** Called before each pause. */
  readonly onRetry?: (error: ServiceError) => void
  /** Outage state of the service. */
  readonly outage?: Outage | undefined
}

/**
 * Retries a request if that may help, with exponential backoff. A 429 does not count as an attempt, since the server did
 * nothing; a failure during an outage doesn't either, and waits for the service.
 *
 * @param once sends the request; may be called again, without a signal, after it succeeded
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
        // Attempts during an outage say nothing about the request: it gets new ones once the service is back.
        failures = attempts - LAST_ATTEMPTS
      }
      onRetry?.(error)
      await pause(Math.max(error.retryAfterMs ?? 0, backOff(error.status === 429 ? refusals : failures + 1)), signal)
    }
  }
}
