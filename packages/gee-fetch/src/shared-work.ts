import { LRUCache } from 'lru-cache'

/** Work whose result several callers wait for. */
export interface SharedWork<T> {
  /** Waits for the result, or throws the signal's reason. Work that nobody waits for any more is aborted. */
  wait(signal?: AbortSignal): Promise<T>
  /** Everybody stopped waiting: there is no result, and the next caller has to start again. */
  readonly isAbandoned: boolean
}

/**
 * Starts work with a shared result. One aborted caller must not cancel it for the others, as it would if the work had
 * that caller's signal.
 */
export function shareWork<T>(work: (signal: AbortSignal) => Promise<T>): SharedWork<T> {
  const controller = new AbortController()
  const result = work(controller.signal)
  let isDone = false
  const done = () => {
    isDone = true
  }
  result.then(done, done)
  let waiting = 0
  return {
    wait: (signal) =>
      new Promise<T>((resolve, reject) => {
        const leave = () => {
          waiting--
          signal?.removeEventListener('abort', abort)
        }
        const abort = () => {
          leave()
          if (waiting === 0 && !isDone) controller.abort(signal?.reason)
          reject(signal?.reason)
        }
        waiting++
        if (signal?.aborted) return abort()
        signal?.addEventListener('abort', abort)
        result.then(
          (value) => {
            leave()
            resolve(value)
          },
          (error) => {
            leave()
            reject(error)
          },
        )
      }),
    get isAbandoned() {
      return controller.signal.aborted
    },
  }
}

/** Caches results by key, evicting the least recently used; failures are not cached. */
export interface Remembered<T, A extends unknown[]> {
  get(key: string, signal: AbortSignal | undefined, ...rest: A): Promise<T>
  forget(key: string): void
}

/**
 * @param most results, or what `sizeOf` counts of them
 * @param sizeOf of a result, at least 1; while it is made, it counts as 1
 */
export function remembering<T, A extends unknown[]>(
  most: number,
  make: (key: string, signal: AbortSignal, ...rest: A) => Promise<T>,
  sizeOf?: (result: T) => number,
): Remembered<T, A> {
  const known = new LRUCache<string, SharedWork<T>>({ maxSize: most })
  return {
    async get(key, signal, ...rest) {
      const found = known.get(key)
      const isNew = !found || found.isAbandoned
      const work = isNew ? shareWork((own) => make(key, own, ...rest)) : found
      if (isNew) known.set(key, work, { size: 1 })
      try {
        const result = await work.wait(signal)
        if (isNew && sizeOf && known.peek(key) === work) known.set(key, work, { size: sizeOf(result) })
        return result
      } catch (error) {
        if (!signal?.aborted && known.get(key) === work) known.delete(key)
        throw error
      }
    },
    forget(key) {
      known.delete(key)
    },
  }
}
