import { availableParallelism } from 'node:os'
import { AskedThread, ServiceError } from '@skyscript/core'

/** Files that a thread looks at before it answers. */
const PER_QUESTION = 2048
/** Questions that wait at each thread, so that it never waits for the next one. */
const AHEAD = 2
const MOST_THREADS = 4
/** Threads end this long after the last folder: a listing of a dataset reads a dozen one after the other. */
const IDLE_MS = 5_000

/** Sizes and times of change (ms since 1970) of some files, in turn. */
export interface Stamps {
  /** Index of the first file's name. */
  readonly first: number
  readonly stamps: Float64Array
}

export interface StatQuestion {
  readonly folder: string
  /** With slashes between, which no name has. */
  readonly names: string
}

export type StatAnswer =
  | { readonly type: 'done'; readonly value: Float64Array }
  | { readonly type: 'failed'; readonly message: string; readonly code: string | undefined }

const threads: AskedThread<StatAnswer>[] = []
let users = 0
let idle: NodeJS.Timeout | undefined

/**
 * Sizes and times of the files of one folder, by threads: a file takes 3 us of the processor. Fails with the error of the
 * file system.
 */
export async function* stampsInThreads(
  folder: string,
  names: readonly string[],
  from: number,
  to: number,
): AsyncGenerator<Stamps> {
  users++
  clearTimeout(idle)
  const count = Math.min(availableParallelism(), MOST_THREADS)
  for (let i = 0; i < count; i++) if (threads[i]?.hasEnded !== false) threads[i] = startThread()
  for (const thread of threads) thread.keepsProcess(true)
  const waiting: Promise<Stamps>[] = []
  let next = from
  const ask = () => {
    const first = next
    next = Math.min(to, next + PER_QUESTION)
    // As one text: a list of texts takes ten times as long to pass on.
    const question: StatQuestion = { folder, names: names.slice(first, next).join('/') }
    const thread = threads[Math.floor((first - from) / PER_QUESTION) % count]!
    const answer = thread.ask(question).then((stamps) => ({ first, stamps: stamps as Float64Array }))
    // Of those after one that failed nobody asks any more.
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
    if (--users === 0) rest()
  }
}

function startThread(): AskedThread<StatAnswer> {
  return new AskedThread<StatAnswer>(new URL('./stat-thread.ts', import.meta.url), {
    errorOf: ({ message, code }) => Object.assign(new Error(message), { code }),
    died: () =>
      new ServiceError('thread-died', 'A thread that lists files ended, of lack of memory in general.', {
        retry: true,
      }),
  })
}

function rest(): void {
  for (const thread of threads) thread.keepsProcess(false)
  idle = setTimeout(() => {
    for (const thread of threads.splice(0)) void thread.end()
  }, IDLE_MS).unref()
}
