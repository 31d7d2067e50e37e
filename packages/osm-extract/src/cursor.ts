import { type Origin, PbfFault } from './pbf-fault.ts'

/**
 * Protocol buffer reading at one cursor: one message at a time is decoded per thread.
 * https://protobuf.dev/programming-guides/encoding/
 *
 * The position is a field of an object, and made an integer wherever it is set: as a variable of the module, or as a
 * number that might have a fraction, each step of it would take memory of its own, and all reading twice the time.
 */
const cursor = {
  bytes: Buffer.alloc(0) as Uint8Array,
  position: 0,
}
/** Where the block comes from, for messages. */
let origin: Origin = { path: '', offset: 0 }

export const VARINT = 0
export const FIXED64 = 1
export const LENGTH = 2
export const FIXED32 = 5

export function openCursor(data: Uint8Array, from: Origin): void {
  // Always of one class: code that has seen two is compiled anew, and slower.
  cursor.bytes = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.length)
  cursor.position = 0
  origin = from
}

export function fault(code: string, what: string): PbfFault {
  return new PbfFault(code, what, origin)
}

export const tell = (): number => cursor.position

export function seek(to: number): void {
  cursor.position = to | 0
}

export const byteAt = (at: number): number => cursor.bytes[at]!

export const bytesBetween = (from: number, to: number): Uint8Array => cursor.bytes.subarray(from, to)

/** Where the message ends that the cursor is in. */
export const messageEnd = (): number => cursor.bytes.length

/**
 * A tag or a length: numbers that fit into 31 bits, which is why they are not read by `readVarint`, whose result may be
 * of any size.
 */
export function readUint(limit: number): number {
  const { bytes } = cursor
  let at = cursor.position
  if (at >= limit) throw fault('pbf-cut-varint', 'is damaged: a number in it is cut off')
  let byte = bytes[at++]!
  let value = byte & 0x7f
  for (let shift = 7; byte >= 0x80; shift += 7) {
    if (at >= limit) throw fault('pbf-cut-varint', 'is damaged: a number in it is cut off')
    byte = bytes[at++]!
    if (shift === 28) {
      if (readVarint(limit) > 0x7fffffff)
        throw fault('pbf-bad-length', 'is damaged: a field of it reaches beyond its message')
      return value | ((byte & 0x07) << 28)
    }
    value |= (byte & 0x7f) << shift
  }
  cursor.position = at
  return value
}

/**
 * An unsigned 64-bit varint as a number; values above 2^53 lose their last bits, which only negative numbers in 64-bit
 * fields reach: `readSigned` is for those.
 */
export function readVarint(limit: number): number {
  let value = 0
  let factor = 1
  for (let i = 0; i < 10; i++) {
    if (cursor.position >= limit) throw fault('pbf-cut-varint', 'is damaged: a number in it is cut off')
    const byte = cursor.bytes[cursor.position++]!
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return value
    factor *= 128
  }
  throw fault('pbf-long-varint', 'is damaged: a number in it has more than 10 bytes')
}

/** An int64: two's complement. */
export function readSigned(limit: number): number {
  const start = cursor.position
  const value = readVarint(limit)
  if (value < 2 ** 63) return value
  cursor.position = start
  let negative = 0n
  for (let shift = 0n; ; shift += 7n) {
    const byte = cursor.bytes[cursor.position++]!
    negative |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  return Number(BigInt.asIntN(64, negative))
}

/** A sint64: zigzag. */
export function readZigzag(limit: number): number {
  const value = readVarint(limit)
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}

/** The end of a length-delimited field that starts here. */
export function readLength(limit: number): number {
  const length = readUint(limit)
  if (length > limit - cursor.position)
    throw fault('pbf-bad-length', 'is damaged: a field of it reaches beyond its message')
  return (cursor.position + length) | 0
}

export function skip(wire: number, limit: number): void {
  if (wire === VARINT) readVarint(limit)
  else if (wire === LENGTH) cursor.position = readLength(limit)
  else if (wire === FIXED64 || wire === FIXED32) {
    cursor.position += wire === FIXED64 ? 8 : 4
    if (cursor.position > limit) throw fault('pbf-bad-length', 'is damaged: a field of it reaches beyond its message')
  } else throw fault('pbf-bad-wire-type', `is damaged: it has a field of unknown kind ${wire}`)
}

/** Calls `onField` for each field up to `limit`; a field that it leaves unread (returns false) is skipped. */
export function readMessage(limit: number, onField: (field: number, wire: number, limit: number) => boolean): void {
  while (cursor.position < limit) {
    const tag = readUint(limit)
    const wire = tag % 8
    if (!onField((tag - wire) / 8, wire, limit)) skip(wire, limit)
  }
}

export function readBytes(limit: number): Uint8Array {
  const end = readLength(limit)
  const value = cursor.bytes.subarray(cursor.position, end)
  cursor.position = end
  return value
}

const SMALL = 1024
/** Far more than an element of OSM has: beyond, an array would hold memory for one freak of a block to the end. */
const LARGE = 2 ** 20

/** A growing array of numbers that is filled again and again. */
export class Numbers {
  values = new Float64Array(SMALL)
  length = 0

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Float64Array(this.values.length * 2)
      larger.set(this.values)
      this.values = larger
    }
    this.values[this.length++] = value
  }

  /** Empties it, and makes room for this many numbers; `length` is to be set afterwards. */
  room(count: number): Float64Array {
    this.clear()
    if (this.values.length < count) this.values = new Float64Array(Math.max(count, 2 * this.values.length))
    return this.values
  }

  clear(): void {
    this.length = 0
    if (this.values.length > LARGE) this.values = new Float64Array(SMALL)
  }
}

