import {
  bytesBetween,
  fault,
  LENGTH,
  messageEnd,
  Numbers,
  readLength,
  readSigned,
  readUint,
  readVarint,
  readVarints,
  seek,
  skip,
  tell,
  VARINT,
} from './cursor.ts'
import { isoSeconds } from './header.ts'
import { StringTable } from './strings.ts'

/** What all elements of a block share. */
export interface BlockScale {
  readonly strings: StringTable
  /** Milliseconds. */
  readonly dateGranularity: number
  /** Places of the block are (offset + granularity * value) nanodegrees. */
  readonly granularity: number
  readonly latitudeOffset: number
  readonly longitudeOffset: number
}

/** The number that comes before a field in a protocol buffer: which field, and how it is written. */
export const fieldTag = (field: number, wire: number): number => field * 8 + wire

export const NOWHERE = -1

/** Where the length of a list stands, which is passed over. */
export function skipList(limit: number): number {
  const at = tell()
  seek(readLength(limit))
  return at
}

/** Reads a packed list where somebody asks for it. @param at where its length stands */
export function readListAt(read: (limit: number, into: Numbers) => void, at: number, into: Numbers): void {
  into.clear()
  if (at === NOWHERE) return
  seek(at)
  read(messageEnd(), into)
}

/** Values of a block in place to 1e-7 degree, OSM's own precision. */
export function toDegrees7({ values, length }: Numbers, granularity: number, offset: number): void {
  if (granularity === 100 && offset === 0) return
  for (let i = 0; i < length; i++) values[i] = Math.round((offset + granularity * values[i]!) / 100)
}

export function checkId(id: number): number {
  if (!Number.isSafeInteger(id)) throw fault('pbf-bad-id', 'is damaged: an id is beyond 2^53')
  return id
}

/** -1 stands for "not recorded". */
export const versionOf = (value: number): number => (value > 0 && value <= 0x7fffffff ? value : 0)

const NO_SCALE: BlockScale = {
  strings: new StringTable(new Uint8Array(0), new Int32Array(0)),
  dateGranularity: 1000,
  granularity: 100,
  latitudeOffset: 0,
  longitudeOffset: 0,
}

/**
 * Tags and history of the element being visited; read them before returning. Tags are pairs of string numbers: key `i`
 * of `keyIds` and value `i + valueShift` of `valueIds`, for `i` from `from` to `to` in steps of `step`.
 */
export abstract class Element {
  scale: BlockScale = NO_SCALE
  abstract readonly keyIds: Numbers
  abstract readonly valueIds: Numbers
  from = 0
  to = 0
  step = 1
  valueShift = 0

  /** 0 where the file has none. */
  abstract readonly version: number
  /** Marked as no longer visible, as extracts of changes and histories have it. */
  abstract readonly deleted: boolean
  /** As the file has it, in units of the block's date granularity; NaN or 0 where it has none. */
  protected abstract readonly stamp: number

  /** Whether places and times are in the units that nearly all files have. */
  get hasUsualScale(): boolean {
    const { dateGranularity, granularity, latitudeOffset, longitudeOffset } = this.scale
    return dateGranularity === 1000 && granularity === 100 && latitudeOffset === 0 && longitudeOffset === 0
  }

  get strings(): StringTable {
    return this.scale.strings
  }

  get tagCount(): number {
    return (this.to - this.from) / this.step
  }

  /** Keys and values in the file's order; strings are decoded at first use. */
  tags(): [string, string][] {
    const { strings, from, to, step, valueShift } = this
    const [keys, values] = [this.keyIds.values, this.valueIds.values]
    const tags: [string, string][] = []
    for (let i = from; i < to; i += step) tags.push([strings.get(keys[i]!), strings.get(values[i + valueShift]!)])
    return tags
  }

  /** @throws PbfFault where a tag refers to no string */
  checkTags(): void {
    const { strings, from, to, step, valueShift } = this
    const [keys, values] = [this.keyIds.values, this.valueIds.values]
    for (let i = from; i < to; i += step) {
      strings.check(keys[i]!)
      strings.check(values[i + valueShift]!)
    }
  }

