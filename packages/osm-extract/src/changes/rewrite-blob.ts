import { type BlockVisitor, visitBlock } from '../block.ts'
import type { Element, MessageElement } from '../element.ts'
import { type ByKind, KINDS, type Kind } from '../newest.ts'
import { DenseNodes } from '../nodes.ts'
import type { Origin } from '../pbf-fault.ts'
import { placeOf } from '../place-of.ts'
import type { ChangedElement } from './change.ts'
import { type NodeMessage, readNodeTable } from './node-table.ts'
import { type OldBlock, type Order, writeBlock } from './write-block.ts'

/** Elements that writers put into a block; ours may have half as many more, so that few changes do not split blocks. */
export const BLOCK_ELEMENTS = 8000
/** https://wiki.openstreetmap.org/wiki/PBF_Format: a block should stay below 16 MiB. */
const BLOCK_BYTES = 2 ** 24

/** @returns the blocks in place of one, sorted, with elements of one kind in a block; none where all was deleted */
export function rewriteBlock(
  data: Uint8Array,
  origin: Origin,
  changes: ByKind<readonly ChangedElement[]>,
): Uint8Array<ArrayBuffer>[] {
  const groups: NodeMessage[] = []
  const ids = { ways: [] as number[], relations: [] as number[] }
  const newMessages = () => ({ data, starts: [] as number[], ends: [] as number[] })
  const messages = { ways: newMessages(), relations: newMessages() }
  const take = (kind: 'ways' | 'relations', { id, start, end }: MessageElement) => {
    ids[kind].push(id)
    messages[kind].starts.push(start)
    messages[kind].ends.push(end)
  }
  let any: Element | undefined
  const visitor: BlockVisitor = {
    nodes(group) {
      any = group
      groups.push({ bytes: group.message, isDense: group instanceof DenseNodes, scale: group.scale })
    },
    way(way) {
      any = way
      take('ways', way)
    },
    relation(relation) {
      any = relation
      take('relations', relation)
    },
  }
  visitBlock(data, origin, visitor)
  if (any === undefined) return KINDS.flatMap((kind) => newBlocks(kind, changes[kind]))
  const { strings, dateGranularity } = any.scale
  const nodes = readNodeTable(groups, origin)
  const old: OldBlock = { strings, dateGranularity, nodes, ...messages }
  return KINDS.flatMap((kind) => {
    const order = merged(kind === 'nodes' ? nodes.ids : ids[kind], changes[kind])
    return blocksOf(kind, order, old, changes[kind])
  })
}

/** Blocks of elements that are only in changes. */
export const newBlocks = (kind: Kind, changes: readonly ChangedElement[]): Uint8Array<ArrayBuffer>[] =>
  blocksOf(kind, merged([], changes), null, changes)

/** Both sorted; a change takes the place of an element with its id, or of none. */
function merged(ids: ArrayLike<number>, changes: readonly ChangedElement[]): Order {
  const order: number[] = []
  let at = 0
  for (const [i, { id, isDeleted }] of changes.entries()) {
    const place = placeOf(id)
    while (at < ids.length && placeOf(ids[at]!) < place) order.push(at++)
    if (at < ids.length && ids[at] === id) at++
    if (!isDeleted) order.push(-1 - i)
  }
  while (at < ids.length) order.push(at++)
  return order
}

function blocksOf(
  kind: Kind,
  order: Order,
  old: OldBlock | null,
  changes: readonly ChangedElement[],
): Uint8Array<ArrayBuffer>[] {
  if (order.length === 0) return []
  if (order.length <= 1.5 * BLOCK_ELEMENTS) {
    const block = writeBlock(kind, order, old, changes)
    if (block.length <= BLOCK_BYTES || order.length === 1) return [block]
  }
  const first = order.length > 2 * BLOCK_ELEMENTS ? BLOCK_ELEMENTS : Math.ceil(order.length / 2)
  return [order.slice(0, first), order.slice(first)].flatMap((part) => blocksOf(kind, part, old, changes))
}
