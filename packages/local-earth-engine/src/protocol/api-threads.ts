import { Worker } from 'node:worker_threads'
import { type ErrorData, errorFromData } from '@skyscript/core'
import type { Ground } from '../draw/shared-ground.ts'
import type { Answer, ApiCall, ApiOptions } from './api.ts'
import { ApiError } from './api-error.ts'

export interface ThreadData {
  readonly options: ApiOptions
  /** Files of features, which the first thread reads. */
  readonly features: readonly string[]
  /** What the first thread made of them. */
  readonly ground?: Ground
}

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
  const end = () => Promise.all(workers.map((worker) => worker.terminate()))
  try {
    const ground = await startThread({ options, features }, workers)
    const others = Array.from({ length: threads - 1 }, () => startThread({ options, features, ground }, workers))
    await Promise.all(others)
  } catch (error) {
    await end()
    throw error
  }
  const idle = [...workers]
  const waiting: Task[] = []
  let running = threads

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
      idle.push(worker)
      if (message.type === 'answer') {
        const { contentType, bytes, pixels } = message
        resolve({ contentType, body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), pixels })
      } else if (message.type === 'refused') reject(new ApiError(message.code, message.message, message.headers))
      else reject(message.type === 'failed' ? errorFromData(message.error) : new Error(message.type))
      next()
    }
    // A thread that ended, out of memory or at the close, isn't put back.
    const lost = () => {
      worker.off('message', done)
      running--
      reject(new Error('The thread of this answer has ended.'))
      next()
    }
    worker.once('message', done)
    worker.once('exit', lost)
    worker.postMessage(call)
  }

  return {
    answer: (call, isWanted) =>
      new Promise((resolve, reject) => {
        waiting.push({ call, isWanted, resolve, reject })
        next()
      }),
    async close() {
      await end()
      for (const task of waiting.splice(0)) task.reject(new Error('The local Earth Engine is closed.'))
    },
  }
}

/** Starts a thread and adds it to `workers`. */
function startThread(workerData: ThreadData, workers: Worker[]): Promise<Ground> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./api-thread.ts', import.meta.url), {
      workerData,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
    })
    workers.push(worker)
    // Without a listener an error of a thread would end the process; a call learns of it by the thread's exit.
    worker.on('error', reject)
    worker.once('message', (message: FromApiThread) => {
      if (message.type === 'ready') resolve(message.ground)
      else reject(message.type === 'failed' ? errorFromData(message.error) : new Error(message.type))
    })
  })
}
