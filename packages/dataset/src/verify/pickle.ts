/**
 * Reads the pickles of a dataset's metas without Python. A pickle is a program for a stack machine; this one runs only
 * the opcodes that build data (protocols 2 to 5: dict, list, tuple, str, int, float, None, memo) and refuses all others,
 * so nothing is ever imported or called. Written from CPython's Lib/pickletools.py, which documents each opcode.
 */

/** A Python value with its exact type: 1 is an int, 1.0 a float, and a tuple is not a list. */
export type PickleValue =
  | { readonly type: 'none' }
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'str'; readonly value: string }
  | { readonly type: 'tuple'; readonly items: readonly PickleValue[] }
  | { readonly type: 'list'; readonly items: PickleValue[] }
  | { readonly type: 'dict'; readonly entries: (readonly [PickleValue, PickleValue])[] }

/** The bytes are not a pickle of plain data; `offset` is that of the opcode. */
export class PickleError extends Error {
  readonly offset: number

  constructor(message: string, offset: number) {
    super(`${message} at byte ${offset}`)
    this.name = 'PickleError'
    this.offset = offset
  }
}

const MARK = Symbol('mark')
type StackItem = PickleValue | typeof MARK

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * @returns the one value of the pickle
 * @throws PickleError on any opcode except those of plain data, on truncated or trailing bytes, and on malformed text
 */
export function readPickle(bytes: Uint8Array): PickleValue {
  return new PickleMachine(bytes).run()
}

class PickleMachine {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #stack: StackItem[] = []
  readonly #memo = new Map<number, PickleValue>()
  #at = 0
  /** Offset of the current opcode, for messages. */
  #opcodeAt = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  run(): PickleValue {
    if (this.#bytes[0] !== 0x80) this.#fail('no protocol mark (only protocols 2 to 5 are read)')
    for (;;) {
      this.#opcodeAt = this.#at
      const opcode = this.#u8()
      if (opcode === 0x2e) return this.#stop()
      this.#step(opcode)
    }
  }

