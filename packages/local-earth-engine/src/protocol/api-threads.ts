import { borrowThread, once, type Thread } from '@skyscript/core'
import { type CanopyMemory, canopyMemory } from '../draw/canopy.ts'
import type { Ground } from '../draw/shared-ground.ts'
import type { Answer, ApiCall, ApiOptions } from './api.ts'
import { apiErrorCodec } from './api-error.ts'

/** What a thread is opened with. */
export interface OpenApi {
  readonly options: ApiOptions
  /** Files of features, which the first thread reads. */
  readonly features: readonly string[]
  readonly canopies: CanopyMemory
  /** What the first thread made of them. */
  readonly ground?: Ground
}

/** An answer on its way out of a thread. */
export type MovedAnswer = Omit<Answer, 'body'> & { readonly bytes: Uint8Array<ArrayBuffer> }

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

const THREAD = new URL('./api-thread.ts', import.meta.url)

/** The same for all servers of a process. */
const canopies = once(canopyMemory)

/** One that has drawn before starts at once and draws at full speed, while a new one takes a second for both. */
const borrow = () =>
  borrowThread(THREAD, '', {
    // Pictures are outside of it; what drawing makes besides is little, and a larger one would keep it for long.
    resourceLimits: { maxYoungGenerationSizeMb: 12 },
    died: 'The thread of this answer has ended.',
    errors: apiErrorCodec,
  })

/**
 * Starts threads that draw, so that the event loop stays free and every core has an image to draw. The first reads the
 * features, all share them.
 *
 * @throws InputError where features can't be read
 */
export async function startApi(count: number, features: readonly string[], options: ApiOptions): Promise<ApiThreads> {
  const threads = [borrow()]
  const open = (thread: Thread, ground?: Ground) =>
    thread.ask<Ground>('open', { options, features, canopies: canopies(), ...(ground && { ground }) } satisfies OpenApi)
  try {
    const ground = await open(threads[0]!)
    while (threads.length < count) threads.push(borrow())
    await Promise.all(threads.slice(1).map((thread) => open(thread, ground)))
  } catch (error) {
    await Promise.all(threads.map((thread) => thread.close()))
    throw error
  }
  const idle = [...threads]
  const waiting: Task[] = []
  let running = count
  let isClosed = false

  /** Its memory is freed, but for what it drew with. */
  function giveBack(thread: Thread): void {
    thread.tell('close', null)
    void thread.close()
  }

  function next(): void {
    while (idle.length > 0 && waiting.length > 0) {
      const task = waiting.shift()!
      if (task.isWanted()) void run(idle.pop()!, task)
      else task.reject(new Error('Nobody waits for this answer any more.'))
    }
    if (running === 0) for (const task of waiting.splice(0)) task.reject(new Error('The threads have ended.'))
  }

  async function run(thread: Thread, { call, resolve, reject }: Task): Promise<void> {
    try {
      const { bytes, ...answer } = await thread.ask<MovedAnswer>('answer', call)
      resolve({ ...answer, body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) })
    } catch (error) {
      reject(error as Error)
    }
    // One that ended, out of memory in general, isn't put back.
    if (thread.hasEnded) running--
    else if (isClosed) giveBack(thread)
    else idle.push(thread)
    next()
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
      for (const thread of idle.splice(0)) giveBack(thread)
    },
  }
}
