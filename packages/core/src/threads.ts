import { parentPort, type ResourceLimits, type TransferListItem, Worker } from 'node:worker_threads'
import { errorFromData, errorToData, ServiceError } from './errors.ts'
import { createIdlePool, type IdlePool } from './idle-pool.ts'

/** How errors get from a thread to its caller, as data that can be cloned. */
export interface ErrorCodec<Data> {
  toData(error: unknown): Data
  fromData(data: Data): Error
}

const PLAIN_ERRORS: ErrorCodec<ReturnType<typeof errorToData>> = { toData: errorToData, fromData: errorFromData }

/** What a thread's method returns; memory in `transfer` is moved to the caller, not copied. */
export interface Result {
  readonly value: unknown
  readonly transfer?: readonly TransferListItem[]
}
export type Method = (value: never) => Result | Promise<Result>

interface Call {
  readonly method: string
  readonly value: unknown
  readonly isAnswered: boolean
}
type Answer = { readonly value: unknown } | { readonly error: unknown }

/** Answers calls to this thread, one at a time, in order; see `startThread`. */
export function serveThread(
  methods: Readonly<Record<string, Method>>,
  errors: Pick<ErrorCodec<unknown>, 'toData'> = PLAIN_ERRORS,
): void {
  const port = parentPort
  if (port === null) throw new Error('This module runs in a thread; see startThread.')
  const answer = async ({ method, value, isAnswered }: Call) => {
    try {
      const result = await methods[method]!(value as never)
      if (isAnswered) port.postMessage({ value: result.value } satisfies Answer, [...(result.transfer ?? [])])
    } catch (error) {
      // Nobody hears of it otherwise: it ends the thread.
      if (!isAnswered) throw error
      port.postMessage({ error: errors.toData(error) } satisfies Answer)
    }
  }
  let last = Promise.resolve()
  port.on('message', (call: Call) => {
    last = last.then(() => answer(call))
  })
}

export interface ThreadOptions {
  readonly resourceLimits?: ResourceLimits
  /** Message of the ServiceError `thread-died`, which may be retried. */
  readonly died?: string
  /** As given to `serveThread`. */
  readonly errors?: Pick<ErrorCodec<never>, 'fromData'>
}

/** A thread that answers calls in order. It keeps the process alive only while a call waits. */
export interface Thread {
  /** @param transfer memory in the value that is moved, not copied */
  ask<T>(method: string, value: unknown, transfer?: readonly TransferListItem[]): Promise<T>
  /** Calls a method whose answer nobody needs. */
  tell(method: string, value: unknown): void
  /** Calls without an answer. */
  readonly waiting: number
  /** Whether further calls fail. */
  readonly hasEnded: boolean
  /** Calls in progress fail. */
  close(): Promise<void>
}

const ENTRY = new URL('./thread-entry.ts', import.meta.url)

/**
 * Starts a thread for work that would block the event loop: the caller's timers and locks must keep running.
 *
 * @param file a module that calls `serveThread`
 */
export function startThread(file: URL, options: ThreadOptions = {}): Thread {
  const { resourceLimits, errors = PLAIN_ERRORS } = options
  const worker = new Worker(ENTRY, { workerData: file.href, ...(resourceLimits && { resourceLimits }) })
  const callers: { resolve(value: never): void; reject(error: unknown): void }[] = []
  let ended: Error | null = null
  worker.unref()

  const end = (error: Error) => {
    ended ??= error
    for (const { reject } of callers.splice(0)) reject(ended)
    worker.unref()
  }
  const closed = () => new Error('The thread is closed.')
  const died = () => {
    const message =
      options.died ?? 'A worker thread ended unexpectedly; start again, and close other programs if memory was short.'
    return new ServiceError('thread-died', message, { retry: true })
  }
  worker.on('message', (answer: Answer) => {
    const caller = callers.shift()
    if (callers.length === 0) worker.unref()
    if ('value' in answer) caller?.resolve(answer.value as never)
    else caller?.reject(errors.fromData(answer.error as never))
  })
  worker.on('error', (error) => {
    const outOfMemory = (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY'
    end(outOfMemory ? died() : error instanceof Error ? error : new Error(String(error)))
  })
  worker.on('exit', (code) => end(code === 0 ? closed() : died()))

  return {
    get waiting() {
      return callers.length
    },
    get hasEnded() {
      return ended !== null
    },
    ask<T>(method: string, value: unknown, transfer: readonly TransferListItem[] = []) {
      if (ended) return Promise.reject(ended)
      return new Promise<T>((resolve, reject) => {
        // A value that can't be sent throws here, and has no answer.
        worker.postMessage({ method, value, isAnswered: true } satisfies Call, transfer)
        worker.ref()
        callers.push({ resolve, reject })
      })
    },
    tell(method, value) {
      worker.postMessage({ method, value, isAnswered: false } satisfies Call)
    },
    async close() {
      end(closed())
      await worker.terminate()
    },
  }
}

/** By module. */
const pools = new Map<string, IdlePool<Thread>>()

/**
 * As `startThread`, but a thread that was closed a short while ago is used again, in the state in which it was left: the
 * check of a model and the build after it, or builds after one another in a worker, open the model once.
 *
 * @param state of the module in the thread, such as the model that it opened
 */
export function borrowThread(file: URL, state = '', options: ThreadOptions = {}): Thread {
  const pool = pools.get(file.href) ?? createIdlePool<Thread>((idle) => void idle.close())
  pools.set(file.href, pool)
  const kept = pool.take(state)
  const thread = kept === undefined || kept.hasEnded ? startThread(file, options) : kept
  let isClosed = false
  return {
    get waiting() {
      return thread.waiting
    },
    get hasEnded() {
      return isClosed || thread.hasEnded
    },
    ask: (...call) => (isClosed ? Promise.reject(new Error('The thread is closed.')) : thread.ask(...call)),
    tell: (...call) => thread.tell(...call),
    async close() {
      if (isClosed) return
      isClosed = true
      if (thread.waiting > 0 || thread.hasEnded) await thread.close()
      else pool.keep(state, thread)
    },
  }
}
