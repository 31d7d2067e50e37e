import { setImmediate } from 'node:timers/promises'
import { startThread, type Thread, type ThreadOptions } from '@skyscript/core'
import { BlobPasses } from './passes.ts'
import { faultCodec } from './pbf-fault.ts'
import type { Gathered, Selection, Shared, Task, TaskResult } from './tasks.ts'

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
  const readers = Array.from({ length: threads }, () => startReader({ paths, selection }))
  return {
    async *run(tasks) {
      const results: Promise<TaskResult | null>[] = []
      for (let taken = 0; taken < tasks.length; taken++) {
        for (let i = results.length; i < Math.min(tasks.length, taken + threads * AHEAD); i++) {
          const idlest = readers.reduce((best, reader) => (reader.waiting < best.waiting ? reader : best))
          const result = idlest.ask<TaskResult>('run', tasks[i]!)
          // Of several faults the first in the file is told; the others are nobody's then.
          result.catch(() => {})
          results.push(result)
        }
        const result = (await results[taken])!
        results[taken] = Promise.resolve(null)
        yield result
      }
    },
    share: (shared) => {
      for (const reader of readers) reader.tell('share', shared)
    },
    gather: <What extends keyof Gathered>(what: What) =>
      Promise.all(readers.map((reader) => reader.ask<Gathered[What]>('gather', what))),
    close: async () => {
      await Promise.all(readers.map((reader) => reader.close()))
    },
  }
}

/** Of all threads that read or write blobs. */
export const BLOB_THREAD: ThreadOptions = {
  // What a thread makes and forgets at once is little: a larger young generation holds unpacked blobs that are done with.
  resourceLimits: { maxYoungGenerationSizeMb: 24 },
  died: 'A thread that reads the OSM file ended; start again, with fewer --threads if memory was short.',
  errors: faultCodec,
}

/** What a thread is opened with. */
export interface Reading {
  readonly paths: readonly string[]
  readonly selection: Selection
}

function startReader(reading: Reading): Thread {
  const thread = startThread(new URL('./blob-thread.ts', import.meta.url), BLOB_THREAD)
  thread.tell('open', reading)
  return thread
}
