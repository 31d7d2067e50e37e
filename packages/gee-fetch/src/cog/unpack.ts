/** A tile exceeds its maximum unpacked size. */
export class TooLong extends Error {
  constructor(most: number) {
    super(`a tile unpacks to more than ${most} bytes`)
  }
}

/** A byte buffer that grows up to a limit. */
function growing(first: number, most: number) {
  let bytes = new Uint8Array(Math.min(most, Math.max(1024, first)))
  let length = 0
  return {
    get length() {
      return length
    },
    /** Makes room for `more` bytes and returns the buffer. */
    room(more: number): Uint8Array {
      if (length + more > most) throw new TooLong(most)
      if (length + more > bytes.length) {
        const larger = new Uint8Array(Math.min(most, Math.max(2 * bytes.length, length + more)))
        larger.set(bytes)
        bytes = larger
      }
      length += more
      return bytes
    },
    whole: (): ArrayBuffer => bytes.buffer.slice(0, length),
  }
}

const CLEAR = 256
const END = 257
const MOST_CODES = 4096

/**
 * LZW as TIFF defines it (TIFF 6.0, section 13): codes of 9 to 12 bits, highest bit first, widened one code early.
 * Stops at the first fault in the stream.
 *
 * @throws TooLong
 */
export function unpackLzw(packed: Uint8Array, most: number): ArrayBuffer {
  const out = growing(packed.length * 4, most)
  // Each code refers to output already written: the previous string plus the byte after it.
  const starts = new Uint32Array(MOST_CODES)
  const lengths = new Uint32Array(MOST_CODES)
  let next = END + 1
  let bits = 9
  let previous = -1
  let previousStart = 0
  let held = 0
  let heldBits = 0
  for (let at = 0; ; ) {
    while (heldBits < bits && at < packed.length) {
      held = ((held << 8) | packed[at++]!) & 0xffffff
      heldBits += 8
    }
    if (heldBits < bits) break
    const code = (held >> (heldBits - bits)) & ((1 << bits) - 1)
    heldBits -= bits
    if (code === END) break
    if (code === CLEAR) {
      next = END + 1
      bits = 9
      previous = -1
      continue
    }
    const start = out.length
    const previousLength = previous < 0 ? 0 : previous < CLEAR ? 1 : lengths[previous]!
    if (code < CLEAR) out.room(1)[start] = code
    else if (code < next) {
      const length = lengths[code]!
      out.room(length).copyWithin(start, starts[code]!, starts[code]! + length)
    } else if (code === next && previous >= 0) {
      const bytes = out.room(previousLength + 1)
      bytes.copyWithin(start, previousStart, previousStart + previousLength)
      bytes[start + previousLength] = bytes[start]!
    } else break
    if (previous >= 0 && next < MOST_CODES) {
      // The previous string and the first byte of this one are already adjacent in the output.
      starts[next] = previousStart
      lengths[next] = previousLength + 1
      next++
      if (next >= (1 << bits) - 1 && bits < 12) bits++
    }
    previous = code
    previousStart = start
  }
  return out.whole()
}

/**
 * PackBits (TIFF 6.0, section 9): repeated bytes and literal bytes.
 *
 * @throws TooLong
 */
export function unpackPackBits(packed: Uint8Array, most: number): ArrayBuffer {
  const out = growing(packed.length * 2, most)
  for (let at = 0; at < packed.length; ) {
    const head = (packed[at++]! << 24) >> 24
    // -128 is a no-op.
    if (head === -128) continue
    const start = out.length
    if (head < 0) {
      out.room(1 - head).fill(packed[at++] ?? 0, start, start + 1 - head)
    } else {
      const length = Math.min(head + 1, packed.length - at)
      out.room(length).set(packed.subarray(at, at + length), start)
      at += length
    }
  }
  return out.whole()
}
