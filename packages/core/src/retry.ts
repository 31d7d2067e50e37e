import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceError } from './errors.ts'

export interface RetryOptions {
  /** Including the first. */
  readonly tries: number
  /** Before the second try, ms; twice as long before each later one, and never shorter than the service asks for. */
  readonly pauseMs: number
  /** Ends a pause. */
  readonly signal?: AbortSignal
}

/**
 * Calls `work`, and calls it again after a ServiceError that may be temporary (`retry`).
 *
 * @throws what the last try threw; any other error at once
 */
export async function retrying<T>(work: () => Promise<T>, { tries, pauseMs, signal }: RetryOptions): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ServiceError && error.retry) || tried === tries) throw error
      await sleep(Math.max(error.retryAfterMs ?? 0, pauseMs * 2 ** (tried - 1)), undefined, signal && { signal })
    }
  }
}
