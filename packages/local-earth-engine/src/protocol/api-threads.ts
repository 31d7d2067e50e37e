import { Worker } from 'node:worker_threads'
import { createIdlePool, type ErrorData, errorFromData, once } from '@skyscript/core'
import { type CanopyMemory, canopyMemory } from '../draw/canopy.ts'
import type { Ground } from '../draw/shared-ground.ts'
import type { Answer, ApiCall, ApiOptions } from './api.ts'
import { ApiError } from './api-error.ts'

export interface OpenMessage {
  readonly type: 'open'
  readonly options: ApiOptions
  /** Files of features, which the first thread reads. */
  readonly features: readonly string[]
  readonly canopies: CanopyMemory
  /** What the first thread made of them. */
  readonly ground?: Ground
}

export type ToApiThread =
  | OpenMessage
  | { readonly type: 'answer'; readonly call: ApiCall }
  /** Forget what was opened. */
  | { readonly type: 'close' }

export type FromApiThread =
  | { readonly type: 'ready'; readonly ground: Ground }
  | { readonly type: 'failed'; readonly error: ErrorData }
  | { readonly type: 'answer'; readonly contentType: string; readonly bytes: Uint8Array; readonly pixels: number }
  | { readonly type: 'refused'; readonly code: number; readonly message: string; readonly headers: ApiError['headers'] }

export interface ApiThreads {
  /**
   * The answer to a call. Calls are taken up in the order in which they came.
   *
   * @param isWanted asked when the call's turn has come: what nobody waits for any more isn't drawn
   * @throws ApiError as Earth Engine refuses, Error where this server has a bug
   */
  answer(call: ApiCall, isWanted: () => boolean): Promise<Answer>
  close(): Promise<void>
}

interface Task {
  readonly call: ApiCall
  readonly isWanted: () => boolean
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

/**
 * Threads of servers that were closed: one that has drawn before starts at once and draws at full speed, while a new one
 * takes a second for both.
 */
const idleThreads = createIdlePool<Worker>((worker) => void worker.terminate())

/** The same for all servers of a process. */
const canopies = once(canopyMemory)

/** Pictures are outside of it; what drawing makes besides is little, and a larger young generation would keep it for long. */
const YOUNG_MEGABYTES = 12

/**
 * Starts threads that draw, so that the event loop stays free and every core has an image to draw. The first reads the
 * features, all share them.
 *
 * @throws InputError where features can't be read
 */
export async function startApi(threads: number, features: readonly string[], options: ApiOptions): Promise<ApiThreads> {
  const workers: Worker[] = []
  try {
    const message: OpenMessage = { type: 'open', options, features, canopies: canopies() }
    const ground = await openThread(message, workers)
    await Promise.all(Array.from({ length: threads - 1 }, () => openThread({ ...message, ground }, workers)))
  } catch (error) {
    await Promise.all(workers.map((worker) => worker.terminate()))
    throw error
  }
  const idle = [...workers]
  const waiting: Task[] = []
  let running = threads
  let isClosed = false

  function keep(worker: Worker): void {
    worker.postMessage({ type: 'close' } satisfies ToApiThread)
    idleThreads.keep('', worker)
  }

  function next(): void {
    while (idle.length > 0 && waiting.length > 0) {
      const task = waiting.shift()!
      if (task.isWanted()) run(idle.pop()!, task)
      else task.reject(new Error('Nobody waits for this answer any more.'))
    }
    if (running === 0) for (const task of waiting.splice(0)) task.reject(new Error('The threads have ended.'))
  }

  function run(worker: Worker, { call, resolve, reject }: Task): void {
    const done = (message: FromApiThread) => {
      worker.off('exit', lost)
      if (isClosed) keep(worker)
      else idle.push(worker)
      if (message.type === 'answer') {
        const { contentType, bytes, pixels } = message
        resolve({ contentType, body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), pixels })
      } else if (message.type === 'refused') reject(new ApiError(message.code, message.message, message.headers))
      else reject(message.type === 'failed' ? errorFromData(message.error) : new Error(message.type))
      next()
    }
    // A thread that ended, out of memory in general, isn't put back.
    const lost = () => {
      worker.off('message', done)
      running--
      reject(new Error('The thread of this answer has ended.'))
      next()
    }
    worker.once('message', done)
    worker.once('exit', lost)
    worker.postMessage({ type: 'answer', call } satisfies ToApiThread)
  }

  return {
    answer: (call, isWanted) =>
      new Promise((resolve, reject) => {
        waiting.push({ call, isWanted, resolve, reject })
        next()
      }),
    async close() {
      for (const task of waiting.splice(0)) task.reject(new Error('The local Earth Engine is closed.'))
      isClosed = true
      // One that is at work finishes first: others may wait for the tables that it makes.
      for (const worker of workers) worker.unref()
      for (const worker of idle.splice(0)) keep(worker)
    },
  }
}

/** Opens a thread, one that is there or a new one, and adds it to `workers`. */
function openThread(message: OpenMessage, workers: Worker[]): Promise<Ground> {
  return new Promise((resolve, reject) => {
    const kept = idleThreads.take('')
    const worker = kept && isAlive(kept) ? kept : startThread()
    worker.ref()
    workers.push(worker)
    worker.once('error', reject)
    worker.once('message', (answer: FromApiThread) => {
      worker.off('error', reject)
      if (answer.type === 'ready') resolve(answer.ground)
      else reject(answer.type === 'failed' ? errorFromData(answer.error) : new Error(answer.type))
    })
    worker.postMessage(message)
  })
}

const isAlive = ({ threadId }: Worker) => threadId !== -1

function startThread(): Worker {
  const worker = new Worker(new URL('./api-thread.ts', import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
  })
  // Without a listener an error of a thread would end the process; a call learns of it by the thread's exit.
  return worker.on('error', () => {})
}
