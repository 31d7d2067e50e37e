import { setImmediate } from 'node:timers/promises'
import type { MessagePort } from 'node:worker_threads'
import { AskedThread } from '@skyscript/core'
import { died, errorOf, type FromBlobThread, YOUNG_MEGABYTES } from '../blob-threads.ts'
import { type BlobIndex, openPbf } from '../blobs.ts'
import type { ByKind } from '../newest.ts'
import { refusal } from '../serve-blobs.ts'
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
interface BlobTask {
  readonly blob: BlobIndex
  readonly changes: BlobChange['changes'] | null
}
type BlobAnswer = BlockView | Pieces

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
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MEGABYTES }
  const options = { workerData: { path, lookedFor }, resourceLimits }
  const workers = Array.from(
    { length: threads },
    () => new AskedThread<FromBlobThread>(file, { ...options, errorOf, died }),
  )
  return {
    async *run(tasks) {
      const waiting: Promise<unknown>[] = []
      for (const task of tasks) {
        const idlest = workers.reduce((best, worker) => (worker.waiting < best.waiting ? worker : best))
        const answer = idlest.ask(task)
        // Of several faults the first in the file is reported.
        answer.catch(() => {})
        waiting.push(answer)
        if (waiting.length >= threads * AHEAD) yield (await waiting.shift()) as BlobAnswer
      }
      for (const answer of waiting) yield (await answer) as BlobAnswer
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.end()))
    },
  }
}

/** Answers one after another what `startBlobTasks` asks a thread. */
export function serveBlobTasks(port: MessagePort, path: string, lookedFor: LookedFor): void {
  const { answer } = blobAnswers(path, lookedFor)
  port.on('message', (task: BlobTask) => {
    try {
      const value = answer(task)
      const memory = Array.isArray(value) ? value.map(({ buffer }) => buffer) : []
      port.postMessage({ type: 'done', value } satisfies FromBlobThread, memory)
    } catch (error) {
      port.postMessage(refusal(error))
    }
  })
}

function blobAnswers(path: string, lookedFor: LookedFor): { answer(task: BlobTask): BlobAnswer; close(): void } {
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
