/** Text is made in memory of this size at first, and of twice the size wherever that is too little. */
const START = 2 ** 16

/** A growing array of bytes. Who writes asks for room first, then fills `bytes` from `length` on. */
export class ByteBuffer {
  bytes = new Uint8Array(START)
  length = 0

  room(count: number): void {
    if (this.length + count <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }

  copy(from: Uint8Array, start = 0, end = from.length): void {
    this.room(end - start)
    const { bytes } = this
    let at = this.length
    // Below some dozens of bytes a call of `set` takes longer than the copying.
    if (end - start > 48) {
      bytes.set(from.subarray(start, end), at)
      at += end - start
    } else for (let i = start; i < end; i++) bytes[at++] = from[i]!
    this.length = at
  }

  /** What was written, until more is. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.length)
  }

  /** What was written, as memory of its own; the buffer is empty then. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.bytes.slice(0, this.length)
    this.length = 0
    return taken
  }
}
