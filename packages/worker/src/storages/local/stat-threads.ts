import { availableParallelism } from 'node:os'
import { AskedThread, createIdlePool, ServiceError } from '@skyscript/core'
import type { Stamps } from './stamps.ts'

/** Files that a thread looks at before it answers. */
const PER_QUESTION = 2048
/** Questions that wait at each thread, so that it never waits for the next one. */
const AHEAD = 2
const MOST_THREADS = 4

export interface StatQuestion {
  readonly folder: string
  /** Separated by slashes, which no name contains. */
  readonly names: string
}

export type StatAnswer =
  | { readonly type: 'done'; readonly value: Float64Array }
  | { readonly type: 'failed'; readonly message: string; readonly code: string | undefined }

/** A listing of a dataset reads a dozen folders one after the other. */
const idle = createIdlePool<AskedThread<StatAnswer>>((thread) => void thread.end())

/**
 * Sizes and times of the files of one folder, read by threads: 3 us of processor time a file. Throws the file system's
 * error.
 */
export async function* stampsInThreads(
  folder: string,
  names: readonly string[],
  from: number,
  to: number,
): AsyncGenerator<Stamps> {
  const count = Math.min(availableParallelism(), MOST_THREADS)
  const threads = Array.from({ length: count }, borrowThread)
  const waiting: Promise<Stamps>[] = []
  let next = from
  const ask = () => {
    const first = next
    next = Math.min(to, next + PER_QUESTION)
    // As one text: a list of texts takes ten times as long to pass on.
    const question: StatQuestion = { folder, names: names.slice(first, next).join('/') }
    const thread = threads[Math.floor((first - from) / PER_QUESTION) % count]!
    const answer = thread.ask(question).then((stamps) => ({ first, stamps: stamps as Float64Array }))
    // Answers after one that failed are not awaited.
    answer.catch(() => {})
    waiting.push(answer)
  }
  try {
    while (next < to && waiting.length < count * AHEAD) ask()
    for (let found = waiting.shift(); found; found = waiting.shift()) {
      const stamps = await found
      if (next < to) ask()
      yield stamps
    }
  } finally {
    for (const thread of threads) giveBack(thread)
  }
}

function borrowThread(): AskedThread<StatAnswer> {
  const kept = idle.take('')
  if (kept === undefined || kept.hasEnded) return startThread()
  kept.keepsProcess(true)
  return kept
}

function giveBack(thread: AskedThread<StatAnswer>): void {
  if (thread.hasEnded) return
  if (thread.waiting > 0) return void thread.end()
  thread.keepsProcess(false)
  idle.keep('', thread)
}

function startThread(): AskedThread<StatAnswer> {
  return new AskedThread<StatAnswer>(new URL('./stat-thread.ts', import.meta.url), {
    errorOf: ({ message, code }) => Object.assign(new Error(message), { code }),
    died: () =>
      new ServiceError('thread-died', 'A thread that lists files ended unexpectedly, usually for lack of memory.', {
        retry: true,
      }),
  })
}
