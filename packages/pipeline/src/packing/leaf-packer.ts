import { availableParallelism } from 'node:os'
import { borrowThread, breather } from '@skyscript/core'
import type { ColumnValues } from '../column.ts'
import { type PackedLeaf, type PackSettings, packLeaves } from './pack-leaves.ts'
import type { OpenTable } from './pack-thread.ts'
import type { PlannedTable } from './planned-table.ts'

/** Fewer images are packed sooner than a thread has started. */
const WORTH_A_THREAD = availableParallelism() > 1 ? 16_384 : Infinity
const DIED = 'A thread that plans images ended, of lack of memory in general; run the build again.'

/**
 * The leaves of a map tile's planned images, in the order of their names; a few are made ahead. A large table is packed by
 * a thread, since that takes as much processor time as planning its images, and can't be used afterwards: the thread has
 * its memory.
 *
 * @param worthAThread number of images from which a thread is used
 */
export const leavesOfTable = (
  table: PlannedTable,
  settings: PackSettings,
  worthAThread = WORTH_A_THREAD,
): AsyncGenerator<PackedLeaf> => (table.size < worthAThread ? inThisThread : inThread)(table, settings)

async function* inThread(table: PlannedTable, settings: PackSettings): AsyncGenerator<PackedLeaf> {
  const thread = borrowThread(new URL('./pack-thread.ts', import.meta.url), '', { died: DIED })
  const { data } = table
  try {
    const opened = thread.ask('open', { data, settings } satisfies OpenTable, memoryOf(data))
    const ask = () => {
      const answer = thread.ask<readonly PackedLeaf[]>('next', null)
      // The next leaves may fail when nobody takes them any more.
      answer.catch(() => {})
      return answer
    }
    let next = ask()
    await opened
    for (;;) {
      const leaves = await next
      if (leaves.length === 0) return
      next = ask()
      yield* leaves
    }
  } finally {
    await thread.close()
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
