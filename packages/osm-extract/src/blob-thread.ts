import { serveThread } from '@skyscript/core'
import type { Reading } from './blob-threads.ts'
import type { IdSet } from './id-set.ts'
import { BlobPasses } from './passes.ts'
import { faultCodec } from './pbf-fault.ts'
import type { Gathered, Shared, Task } from './tasks.ts'

let passes: BlobPasses

const moved = (value: ReturnType<BlobPasses['run'] | BlobPasses['gather']>) => ({ value, transfer: memoryOf(value) })

serveThread(
  {
    open({ paths, selection }: Reading) {
      passes = new BlobPasses(paths, selection)
      return { value: null }
    },
    share(shared: Shared) {
      passes.share(shared)
      return { value: null }
    },
    run: (task: Task) => moved(passes.run(task)),
    gather: (what: keyof Gathered) => moved(passes.gather(what)),
  },
  faultCodec,
)

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