  #step(opcode: number): void {
    switch (opcode) {
      case 0x80: // PROTO
        this.#protocol()
        break
      case 0x95: // FRAME: only a hint for buffering
        this.#length8()
        break
      case 0x28: // MARK
        this.#stack.push(MARK)
        break
      case 0x4e: // NONE
        this.#push({ type: 'none' })
        break
      case 0x4b: // BININT1
        this.#push({ type: 'int', value: this.#u8() })
        break
      case 0x4d: // BININT2
        this.#push({ type: 'int', value: this.#view.getUint16(this.#take(2), true) })
        break
      case 0x4a: // BININT
        this.#push({ type: 'int', value: this.#view.getInt32(this.#take(4), true) })
        break
      case 0x8a: // LONG1
        this.#push({ type: 'int', value: this.#long(this.#u8()) })
        break
      case 0x47: // BINFLOAT
        this.#push({ type: 'float', value: this.#view.getFloat64(this.#take(8), false) })
        break
      case 0x8c: // SHORT_BINUNICODE
        this.#push({ type: 'str', value: this.#text(this.#u8()) })
        break
      case 0x58: // BINUNICODE
        this.#push({ type: 'str', value: this.#text(this.#u32()) })
        break
      case 0x8d: // BINUNICODE8
        this.#push({ type: 'str', value: this.#text(this.#length8()) })
        break
      case 0x29: // EMPTY_TUPLE
        this.#push({ type: 'tuple', items: [] })
        break
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        this.#push({ type: 'tuple', items: this.#popValues(opcode - 0x84) })
        break
      case 0x74: // TUPLE
        this.#push({ type: 'tuple', items: this.#popToMark() })
        break
      case 0x5d: // EMPTY_LIST
        this.#push({ type: 'list', items: [] })
        break
      case 0x61: // APPEND
        this.#append(this.#popValues(1))
        break
      case 0x65: // APPENDS
        this.#append(this.#popToMark())
        break
      case 0x7d: // EMPTY_DICT
        this.#push({ type: 'dict', entries: [] })
        break
      case 0x73: // SETITEM
        this.#setItems(this.#popValues(2))
        break
      case 0x75: // SETITEMS
        this.#setItems(this.#popToMark())
        break
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top())
        break
      case 0x71: // BINPUT
        this.#memo.set(this.#u8(), this.#top())
        break
      case 0x72: // LONG_BINPUT
        this.#memo.set(this.#u32(), this.#top())
        break
      case 0x68: // BINGET
        this.#recall(this.#u8())
        break
      case 0x6a: // LONG_BINGET
        this.#recall(this.#u32())
        break
      default:
        this.#fail(`opcode 0x${opcode.toString(16).padStart(2, '0')} is not one of plain data`)
    }
  }

  #protocol(): void {
    const protocol = this.#u8()
    if (this.#opcodeAt !== 0 || protocol < 2 || protocol > 5) this.#fail(`protocol ${protocol} is not one of 2 to 5`)
  }

  #stop(): PickleValue {
    if (this.#stack.length !== 1) this.#fail(`${this.#stack.length} values are left instead of one`)
    if (this.#at !== this.#bytes.length) this.#fail(`${this.#bytes.length - this.#at} bytes follow the end`)
    return this.#top()
  }

  #push(value: PickleValue): void {
    this.#stack.push(value)
  }

  #top(): PickleValue {
    const top = this.#stack.at(-1)
    if (top === undefined || top === MARK) this.#fail('the stack holds no value')
    return top
  }

  #popValues(count: number): PickleValue[] {
    const values = this.#stack.splice(Math.max(0, this.#stack.length - count))
    if (values.length < count || values.includes(MARK)) this.#fail('the stack holds too few values')
    return values as PickleValue[]
  }

  #popToMark(): PickleValue[] {
    const mark = this.#stack.lastIndexOf(MARK)
    if (mark < 0) this.#fail('there is no mark')
    const values = this.#stack.splice(mark + 1) as PickleValue[]
    this.#stack.pop()
    return values
  }

  #append(values: readonly PickleValue[]): void {
    const list = this.#top()
    if (list.type !== 'list') this.#fail(`values are appended to a ${list.type}`)
    for (const value of values) list.items.push(value)
  }

  #setItems(values: readonly PickleValue[]): void {
    const dict = this.#top()
    if (dict.type !== 'dict') this.#fail(`items are set in a ${dict.type}`)
    if (values.length % 2 !== 0) this.#fail('a key has no value')
    for (let i = 0; i < values.length; i += 2) dict.entries.push([values[i]!, values[i + 1]!])
  }

  #recall(index: number): void {
    const value = this.#memo.get(index)
    if (value === undefined) this.#fail(`memo ${index} was never set`)
    this.#push(value)
  }

  #take(count: number): number {
    const start = this.#at
    if (count > this.#bytes.length - start) this.#fail('the pickle is cut short')
    this.#at += count
    return start
  }

  #u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  #u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  #length8(): number {
    const length = this.#view.getBigUint64(this.#take(8), true)
    if (length > BigInt(this.#bytes.length)) this.#fail(`a length of ${length} is beyond the end`)
    return Number(length)
  }

  /** Little-endian two's complement. */
  #long(length: number): number {
    const start = this.#take(length)
    let value = 0n
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[start + i]!)
    const signed = Number(BigInt.asIntN(length * 8, value))
    if (!Number.isSafeInteger(signed)) this.#fail('an int is larger than a double holds exactly')
    return signed
  }

  #text(length: number): string {
    const start = this.#take(length)
    try {
      return decoder.decode(this.#bytes.subarray(start, start + length))
    } catch {
      this.#fail('a string is not UTF-8')
    }
  }

  #fail(message: string): never {
    throw new PickleError(message, this.#opcodeAt)
  }
}
