import { type Origin, PbfFault } from './pbf-fault.ts'

/**
 * Protocol buffer reading at a module-level cursor: one message at a time is decoded per thread, and free variables
 * are what the engine reads fastest. https://protobuf.dev/programming-guides/encoding/
 */
let bytes: Uint8Array = new Uint8Array(0)
let position = 0
/** Where the block comes from, for messages. */
let origin: Origin = { path: '', offset: 0 }

export const VARINT = 0
export const FIXED64 = 1
export const LENGTH = 2
export const FIXED32 = 5

export function openCursor(data: Uint8Array, from: Origin): void {
  bytes = data
  position = 0
  origin = from
}

export function fault(code: string, what: string): PbfFault {
  return new PbfFault(code, what, origin)
}

export const tell = (): number => position

export function seek(to: number): void {
  position = to
}

/**
 * An unsigned 64-bit varint as a number; values above 2^53 lose their last bits, which only negative numbers in 64-bit
 * fields reach: `readSigned` is for those.
 */
export function readVarint(limit: number): number {
  // One byte says most tags and lengths.
  if (position < limit && bytes[position]! < 0x80) return bytes[position++]!
  let value = 0
  let factor = 1
  for (let i = 0; i < 10; i++) {
    if (position >= limit) throw fault('pbf-cut-varint', 'is damaged: a number in it is cut off')
    const byte = bytes[position++]!
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return value
    factor *= 128
  }
  throw fault('pbf-long-varint', 'is damaged: a number in it has more than 10 bytes')
}

/** An int64: two's complement. */
export function readSigned(limit: number): number {
  const start = position
  const value = readVarint(limit)
  if (value < 2 ** 63) return value
  position = start
  let negative = 0n
  for (let shift = 0n; ; shift += 7n) {
    const byte = bytes[position++]!
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
  const length = readVarint(limit)
  if (length > limit - position) throw fault('pbf-bad-length', 'is damaged: a field of it reaches beyond its message')
  return position + length
}

export function skip(wire: number, limit: number): void {
  if (wire === VARINT) readVarint(limit)
  else if (wire === LENGTH) position = readLength(limit)
  else if (wire === FIXED64 || wire === FIXED32) {
    position += wire === FIXED64 ? 8 : 4
    if (position > limit) throw fault('pbf-bad-length', 'is damaged: a field of it reaches beyond its message')
  } else throw fault('pbf-bad-wire-type', `is damaged: it has a field of unknown kind ${wire}`)
}

/** Calls `onField` for each field up to `limit`; a field that it leaves unread (returns false) is skipped. */
export function readMessage(limit: number, onField: (field: number, wire: number, limit: number) => boolean): void {
  while (position < limit) {
    const tag = readVarint(limit)
    const wire = tag % 8
    if (!onField((tag - wire) / 8, wire, limit)) skip(wire, limit)
  }
}

export function readBytes(limit: number): Uint8Array {
  const end = readLength(limit)
  const value = bytes.subarray(position, end)
  position = end
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

  /** Empties it, and makes room for so many numbers to be put in; `length` is to be set afterwards. */
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

export type NumberKind = 'varint' | 'signed' | 'zigzag-delta'

/** A packed repeated field into `into`; deltas are added up. @throws PbfFault where a sum leaves the exact integers */
export function readPacked(kind: NumberKind, limit: number, into: Numbers): void {
  const end = readLength(limit)
  into.clear()
  if (kind === 'zigzag-delta') readDeltas(end, into)
  else readVarints(kind, end, into)
}

/**
 * Nearly all numbers of a file come through here and `readDeltas`, and nearly all have up to four bytes: those are put
 * together in 32-bit integers, which takes a fraction of the time. What is read beyond `end` is no number of the list,
 * and found out when the list is at its end.
 */
function readVarints(kind: 'varint' | 'signed', end: number, into: Numbers): void {
  const data = bytes
  const out = into.room(end - position)
  let at = position
  let count = 0
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
            position = at - 4
            value = kind === 'signed' ? readSigned(end) : readVarint(end)
            at = position
          }
        }
      }
    }
    out[count++] = value
  }
  finishList(at, end, into, count)
}

function readDeltas(end: number, into: Numbers): void {
  const data = bytes
  const out = into.room(end - position)
  let at = position
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
            position = at - 4
            sum = exact(sum + readZigzag(end))
            at = position
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

function exact(sum: number): number {
  if (Number.isSafeInteger(sum)) return sum
  throw fault('pbf-number-overflow', 'is damaged: the differences of ids, places or times add up beyond 2^53')
}

function finishList(at: number, end: number, into: Numbers, count: number): void {
  if (at !== end) throw fault('pbf-cut-varint', 'is damaged: a number in it is cut off')
  position = at
  into.length = count
}
