import { setTimeout as sleep } from 'node:timers/promises'

const FIRST_PAUSE_MS = 300
const LONGEST_PAUSE_MS = 20_000

/** Exponential backoff with jitter: the wait never affects an output. */
export const backOff = (tries: number): number =>
  Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10)) * (0.5 + Math.random() / 2)

/** @throws the signal's reason */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal && { signal })
  } catch (error) {
    throw signal?.aborted ? signal.reason : error
  }
}
