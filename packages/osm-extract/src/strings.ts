import { isUtf8 } from 'node:buffer'
import type { ByteBuffer } from './bytes.ts'
import { fault } from './cursor.ts'

/** How a string becomes JSON: not looked at yet, its bytes as they are, or with escapes. */
const [UNSEEN, PLAIN, ESCAPED] = [0, 1, 2]

/** More strings than nearly all blocks have; room is made at once for them, since a list with gaps is slow. */
const USUAL_SIZE = 2 ** 16

/** The strings of a block, decoded when asked for: most never are. */
export class StringTable {
  readonly size: number
  readonly #data: Buffer
  /** Start and end of each string. */
  readonly #ranges: Int32Array
  /** Made when the first is asked for. */
  #decoded: (string | undefined)[] | undefined
  readonly #json: Uint8Array
  readonly #escaped = new Map<number, Uint8Array>()

  constructor(data: Uint8Array, ranges: Int32Array) {
    this.#data = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.length)
    this.#ranges = ranges
    this.size = ranges.length / 2
    this.#json = new Uint8Array(this.size)
  }

  /** @throws PbfFault where there is no such string */
  check(index: number): void {
    if (index >= this.size)
      throw fault('pbf-bad-string-id', `is damaged: a tag refers to string ${index} of ${this.size}`)
  }

  get(index: number): string {
    this.#decoded ??= new Array(Math.min(this.size, USUAL_SIZE))
    const known = this.#decoded[index]
    if (known !== undefined) return known
    this.check(index)
    const text = this.#data.toString('utf8', this.#ranges[2 * index]!, this.#ranges[2 * index + 1]!)
    this.#decoded[index] = text
    return text
  }

  /** As the block has it. */
  bytes(index: number): Uint8Array {
    return this.#data.subarray(this.#ranges[2 * index]!, this.#ranges[2 * index + 1]!)
  }

  bytesIn(index: number): number {
    return this.#ranges[2 * index + 1]! - this.#ranges[2 * index]!
  }

  /** undefined where the string is empty. */
  firstByte(index: number): number | undefined {
    return this.bytesIn(index) === 0 ? undefined : this.#data[this.#ranges[2 * index]!]
  }

  /** Appends a string as JSON; most strings need no escapes, and their bytes are copied without being decoded. */
  putJson(index: number, out: ByteBuffer): void {
    this.check(index)
    let kind = this.#json[index]!
    if (kind === UNSEEN) this.#json[index] = kind = this.#isPlain(index) ? PLAIN : ESCAPED
    if (kind === ESCAPED) {
      const known = this.#escaped.get(index)
      const bytes = known ?? Buffer.from(JSON.stringify(this.get(index)))
      if (known === undefined) this.#escaped.set(index, bytes)
      out.copy(bytes)
      return
    }
    out.room(1)
    out.bytes[out.length++] = 0x22
    out.copy(this.#data, this.#ranges[2 * index]!, this.#ranges[2 * index + 1]!)
    out.room(1)
    out.bytes[out.length++] = 0x22
  }

  #isPlain(index: number): boolean {
    const [start, end] = [this.#ranges[2 * index]!, this.#ranges[2 * index + 1]!]
    let isAscii = true
    for (let i = start; i < end; i++) {
      const byte = this.#data[i]!
      if (byte < 0x20 || byte === 0x22 || byte === 0x5c) return false
      if (byte >= 0x80) isAscii = false
    }
    return isAscii || isUtf8(this.#data.subarray(start, end))
  }
}

/** Where answers come from: a map, or what can be asked like one. */
export interface KeySource<T> {
  /** A number, 0 or more, says what there is to say of a key whatever its value is. */
  get(key: string): T | number | undefined
  /** All keys that have an answer; left out where any key may have one. */
  keys?(): Iterable<string>
}

/** Of a key: not asked yet, or its answer is one for values to be held against; else the number that is its answer. */
const UNASKED = -2
const BY_VALUE = -1
/** Numbers that answers may be are below. */
export const MAX_SETTLED = 2 ** 15

/** What is to be known of some keys, looked up once for each key of a block instead of once for each element. */
export class KeyAnswers<T extends object> {
  readonly #source: KeySource<T>
  readonly #otherwise: number
  /** By first byte and length, which tell most keys apart from all of the map without their being decoded. */
  readonly #mayBeKnown = new Uint8Array(2 ** 14)
  #strings: StringTable | undefined
  #room = new Int16Array(0)
  /** By string number. */
  #settled = this.#room
  readonly #answers: T[] = []

  /** @param otherwise the answer of keys of which nothing is known */
  constructor(source: KeySource<T>, otherwise = 0) {
    this.#source = source
    this.#otherwise = otherwise
    if (!source.keys) this.#mayBeKnown.fill(1)
    for (const key of source.keys?.() ?? []) {
      const bytes = Buffer.from(key)
      this.#mayBeKnown[looksOf(bytes[0], bytes.length)] = 1
    }
  }

  /** By string number: 0 or more for the keys that were asked for and whose values need no look. */
  settledIn(strings: StringTable): Int16Array {
    if (strings !== this.#strings) {
      this.#strings = strings
      if (this.#room.length < strings.size) this.#room = new Int16Array(2 * strings.size)
      // Nothing of the block before is seen beyond the end, where only a damaged file looks.
      this.#settled = this.#room.subarray(0, strings.size).fill(UNASKED)
    }
    return this.#settled
  }

  /** @throws PbfFault where there is no such string */
  of(strings: StringTable, key: number): T | number {
    const settled = this.settledIn(strings)[key]!
    if (settled >= 0) return settled
    return settled === BY_VALUE ? this.#answers[key]! : this.#lookUp(strings, key)
  }

  #lookUp(strings: StringTable, key: number): T | number {
    strings.check(key)
    const mayBeKnown = this.#mayBeKnown[looksOf(strings.firstByte(key), strings.bytesIn(key))] === 1
    const answer = (mayBeKnown ? this.#source.get(strings.get(key)) : undefined) ?? this.#otherwise
    this.#settled[key] = typeof answer === 'number' ? answer : BY_VALUE
    if (typeof answer !== 'number') this.#answers[key] = answer
    return answer
  }
}

const looksOf = (firstByte: number | undefined, bytes: number): number => ((firstByte ?? 0) << 6) | Math.min(bytes, 63)
