import { setImmediate } from 'node:timers/promises'
import { startThread } from '@skyscript/core'
import { BLOB_THREAD } from '../blob-threads.ts'
import { type BlobIndex, openPbf } from '../blobs.ts'
import type { ByKind } from '../newest.ts'
import type { ChangedElement } from './change.ts'
import { type BlockView, blockViewer, type LookedFor } from './look-at-block.ts'
import { rewriteBlock } from './rewrite-blob.ts'
import { framed, packedBlob } from './write-pbf.ts'

/** A blob, and the changes that are to be put into it. */
export interface BlobChange {
  readonly blob: BlobIndex
  readonly changes: ByKind<readonly ChangedElement[]>
}

/** Works on the blobs of a file. Answers come in the order of what is asked for, which few are ahead of who takes them. */
export interface BlobTasks {
  look(blobs: readonly BlobIndex[]): AsyncGenerator<BlockView>
  /** The bytes in place of each blob, in pieces. */
  rewrite(changes: readonly BlobChange[]): AsyncGenerator<Pieces>
  close(): Promise<void>
}

type Pieces = readonly Uint8Array<ArrayBuffer>[]

/** What a thread is asked: without changes for the view of a blob, with changes for the bytes in its place. */
export interface BlobTask {
  readonly blob: BlobIndex
  readonly changes: BlobChange['changes'] | null
}
type BlobAnswer = BlockView | Pieces

/** What a thread is opened with. */
export interface BlobSource {
  readonly path: string
  readonly lookedFor: LookedFor
}

interface BlobRunner {
  run(tasks: Iterable<BlobTask>): AsyncGenerator<BlobAnswer>
  close(): Promise<void>
}

/** @param threads 1: only this thread */
export function startBlobTasks(threads: number, path: string, lookedFor: LookedFor): BlobTasks {
  const { run, close } = threads > 1 ? inThreads(threads, path, lookedFor) : inThisThread(path, lookedFor)
  return {
    look: (blobs) => run(blobs.map((blob) => ({ blob, changes: null }))) as AsyncGenerator<BlockView>,
    rewrite: (changes) => run(changes) as AsyncGenerator<Pieces>,
    close,
  }
}

function inThisThread(path: string, lookedFor: LookedFor): BlobRunner {
  const { answer, close } = blobAnswers(path, lookedFor)
  return {
    async *run(tasks) {
      for (const task of tasks) {
        // Lets signals and timers come through.
        await setImmediate()
        yield answer(task)
      }
    },
    close: async () => close(),
  }
}

/** Tasks that a thread has at a time, so that it never waits for the next. */
const AHEAD = 8

function inThreads(threads: number, path: string, lookedFor: LookedFor): BlobRunner {
  const file = new URL('./apply-thread.ts', import.meta.url)
  const workers = Array.from({ length: threads }, () => startThread(file, BLOB_THREAD))
  for (const worker of workers) worker.tell('open', { path, lookedFor } satisfies BlobSource)
  return {
    async *run(tasks) {
      const waiting: Promise<BlobAnswer>[] = []
      for (const task of tasks) {
        const idlest = workers.reduce((best, worker) => (worker.waiting < best.waiting ? worker : best))
        const answer = idlest.ask<BlobAnswer>('run', task)
        // Of several faults the first in the file is reported.
        answer.catch(() => {})
        waiting.push(answer)
        if (waiting.length >= threads * AHEAD) yield (await waiting.shift())!
      }
      for (const answer of waiting) yield await answer
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close()))
    },
  }
}

/** Does tasks in this thread. */
export function blobAnswers(path: string, lookedFor: LookedFor): { answer(task: BlobTask): BlobAnswer; close(): void } {
  const file = openPbf(path)
  const view = blockViewer(lookedFor)
  return {
    answer({ blob, changes }) {
      const [data, origin] = [file.read(blob), { path, offset: blob.offset }]
      if (changes === null) return view(data, origin)
      return rewriteBlock(data, origin, changes).map((block) => framed('OSMData', packedBlob(block)))
    },
    close: () => file.close(),
  }
}