  /** Seconds since 1970 UTC of its last change; NaN where the file has no time. */
  get seconds(): number {
    const { stamp } = this
    // Zero stands for "not recorded" in files written without history.
    return stamp === 0 ? Number.NaN : (stamp * this.scale.dateGranularity) / 1000
  }

  timestamp(): string | null {
    return isoSeconds(this.seconds)
  }
}

const ID = fieldTag(1, VARINT)
const KEYS = fieldTag(2, LENGTH)
const VALUES = fieldTag(3, LENGTH)
const INFO = fieldTag(4, LENGTH)
const VERSION = fieldTag(1, VARINT)
const STAMP = fieldTag(2, VARINT)
const VISIBLE = fieldTag(6, VARINT)

/**
 * A node, way or relation in a message of its own. Its id and keys are read at once and the rest when somebody asks: the
 * keys say of most elements that nobody will.
 */
export abstract class MessageElement extends Element {
  id = 0
  readonly keyIds = new Numbers()
  readonly #values = new Numbers()
  /** Where the message begins and ends. */
  #start = 0
  #end = 0
  /** Where the rest begins, until it has been read. */
  #restAt = NOWHERE
  /** Where a message of version, time and so on begins. */
  #infoAt = NOWHERE
  #hasInfo = false
  #version = 0
  #isDeleted = false
  #stamp = Number.NaN

  /** As the block has it. */
  get message(): Uint8Array {
    return bytesBetween(this.#start, this.#end)
  }

  /** Where its message begins and ends in the block. */
  get start(): number {
    return this.#start
  }

  get end(): number {
    return this.#end
  }

  get valueIds(): Numbers {
    this.readRest()
    return this.#values
  }

  get version(): number {
    this.#readInfo()
    return this.#version
  }

  get deleted(): boolean {
    this.#readInfo()
    return this.#isDeleted
  }

  protected get stamp(): number {
    this.#readInfo()
    return this.#stamp
  }

  /** Forgets the fields of the element before. */
  protected abstract clearFields(): void
  /** A field other than id, tags and info: takes it, or passes over it. */
  protected abstract readField(tag: number, limit: number): void

  protected readHead(end: number, scale: BlockScale): void {
    this.scale = scale
    this.#start = tell()
    this.#end = end
    this.keyIds.length = 0
    let id = 0
    let at = tell()
    while (at < end) {
      const tag = readUint(end)
      if (tag === ID) id = this.readId(end)
      else if (tag === KEYS) readVarints(end, this.keyIds)
      else break
      at = tell()
    }
    this.id = checkId(id)
    this.to = this.keyIds.length
    this.#restAt = at
    // Without keys so far, they may be among the rest.
    if (this.to === 0) this.readRest()
  }

  protected readId(limit: number): number {
    return readSigned(limit)
  }

  protected readRest(): void {
    const end = this.#end
    if (this.#restAt === NOWHERE) return
    seek(this.#restAt)
    this.#restAt = NOWHERE
    this.#values.clear()
    this.#infoAt = NOWHERE
    this.#hasInfo = false
    this.clearFields()
    while (tell() < end) {
      const tag = readUint(end)
      if (tag === VALUES) readVarints(end, this.#values)
      else if (tag === INFO) this.#infoAt = skipList(end)
      else if (tag === ID) this.id = checkId(this.readId(end))
      else if (tag === KEYS) readVarints(end, this.keyIds)
      else this.readField(tag, end)
    }
    this.to = this.keyIds.length
    if (this.to !== this.#values.length) {
      const what = `an element has ${this.to} keys and ${this.#values.length} values`
      throw fault('pbf-unequal-arrays', `is damaged: ${what}`)
    }
  }

  #readInfo(): void {
    this.readRest()
    if (this.#hasInfo) return
    this.#hasInfo = true
    this.#version = 0
    this.#isDeleted = false
    this.#stamp = Number.NaN
    if (this.#infoAt === NOWHERE) return
    seek(this.#infoAt)
    const end = readLength(messageEnd())
    while (tell() < end) {
      const tag = readUint(end)
      if (tag === VERSION) this.#version = versionOf(readSigned(end))
      else if (tag === STAMP) this.#stamp = readSigned(end)
      else if (tag === VISIBLE) this.#isDeleted = readVarint(end) === 0
      else skip(tag % 8, end)
    }
  }
}
