import { availableParallelism } from 'node:os'
import { AskedThread, breather, errorFromData, ServiceError } from '@skyscript/core'
import type { ColumnValues } from '../column.ts'
import { type PackedLeaf, type PackSettings, packLeaves } from './pack-leaves.ts'
import type { PlannedTable } from './planned-table.ts'
import type { FromPackThread, ToPackThread } from './serve-packing.ts'

/** Fewer images are packed sooner than a thread has started. */
const WORTH_A_THREAD = 16_384
/** A thread without work ends after this long: its memory is some 60 MB. */
const IDLE_MS = 5_000

export interface LeafPacker {
  /**
   * The leaves of a map tile's planned images, in the order of their names; a few are made ahead. The table can't be used
   * afterwards: a thread may have taken its memory.
   */
  pack(table: PlannedTable, settings: PackSettings): AsyncGenerator<PackedLeaf>
  close(): Promise<void>
}

/**
 * Packs leaves beside what this thread does: that takes as much processor time as planning their images.
 *
 * @param worthAThread number of images from which a thread is used
 */
export function createLeafPacker(worthAThread = availableParallelism() > 1 ? WORTH_A_THREAD : Infinity): LeafPacker {
  let thread: AskedThread<FromPackThread> | null = null
  let idle: NodeJS.Timeout | undefined
  let tables = 0
  let users = 0

  const end = async () => {
    clearTimeout(idle)
    const ending = thread
    thread = null
    await ending?.end()
  }

  async function* inThread(table: PlannedTable, settings: PackSettings): AsyncGenerator<PackedLeaf> {
    clearTimeout(idle)
    users++
    // One that died, of lack of memory for one, fails its own tables and not those after them.
    if (thread === null || thread.hasEnded)
      thread = new AskedThread(new URL('./pack-thread.ts', import.meta.url), { errorOf, died })
    const asked = thread
    const number = ++tables
    const ask = (message: ToPackThread, memory: readonly ArrayBuffer[] = []) => {
      const answer = asked.ask(message, memory) as Promise<readonly PackedLeaf[]>
      // The next leaves may fail when nobody takes them any more.
      answer.catch(() => {})
      return answer
    }
    try {
      const { data } = table
      const opened = ask({ type: 'open', table: number, data, settings }, memoryOf(data))
      let next = ask({ type: 'next', table: number })
      await opened
      for (;;) {
        const leaves = await next
        if (leaves.length === 0) return
        next = ask({ type: 'next', table: number })
        yield* leaves
      }
    } finally {
      ask({ type: 'close', table: number })
      if (--users === 0) idle = setTimeout(() => void end(), IDLE_MS).unref()
    }
  }

  return {
    pack: (table, settings) => (table.size < worthAThread ? inThisThread : inThread)(table, settings),
    close: end,
  }
}

async function* inThisThread(table: PlannedTable, settings: PackSettings): AsyncGenerator<PackedLeaf> {
  const breathe = breather()
  for (const leaf of packLeaves(table, settings)) {
    yield leaf
    await breathe()
  }
}

/** The memory of columns, which is given away and not copied. */
function memoryOf({ ids, sourceImages: _, ...columns }: PlannedTable['data']): ArrayBuffer[] {
  const all: ColumnValues<Uint8Array | Uint32Array | Float64Array>[] = [
    ...Object.values(ids),
    ...Object.values(columns),
  ]
  return all.map(({ values }) => values.buffer as ArrayBuffer)
}

const errorOf = ({ error }: Exclude<FromPackThread, { type: 'done' }>): Error => errorFromData(error)

const died = () =>
  new ServiceError(
    'thread-died',
    'A thread that plans images ended, of lack of memory in general; run the build again.',
    {
      retry: true,
    },
  )
