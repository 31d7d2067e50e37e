import { ByteBuffer } from '../bytes.ts'
import { LENGTH, VARINT } from '../cursor.ts'
import { DENSE_FIELDS, DENSE_INFO_FIELDS } from '../dense-lists.ts'
import { fieldTag } from '../element.ts'
import type { Kind } from '../newest.ts'
import { putDeltas, putField, putList, putNumber, putSigned, putVarint } from '../proto-out.ts'
import type { StringTable } from '../strings.ts'
import type { ChangedElement } from './change.ts'
import type { NodeTable } from './node-table.ts'

/** The elements of a block that is replaced. */
export interface OldBlock {
  readonly strings: StringTable
  /** Milliseconds: times of messages are in these units. */
  readonly dateGranularity: number
  readonly nodes: NodeTable
  readonly ways: Messages
  readonly relations: Messages
}

/** Messages Way or Relation of a block. */
export interface Messages {
  readonly data: Uint8Array
  /** Where each begins and ends in the data, in their order. */
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

/** Elements of one kind for a new block, in order: `i` stands for that of an old block, `-1 - i` for a change. */
export type Order = readonly number[]

/** An uncompressed PrimitiveBlock (osmformat.proto). */
export function writeBlock(
  kind: Kind,
  order: Order,
  old: OldBlock | null,
  changes: readonly ChangedElement[],
): Uint8Array<ArrayBuffer> {
  const strings = new Strings(old?.strings ?? null)
  group.length = 0
  const dateGranularity = old !== null && kind !== 'nodes' ? old.dateGranularity : 1000
  if (kind === 'nodes') {
    putField(group, fieldTag(2, LENGTH), denseNodes(order, old?.nodes ?? null, changes, strings))
  } else {
    const tag = fieldTag(kind === 'ways' ? 3 : 4, LENGTH)
    for (let at = 0; at < order.length; ) {
      if (order[at]! >= 0) at += putOldMessages(tag, order, at, old![kind])
      else putField(group, tag, messageOf(changes[-1 - order[at++]!]!, strings, dateGranularity))
    }
  }
  block.length = 0
  putField(block, fieldTag(1, LENGTH), strings.table())
  putField(block, fieldTag(2, LENGTH), group.written())
  if (dateGranularity !== 1000) putNumber(block, fieldTag(18, VARINT), dateGranularity)
  return block.take()
}

/** Filled again for each block: making them takes longer than filling them. */
const [block, group] = [new ByteBuffer(), new ByteBuffer()]

/** Copies old messages at once that follow each other in the order and in the data. @returns how many */
function putOldMessages(tag: number, order: Order, from: number, { data, starts, ends }: Messages): number {
  const first = order[from]!
  let count = 1
  while (order[from + count] === first + count && hasHead(data, tag, ends[first + count - 1]!, starts[first + count]!))
    count++
  const last = ends[first + count - 1]!
  putVarint(group, tag)
  putVarint(group, ends[first]! - starts[first]!)
  group.copy(data, starts[first]!, last)
  return count
}

/** Whether there is nothing but the tag and length of a message between two places. */
const hasHead = (data: Uint8Array, tag: number, end: number, start: number): boolean =>
  data[end] === tag &&
  start - end <= 6 &&
  data[start - 1]! < 0x80 &&
  data.subarray(end + 1, start - 1).every((byte) => byte >= 0x80)

/** The strings of a block: old ones keep their numbers, so that messages stay as they are; new ones come after them. */
class Strings {
  readonly #old: StringTable | null
  readonly #added: string[] = []
  #numbers: Map<string, number> | undefined

