import { type ResourceLimits, Worker } from 'node:worker_threads'
import { type ErrorData, errorFromData, ServiceError } from '@skyscript/core'

/** A message to a thread. Buffers in `transfer` are moved, not copied. */
export interface Call {
  readonly call: number
  readonly method: string
  readonly value: unknown
}

export type Answer =
  | { readonly call: number; readonly value: unknown }
  | { readonly call: number; readonly error: ErrorData }

export interface Thread {
  /** Calls a method of the thread. Calls are answered in order. */
  ask<T>(method: string, value: unknown, transfer?: readonly ArrayBuffer[]): Promise<T>
  /** Calls in progress fail. */
  close(): Promise<void>
}

export interface StartedThread extends Thread {
  readonly isWorking: boolean
  readonly hasEnded: boolean
}

/**
 * Starts a thread for work that would block the event loop: the caller's timers and locks must keep running while a model
 * computes. The thread keeps the process alive only while it has work.
 *
 * @param file a module that calls `serveThread`
 */
export function startThread(file: URL, resourceLimits?: ResourceLimits): StartedThread {
  const worker = new Worker(file, resourceLimits && { resourceLimits })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  let calls = 0
  let ended: Error | null = null
  worker.unref()

  const settle = (call: number) => {
    const caller = waiting.get(call)
    waiting.delete(call)
    if (waiting.size === 0) worker.unref()
    return caller
  }
  const end = (error: Error) => {
    ended ??= error
    for (const call of [...waiting.keys()]) settle(call)?.reject(ended)
  }
  worker.on('message', (answer: Answer) => {
    const caller = settle(answer.call)
    if ('value' in answer) caller?.resolve(answer.value)
    else caller?.reject(errorFromData(answer.error))
  })
  const died = () =>
    new ServiceError(
      'thread-died',
      'A worker thread ended unexpectedly; start again, and close other programs if memory was short.',
      { retry: true },
    )
  worker.on('error', (error) => {
    const outOfMemory = (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY'
    end(outOfMemory ? died() : error instanceof Error ? error : new Error(String(error)))
  })
  worker.on('exit', (code) => end(code === 0 ? new Error('The thread is closed.') : died()))

  return {
    get isWorking() {
      return waiting.size > 0
    },
    get hasEnded() {
      return ended !== null
    },
    ask<T>(method: string, value: unknown, transfer: readonly ArrayBuffer[] = []) {
      if (ended) return Promise.reject(ended)
      return new Promise<T>((resolve, reject) => {
        const call = calls++
        waiting.set(call, { resolve: resolve as (value: unknown) => void, reject })
        worker.ref()
        worker.postMessage({ call, method, value } satisfies Call, [...transfer])
      })
    },
    async close() {
      end(new Error('The thread is closed.'))
      await worker.terminate()
    },
  }
}
