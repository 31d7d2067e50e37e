import { ByteBuffer } from './bytes.ts'

/** Protocol buffer writing: https://protobuf.dev/programming-guides/encoding/ */

/** Bytes that a number takes at most. */
const LONGEST = 10

/** An unsigned number up to 2^53. */
export function putVarint(out: ByteBuffer, value: number): void {
  out.room(LONGEST)
  const { bytes } = out
  let at = out.length
  let rest = value
  for (; rest >= 2 ** 31; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 0x80
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80
  bytes[at++] = rest
  out.length = at
}

/** An int32 or int64: negative numbers in two's complement of 64 bits. */
export function putSigned(out: ByteBuffer, value: number): void {
  if (value >= 0) {
    putVarint(out, value)
    return
  }
  putBig(out, BigInt.asUintN(64, BigInt(value)))
}

/** A sint64. */
export function putZigzag(out: ByteBuffer, value: number): void {
  if (Math.abs(value) > 2 ** 51) putBig(out, value >= 0 ? BigInt(value) * 2n : BigInt(-value) * 2n - 1n)
  else putVarint(out, value >= 0 ? value * 2 : -value * 2 - 1)
}

function putBig(out: ByteBuffer, value: bigint): void {
  out.room(LONGEST)
  let rest = value
  for (; rest >= 0x80n; rest >>= 7n) out.bytes[out.length++] = Number(rest & 0x7fn) | 0x80
  out.bytes[out.length++] = Number(rest)
}

/** A field of bytes, or a message. */
export function putField(out: ByteBuffer, tag: number, content: Uint8Array): void {
  putVarint(out, tag)
  putVarint(out, content.length)
  out.copy(content)
}

/** A field of one number. */
export function putNumber(out: ByteBuffer, tag: number, value: number): void {
  putVarint(out, tag)
  putSigned(out, value)
}

const list = new ByteBuffer()

/** A packed list, each number by `put`; nothing where it is empty. */
export function putList(out: ByteBuffer, tag: number, count: number, put: (list: ByteBuffer, i: number) => void): void {
  if (count === 0) return
  list.length = 0
  for (let i = 0; i < count; i++) put(list, i)
  putField(out, tag, list.written())
}

/** A packed list of the differences of successive numbers, the first to 0; nothing where it is empty. */
export function putDeltas(out: ByteBuffer, tag: number, values: ArrayLike<number>): void {
  if (values.length === 0) return
  list.length = 0
  list.room(LONGEST * values.length)
  const { bytes } = list
  let before = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    const step = value - before
    before = value
    if (step < -(2 ** 30) || step >= 2 ** 30) {
      putZigzag(list, step)
      continue
    }
    let rest = (step << 1) ^ (step >> 31)
    for (; rest >= 0x80; rest >>>= 7) bytes[list.length++] = (rest & 0x7f) | 0x80
    bytes[list.length++] = rest
  }
  putField(out, tag, list.written())
}
