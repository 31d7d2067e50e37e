import type { MessagePort } from 'node:worker_threads'
import { errorToData } from '@skyscript/core'
import type { FromBlobThread, ToBlobThread } from './blob-threads.ts'
import type { IdSet } from './id-set.ts'
import { BlobPasses } from './passes.ts'
import { PbfFault } from './pbf-fault.ts'
import type { Selection } from './tasks.ts'

/** Answers one after another what `startBlobReaders` asks of a thread. */
export function serveBlobs(port: MessagePort, paths: readonly string[], selection: Selection): void {
  const passes = new BlobPasses(paths, selection)
  port.on('message', (message: ToBlobThread) => {
    if (message.type === 'share') {
      passes.share(message.shared)
      return
    }
    try {
      const value = message.type === 'run' ? passes.run(message.task) : passes.gather(message.what)
      port.postMessage({ type: 'done', value } satisfies FromBlobThread, memoryOf(value))
    } catch (error) {
      port.postMessage(refusal(error))
    }
  })
}

/** The memory of large arrays, which is given away and not copied. */
function memoryOf(value: ReturnType<BlobPasses['run'] | BlobPasses['gather']>): ArrayBuffer[] {
  if (value instanceof Float64Array) return [value.buffer]
  const ofSet = ({ chunks, words }: IdSet) => [chunks.buffer, words.buffer]
  if ('words' in value) return ofSet(value)
  if ('ways' in value) return Object.values(value).flatMap(({ seen, repeated }) => [...ofSet(seen), ...ofSet(repeated)])
  if (!('chunk' in value)) return []
  return [
    value.chunk?.bytes,
    value.chunk?.ends,
    value.chunk?.boxes,
    value.chunk?.otherBoxes,
    value.lines?.places,
  ].flatMap((array) => (array ? [array.buffer] : []))
}

export function refusal(error: unknown): FromBlobThread {
  if (error instanceof PbfFault) {
    const { code, what, origin } = error
    return { type: 'damaged', code, what, origin }
  }
  return { type: 'failed', error: errorToData(error) }
}