/** A packed list of uint32 or uint64, in place of what was in `into`. @throws PbfFault */
export function readVarints(limit: number, into: Numbers): void {
  readList(limit, into, readVarint)
}

/** A packed list of int32 or int64. @throws PbfFault */
export function readIntegers(limit: number, into: Numbers): void {
  readList(limit, into, readSigned)
}

function readList(limit: number, into: Numbers, readLong: (limit: number) => number): void {
  const end = readLength(limit)
  const data = cursor.bytes
  const out = into.room(end - cursor.position)
  let at = cursor.position
  let count = 0
  while (at < end) {
    // Nearly all numbers of a file are read here and in `readDeltas`, and nearly all have up to four bytes: those are put
    // together in 32-bit integers, which takes a fraction of the time. What is read beyond `end` is no number of the
    // list, and found out when the list is at its end.
    let byte = data[at++]!
    let value = byte & 0x7f
    if (byte >= 0x80) {
      byte = data[at++]!
      value |= (byte & 0x7f) << 7
      if (byte >= 0x80) {
        byte = data[at++]!
        value |= (byte & 0x7f) << 14
        if (byte >= 0x80) {
          byte = data[at++]!
          value |= (byte & 0x7f) << 21
          if (byte >= 0x80) {
            cursor.position = at - 4
            out[count++] = readLong(end)
            at = cursor.position
            continue
          }
        }
      }
    }
    out[count++] = value
  }
  finishList(at, end, into, count)
}

/** A packed list of sint64 that are differences, which are added up. @throws PbfFault where a sum isn't exact any more */
export function readDeltas(limit: number, into: Numbers): void {
  const end = readLength(limit)
  const data = cursor.bytes
  const out = into.room(end - cursor.position)
  let at = cursor.position
  let count = 0
  let sum = 0
  while (at < end) {
    let byte = data[at++]!
    let value = byte & 0x7f
    if (byte >= 0x80) {
      byte = data[at++]!
      value |= (byte & 0x7f) << 7
      if (byte >= 0x80) {
        byte = data[at++]!
        value |= (byte & 0x7f) << 14
        if (byte >= 0x80) {
          byte = data[at++]!
          value |= (byte & 0x7f) << 21
          if (byte >= 0x80) {
            // The first number of a list is an id or a place, which have five bytes.
            byte = data[at++]!
            if (byte < 0x80) {
              const half = (byte & 0x7f) * 2 ** 27 + (value >>> 1)
              sum = exact(sum + ((value & 1) === 0 ? half : -half - 1))
            } else {
              cursor.position = at - 5
              sum = exact(sum + readZigzag(end))
              at = cursor.position
            }
            out[count++] = sum
            continue
          }
        }
      }
    }
    sum += (value >>> 1) ^ -(value & 1)
    out[count++] = sum
  }
  // Steps of up to four bytes can't pass the limit unseen: that takes more of them than a blob holds.
  exact(sum)
  finishList(at, end, into, count)
}

/** How many numbers there are up to a byte; passes over them. */
export function countVarints(end: number): number {
  const data = cursor.bytes
  let count = 0
  for (let at = cursor.position; at < end; at++) if (data[at]! < 0x80) count++
  cursor.position = end
  return count
}

/** What `skimWay` saw; `lowest` is the lowest number of a key, where there is one. */
export const skimmed = { id: 0, isTagged: false, lowest: 0 }

/**
 * Looks at the id and the keys of a way as all writers put them, first, and leaves the cursor where it is.
 *
 * @param settled by key
 * @returns whether all keys have a number of 0 or more; false too for what is written another way
 */
export function skimWay(end: number, settled: Int16Array): boolean {
  const data = cursor.bytes
  let at = cursor.position
  if (end - at < 2 || data[at++] !== 0x08) return false
  let id = 0
  let factor = 1
  let byte = 0x80
  while (byte >= 0x80) {
    // Longer numbers are negative or damaged.
    if (at >= end || factor > 2 ** 42) return false
    byte = data[at++]!
    id += (byte & 0x7f) * factor
    factor *= 128
  }
  skimmed.id = id
  // Without keys so far, they may come later.
  if (at + 1 >= end || data[at] !== 0x12 || data[at + 1]! >= 0x80 || at + 2 + data[at + 1]! > end) return false
  const keysEnd = at + 2 + data[at + 1]!
  at += 2
  skimmed.isTagged = at < keysEnd
  let lowest = 0x7fff
  while (at < keysEnd) {
    byte = data[at++]!
    let key = byte & 0x7f
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (at >= keysEnd || shift > 21) return false
      byte = data[at++]!
      key |= (byte & 0x7f) << shift
    }
    const number = settled[key]!
    // Of a key beyond the table there is none.
    if (!(number >= 0)) return false
    if (number < lowest) lowest = number
  }
  skimmed.lowest = lowest
  return true
}

function exact(sum: number): number {
  if (Number.isSafeInteger(sum)) return sum
  throw fault('pbf-number-overflow', 'is damaged: the differences of ids, places or times add up beyond 2^53')
}

function finishList(at: number, end: number, into: Numbers, count: number): void {
  if (at !== end) throw fault('pbf-cut-varint', 'is damaged: a number in it is cut off')
  cursor.position = at
  into.length = count
}