  constructor(old: StringTable | null) {
    this.#old = old !== null && old.size > 0 ? old : null
    // Number 0 is no tag's string: a zero ends the tags of a dense node.
    if (this.#old === null) this.#added.push('')
  }

  number(text: string): number {
    this.#numbers ??= this.#oldNumbers()
    let number = this.#numbers.get(text)
    if (number === undefined) {
      number = (this.#old?.size ?? 0) + this.#added.length
      this.#numbers.set(text, number)
      this.#added.push(text)
    }
    return number
  }

  /** Of a user or a role, which may be empty. */
  name(text: string): number {
    return text === '' && (this.#old === null || this.#old.bytesIn(0) === 0) ? 0 : this.number(text)
  }

  table(): Uint8Array {
    const table = new ByteBuffer()
    const put = (bytes: Uint8Array) => putField(table, fieldTag(1, LENGTH), bytes)
    for (let i = 0; i < (this.#old?.size ?? 0); i++) put(this.#old!.bytes(i))
    for (const text of this.#added) put(Buffer.from(text))
    return table.written()
  }

  #oldNumbers(): Map<string, number> {
    const numbers = new Map<string, number>()
    for (let i = (this.#old?.size ?? 0) - 1; i > 0; i--) numbers.set(this.#old!.get(i), i)
    return numbers
  }
}

const secondsOf = ({ seconds }: ChangedElement): number => (Number.isNaN(seconds) ? 0 : Math.round(seconds))

let columnRoom = new Float64Array(0)
const [dense, denseInfo] = [new ByteBuffer(), new ByteBuffer()]

/** The message DenseNodes, until the next. */
function denseNodes(
  order: Order,
  old: NodeTable | null,
  changes: readonly ChangedElement[],
  strings: Strings,
): Uint8Array {
  const tags = new Map<ChangedElement, readonly number[]>()
  for (const i of order) {
    if (i >= 0) continue
    const change = changes[-1 - i]!
    tags.set(
      change,
      change.tags.map((text) => strings.number(text)),
    )
  }
  if (columnRoom.length < order.length) columnRoom = new Float64Array(2 * order.length)
  const column = columnRoom.subarray(0, order.length)
  const fill = (values: Float64Array | undefined, of: (change: ChangedElement) => number) => {
    for (let at = 0; at < order.length; at++) {
      const i = order[at]!
      column[at] = i >= 0 ? values![i]! : of(changes[-1 - i]!)
    }
    return column
  }
  const out = dense
  out.length = 0
  const deltas = (tag: number, values: Float64Array | undefined, of: (change: ChangedElement) => number, into = out) =>
    putDeltas(into, tag, fill(values, of))
  const info = denseInfo
  info.length = 0
  const versions = fill(old?.versions, ({ version }) => version)
  putList(info, DENSE_INFO_FIELDS.versions, order.length, (list, at) => putSigned(list, versions[at]!))
  deltas(DENSE_INFO_FIELDS.stamps, old?.seconds, secondsOf, info)
  deltas(DENSE_INFO_FIELDS.changesets, old?.changesets, ({ changeset }) => changeset, info)
  deltas(DENSE_INFO_FIELDS.uids, old?.uids, ({ uid }) => uid, info)
  deltas(DENSE_INFO_FIELDS.users, old?.users, ({ user }) => strings.name(user), info)
  deltas(DENSE_FIELDS.ids, old?.ids, ({ id }) => id)
  putField(out, DENSE_FIELDS.info, info.written())
  deltas(DENSE_FIELDS.latitudes, old?.latitudes, ({ latitude }) => latitude)
  deltas(DENSE_FIELDS.longitudes, old?.longitudes, ({ longitude }) => longitude)
  if ((old !== null && old.tags.length > old.ids.length) || [...tags.values()].some(({ length }) => length > 0))
    putList(out, DENSE_FIELDS.tags, order.length, (list, at) => {
      const i = order[at]!
      if (i >= 0)
        // A value may be string 0 where a writer has no other empty string.
        for (let tag = old!.tagStarts[i]!; old!.tags[tag] !== 0; tag += 2) {
          putVarint(list, old!.tags[tag]!)
          putVarint(list, old!.tags[tag + 1]!)
        }
      else for (const number of tags.get(changes[-1 - i]!)!) putVarint(list, number)
      putVarint(list, 0)
    })
  return out.written()
}

/** Filled again for each message: making them takes longer than filling them. */
const [message, messageInfo] = [new ByteBuffer(), new ByteBuffer()]

/** The message Way or Relation, until the next. */
function messageOf(change: ChangedElement, strings: Strings, dateGranularity: number): Uint8Array {
  const { id, kind, refs, types, roles } = change
  const tags = change.tags.map((text) => strings.number(text))
  message.length = 0
  putNumber(message, fieldTag(1, VARINT), id)
  putList(message, fieldTag(2, LENGTH), tags.length / 2, (list, i) => putVarint(list, tags[2 * i]!))
  putList(message, fieldTag(3, LENGTH), tags.length / 2, (list, i) => putVarint(list, tags[2 * i + 1]!))
  messageInfo.length = 0
  putNumber(messageInfo, fieldTag(1, VARINT), change.version)
  putNumber(messageInfo, fieldTag(2, VARINT), Math.round((secondsOf(change) * 1000) / dateGranularity))
  putNumber(messageInfo, fieldTag(3, VARINT), change.changeset)
  putNumber(messageInfo, fieldTag(4, VARINT), change.uid)
  putNumber(messageInfo, fieldTag(5, VARINT), strings.name(change.user))
  putField(message, fieldTag(4, LENGTH), messageInfo.written())
  if (kind === 'ways') putDeltas(message, fieldTag(8, LENGTH), refs)
  else {
    const names = roles.map((role) => strings.name(role))
    putList(message, fieldTag(8, LENGTH), names.length, (list, i) => putVarint(list, names[i]!))
    putDeltas(message, fieldTag(9, LENGTH), refs)
    putList(message, fieldTag(10, LENGTH), types.length, (list, i) => putVarint(list, types[i]!))
  }
  return message.written()
}
