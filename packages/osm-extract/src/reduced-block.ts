import type { Way } from './block.ts'
import { ByteBuffer } from './bytes.ts'
import { LENGTH } from './cursor.ts'
import { fieldTag } from './element.ts'
import { putField } from './proto-out.ts'
import type { StringTable } from './strings.ts'

/** Of a block's bytes, what is kept at most: beyond, reading the block again takes not much longer. */
const LARGEST_PART = 1 / 6

/**
 * Makes a block of some ways of another: the second pass over the ways of a selection then needs neither unpack nor look
 * through what the first one found not to be needed. Strings keep their numbers; those that are not used are empty.
 */
export class BlockReducer {
  #strings: StringTable | undefined
  #room = 0
  #used = new Uint8Array(0)
  readonly #ways = new ByteBuffer()
  readonly #table = new ByteBuffer()
  readonly #block = new ByteBuffer()

  /** @param bytes of the block that the ways come from */
  begin(bytes: number): void {
    this.#strings = undefined
    this.#room = bytes * LARGEST_PART
    this.#ways.length = 0
  }

  keep(way: Way): void {
    const { strings, message } = way
    if (this.#strings === undefined) {
      this.#strings = strings
      if (this.#used.length < strings.size) this.#used = new Uint8Array(2 * strings.size)
      this.#used.fill(0, 0, strings.size)
      // A string of two bytes at least stands for each.
      this.#room -= 2 * strings.size
    }
    if (!way.hasUsualScale) this.#room = -1
    if (this.#room < 0) return
    for (const { values, length } of [way.keyIds, way.valueIds])
      for (let i = 0; i < length; i++) this.#used[values[i]!] = 1
    putField(this.#ways, fieldTag(3, LENGTH), message)
    this.#room -= message.length
  }

  /** Without any byte where no way was kept; null where it would be too large a part of the block. */
  take(): Uint8Array<ArrayBuffer> | null {
    const strings = this.#strings
    if (strings === undefined) return new Uint8Array(0)
    const table = this.#table
    table.length = 0
    for (let i = 0; i < strings.size; i++)
      putField(table, fieldTag(1, LENGTH), this.#used[i] === 1 ? strings.bytes(i) : EMPTY)
    this.#room -= table.length - 2 * strings.size
    if (this.#room < 0) return null
    putField(this.#block, fieldTag(1, LENGTH), table.written())
    putField(this.#block, fieldTag(2, LENGTH), this.#ways.written())
    return this.#block.take()
  }
}

const EMPTY = new Uint8Array(0)
