import { serveThread } from '@skyscript/core'
import { type PackedLeaf, type PackSettings, packLeaves } from './pack-leaves.ts'
import { PlannedTable } from './planned-table.ts'

export interface OpenTable {
  readonly data: PlannedTable['data']
  readonly settings: PackSettings
}

/** Leaves of an answer have about this many bytes. */
const ANSWER_BYTES = 2 ** 20

let packed: Iterator<PackedLeaf> | null = null

serveThread({
  open({ data, settings }: OpenTable) {
    packed = packLeaves(new PlannedTable(data), settings)
    return { value: null }
  },
  /** The next leaves; none at the end. */
  next() {
    const value: PackedLeaf[] = []
    for (let bytes = 0; packed !== null && bytes < ANSWER_BYTES; ) {
      const next = packed.next()
      // A finished table leaves nothing in memory while the thread waits for another.
      if (next.done) packed = null
      else {
        value.push(next.value)
        bytes += next.value.json.length
      }
    }
    return { value, transfer: value.map(({ json }) => json.buffer) }
  },
})
