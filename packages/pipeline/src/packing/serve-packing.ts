import type { MessagePort } from 'node:worker_threads'
import { type ErrorData, errorToData } from '@skyscript/core'
import { type PackedLeaf, type PackSettings, packLeaves } from './pack-leaves.ts'
import { PlannedTable } from './planned-table.ts'

/** Tables are known by numbers that the asking thread gives them. */
export type ToPackThread =
  | {
      readonly type: 'open'
      readonly table: number
      readonly data: PlannedTable['data']
      readonly settings: PackSettings
    }
  | { readonly type: 'next'; readonly table: number }
  | { readonly type: 'close'; readonly table: number }

export type FromPackThread =
  | { readonly type: 'done'; readonly value: readonly PackedLeaf[] }
  | { readonly type: 'failed'; readonly error: ErrorData }

/** Leaves of an answer have about this many bytes. */
const ANSWER_BYTES = 2 ** 20

/** Answers one after another what a `LeafPacker` asks of its thread. */
export function servePacking(port: MessagePort): void {
  const tables = new Map<number, Generator<PackedLeaf>>()
  const answer = (message: ToPackThread): PackedLeaf[] => {
    if (message.type === 'open') tables.set(message.table, packLeaves(new PlannedTable(message.data), message.settings))
    if (message.type === 'close') tables.delete(message.table)
    return message.type === 'next' ? nextOf(tables.get(message.table)!) : []
  }
  port.on('message', (message: ToPackThread) => {
    try {
      const value = answer(message)
      port.postMessage(
        { type: 'done', value } satisfies FromPackThread,
        value.map(({ json }) => json.buffer),
      )
    } catch (error) {
      port.postMessage({ type: 'failed', error: errorToData(error) } satisfies FromPackThread)
    }
  })
}

/** The next leaves; none at the end. */
function nextOf(packed: Generator<PackedLeaf>): PackedLeaf[] {
  const leaves: PackedLeaf[] = []
  for (let bytes = 0; bytes < ANSWER_BYTES; ) {
    const { done, value } = packed.next()
    if (done) break
    leaves.push(value)
    bytes += value.json.length
  }
  return leaves
}
