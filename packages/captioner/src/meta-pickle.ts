import type { Box, Tags } from '@skyscript/core'

/** What SkyScript's meta files hold, before it becomes Python. */
export interface Meta {
  readonly box: Box
  /** Milliseconds since 1970 UTC; null where the source has no time, which gives an empty tuple. */
  readonly time: number | null
  readonly centerTags: Tags
  readonly surroundingTags: readonly Tags[]
}

/** Opcodes of pickle protocol 4 (Python's Lib/pickletools.py); data only, so that loading one can run nothing. */
const OP = {
  proto: 0x80,
  stop: 0x2e,
  mark: 0x28,
  emptyDict: 0x7d,
  setItems: 0x75,
  emptyList: 0x5d,
  appends: 0x65,
  tuple: 0x74,
  emptyTuple: 0x29,
  binFloat: 0x47,
  binInt: 0x4a,
  shortText: 0x8c,
  text: 0x58,
} as const

/** The longest text whose length is written in one byte. */
const SHORT = 255

/** Tags whose bytes are kept: most tags of a map are of few kinds. */
const TAGS_AT_HAND = 20_000

/** Writes opcodes and their operands one after the other. */
class PickleWriter {
  readonly #pairs = new Map<string, Map<string, Buffer>>()
  #pairsAtHand = 0
  #bytes = Buffer.allocUnsafe(4096)
  #length = 0

  op(code: number): void {
    this.#room(1)
    this.#bytes[this.#length++] = code
  }

  /** Little-endian, as BININT and BINUNICODE want it. */
  int32(value: number): void {
    this.#room(4)
    this.#length = this.#bytes.writeInt32LE(value, this.#length)
  }

  /** Big-endian, as BINFLOAT wants it. */
  float64(value: number): void {
    this.#room(8)
    this.#length = this.#bytes.writeDoubleBE(value, this.#length)
  }

  text(value: string): void {
    const utf8 = value.toWellFormed()
    const size = Buffer.byteLength(utf8)
    this.op(size <= SHORT ? OP.shortText : OP.text)
    if (size <= SHORT) this.op(size)
    else this.int32(size)
    this.#room(size)
    this.#length += this.#bytes.write(utf8, this.#length, 'utf8')
  }

  tags(values: Tags): void {
    this.op(OP.emptyDict)
    const keys = Object.keys(values)
    if (keys.length === 0) return
    this.op(OP.mark)
    for (const key of keys) this.#pair(key, values[key]!)
    this.op(OP.setItems)
  }

  #pair(key: string, value: string): void {
    const known = this.#pairs.get(key)?.get(value)
    if (known !== undefined) {
      this.#room(known.length)
      this.#bytes.set(known, this.#length)
      this.#length += known.length
      return
    }
    const start = this.#length
    this.text(key)
    this.text(value)
    if (this.#pairsAtHand === TAGS_AT_HAND || this.#length - start > 2 * SHORT) return
    this.#pairsAtHand++
    const values = this.#pairs.get(key) ?? new Map<string, Buffer>()
    this.#pairs.set(key, values.set(value, Buffer.from(this.#bytes.subarray(start, this.#length))))
  }

  tuple(code: number, items: readonly number[], write: (item: number) => void): void {
    if (items.length === 0) return this.op(OP.emptyTuple)
    this.op(OP.mark)
    for (const item of items) {
      this.op(code)
      write(item)
    }
    this.op(OP.tuple)
  }

  list(items: readonly Tags[]): void {
    this.op(OP.emptyList)
    if (items.length === 0) return
    this.op(OP.mark)
    for (const item of items) this.tags(item)
    this.op(OP.appends)
  }

  /** Forgets what was written so far. */
  restart(): void {
    this.#length = 0
  }

  take(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length))
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(2 * (this.#length + bytes))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}

const writer = new PickleWriter()

/**
 * `pickle.load` gives `{'box': (west, south, east, north), 'time': (year, month, day, hour, minute),
 * 'center_tags': dict, 'surrounding_tags': list of dict}`; floats in degrees WGS84, ints in UTC.
 */
export function metaPickle({ box, time, centerTags, surroundingTags }: Meta): Buffer {
  writer.restart()
  writer.op(OP.proto)
  writer.op(4)
  writer.op(OP.emptyDict)
  writer.op(OP.mark)
  writer.text('box')
  writer.tuple(OP.binFloat, box, (degrees) => writer.float64(degrees))
  writer.text('time')
  writer.tuple(OP.binInt, timeFields(time), (field) => writer.int32(field))
  writer.text('center_tags')
  writer.tags(centerTags)
  writer.text('surrounding_tags')
  writer.list(surroundingTags)
  writer.op(OP.setItems)
  writer.op(OP.stop)
  return writer.take()
}

function timeFields(time: number | null): number[] {
  if (time === null) return []
  const date = new Date(time)
  return [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes()]
}
