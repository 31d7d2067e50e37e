/**
 * Waits in `waiting` until called from there, or for `ms`. Leaves at once when called or aborted, so that the next call
 * reaches another that waits.
 *
 * @throws the signal's reason
 */
export function turn(waiting: Set<() => void>, signal?: AbortSignal, ms?: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const leave = () => {
    clearTimeout(timer)
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
  const timer = ms === undefined ? undefined : setTimeout(wake, ms)
  waiting.add(wake)
  signal?.addEventListener('abort', abort)
  return promise
}
