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

/** Of a key: not asked yet, nothing to be known, an answer. */
const UNASKED = 0
export const NOTHING = 1
const ANSWERED = 2

/** What is to be known of some keys, looked up once for each key of a block instead of once for each element. */
export class KeyAnswers<T> {
  readonly #byKey: ReadonlyMap<string, T>
  /** By first byte and length, which tell most keys apart from all of the map without their being decoded. */
  readonly #mayBeKnown = new Uint8Array(2 ** 14)
  #strings: StringTable | undefined
  /** By string number. */
  #state = new Uint8Array(0)
  readonly #answers: T[] = []

  constructor(byKey: ReadonlyMap<string, T>) {
    this.#byKey = byKey
    for (const key of byKey.keys()) {
      const bytes = Buffer.from(key)
      this.#mayBeKnown[looksOf(bytes[0], bytes.length)] = 1
    }
  }

  /** By string number, `NOTHING` for the keys that were asked for and have no answer. */
  statesIn(strings: StringTable): Uint8Array {
    if (strings !== this.#strings) {
      this.#strings = strings
      if (this.#state.length < strings.size) this.#state = new Uint8Array(2 * strings.size)
      else this.#state.fill(UNASKED, 0, strings.size)
    }
    return this.#state
  }

  of(strings: StringTable, key: number): T | null {
    const state = this.statesIn(strings)[key]
    if (state === NOTHING) return null
    if (state !== ANSWERED) this.#lookUp(strings, key)
    return this.#state[key] === ANSWERED ? this.#answers[key]! : null
  }

  #lookUp(strings: StringTable, key: number): void {
    strings.check(key)
    const mayBeKnown = this.#mayBeKnown[looksOf(strings.firstByte(key), strings.bytesIn(key))] === 1
    const answer = mayBeKnown ? this.#byKey.get(strings.get(key)) : undefined
    this.#state[key] = answer === undefined ? NOTHING : ANSWERED
    if (answer !== undefined) this.#answers[key] = answer
  }
}

const looksOf = (firstByte: number | undefined, bytes: number): number => ((firstByte ?? 0) << 6) | Math.min(bytes, 63)
