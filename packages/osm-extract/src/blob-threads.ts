import { setImmediate } from 'node:timers/promises'
import { AskedThread, type ErrorData, errorFromData, ServiceError } from '@skyscript/core'
import { BlobPasses } from './passes.ts'
import { type Origin, PbfFault } from './pbf-fault.ts'
import type { Gathered, Selection, Shared, Task, TaskResult } from './tasks.ts'

export type ToBlobThread =
  | { readonly type: 'run'; readonly task: Task }
  | { readonly type: 'share'; readonly shared: Shared }
  | { readonly type: 'gather'; readonly what: keyof Gathered }

export type FromBlobThread =
  | { readonly type: 'done'; readonly value: unknown }
  | { readonly type: 'damaged'; readonly code: string; readonly what: string; readonly origin: Origin }
  | { readonly type: 'failed'; readonly error: ErrorData }

/** Runs passes over blobs, in this thread or in others. */
export interface BlobReaders {
  /** Results in the order of the tasks, whatever order they are done in. Few tasks are ahead of who takes the results. */
  run(tasks: readonly Task[]): AsyncGenerator<TaskResult>
  share(shared: Shared): void
  /** What each thread gathered. */
  gather<What extends keyof Gathered>(what: What): Promise<Gathered[What][]>
  close(): Promise<void>
}

/** @param threads 1: only this thread, which is quicker for small files: threads take time to start and to warm up */
export function startBlobReaders(threads: number, paths: readonly string[], selection: Selection): BlobReaders {
  return threads > 1 ? inThreads(threads, paths, selection) : inThisThread(paths, selection)
}

function inThisThread(paths: readonly string[], selection: Selection): BlobReaders {
  const passes = new BlobPasses(paths, selection)
  return {
    async *run(tasks) {
      for (const task of tasks) {
        // Lets signals and timers come through.
        await setImmediate()
        yield passes.run(task)
      }
    },
    share: (shared) => passes.share(shared),
    gather: async (what) => [passes.gather(what)],
    close: async () => passes.close(),
  }
}

/** Tasks that a thread has been given at a time: one at work, and more so that it never waits for the next. */
const AHEAD = 4

function inThreads(threads: number, paths: readonly string[], selection: Selection): BlobReaders {
  const readers = Array.from({ length: threads }, () => startThread(paths, selection))
  return {
    async *run(tasks) {
      const results: Promise<unknown>[] = []
      for (let taken = 0; taken < tasks.length; taken++) {
        for (let i = results.length; i < Math.min(tasks.length, taken + threads * AHEAD); i++) {
          const idlest = readers.reduce((best, reader) => (reader.waiting < best.waiting ? reader : best))
          const result = idlest.ask({ type: 'run', task: tasks[i]! })
          // Of several faults the first in the file is told; the others are nobody's then.
          result.catch(() => {})
          results.push(result)
        }
        const result = (await results[taken]) as TaskResult
        results[taken] = Promise.resolve()
        yield result
      }
    },
    share: (shared) => {
      for (const reader of readers) reader.tell({ type: 'share', shared })
    },
    gather: <What extends keyof Gathered>(what: What) =>
      Promise.all(readers.map((reader) => reader.ask({ type: 'gather', what }) as Promise<Gathered[What]>)),
    close: async () => {
      await Promise.all(readers.map((reader) => reader.end()))
    },
  }
}

/** What a thread makes and forgets at once is little: a larger young generation holds unpacked blobs that are done with. */
export const YOUNG_MEGABYTES = 24

function startThread(paths: readonly string[], selection: Selection): AskedThread<FromBlobThread> {
  return new AskedThread(new URL('./blob-thread.ts', import.meta.url), {
    workerData: { paths, selection },
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
    errorOf,
    died,
  })
}

export const died = () =>
  new ServiceError(
    'thread-died',
    'A thread that reads the OSM file ended; start again, with fewer --threads if memory was short.',
    {
      retry: true,
    },
  )

export function errorOf(message: Exclude<FromBlobThread, { type: 'done' }>): Error {
  if (message.type === 'damaged') return new PbfFault(message.code, message.what, message.origin)
  return errorFromData(message.error)
}
