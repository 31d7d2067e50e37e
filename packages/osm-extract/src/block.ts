import {
  fault,
  LENGTH,
  Numbers,
  openCursor,
  readLength,
  readMessage,
  readPacked,
  readSigned,
  readVarint,
  readZigzag,
  seek,
  tell,
  VARINT,
} from './cursor.ts'
import { isoSeconds } from './header.ts'
import type { Origin } from './pbf-fault.ts'
import type { TagRules } from './tag-rules.ts'

/** Positions are integers of 1e-7 degree, OSM's own precision. */
export interface BlockVisitor {
  node?(id: number, longitude: number, latitude: number, element: Element): void
  /** `refs` is filled again for the next way; `locations` where the file has LocationsOnWays. */
  way?(id: number, refs: Numbers, locations: { longitudes: Numbers; latitudes: Numbers } | null, element: Element): void
  /** `members` and `types` (0 node, 1 way, 2 relation) are filled again for the next relation. */
  relation?(id: number, members: Numbers, types: Numbers, element: Element): void
}

/** Tags and history of the element being visited; read them before returning. */
export interface Element {
  readonly tagCount: number
  /** Keys and values in the file's order; strings are decoded at first use. */
  tags(): [string, string][]
  /** Whether any tag is meant by the rules; most elements are told apart without a string being decoded. */
  hasTag(rules: TagRules): boolean
  /** 0 where the file has none. */
  readonly version: number
  /** Marked as no longer visible, as extracts of changes and histories have it. */
  readonly deleted: boolean
  timestamp(): string | null
}

export const NODES = 1
export const WAYS = 2
export const RELATIONS = 4

/** Field numbers of PrimitiveGroup. */
const KIND_OF_FIELD: Readonly<Record<number, number>> = { 1: NODES, 2: NODES, 3: WAYS, 4: RELATIONS }

const keys = new Numbers()
const values = new Numbers()
const refs = new Numbers()
const types = new Numbers()
const longitudes = new Numbers()
const latitudes = new Numbers()
const ids = new Numbers()
const versions = new Numbers()
const timestamps = new Numbers()
const visible = new Numbers()

/**
 * Visits the elements of an uncompressed PrimitiveBlock (osmformat.proto).
 *
 * @returns the kinds of elements that the block holds, NODES | WAYS | RELATIONS
 * @throws PbfFault
 */
export function visitBlock(data: Uint8Array, origin: Origin, visitor: BlockVisitor): number {
  openCursor(data, origin)
  const groups = new Numbers()
  let strings = new StringTable(data, new Numbers())
  let [granularity, dateGranularity, latitudeOffset, longitudeOffset] = [100, 1000, 0, 0]
  readMessage(data.length, (field, wire, limit) => {
    if (field === 1 && wire === LENGTH) strings = readStrings(data, readLength(limit))
    else if (field === 2 && wire === LENGTH) {
      const end = readLength(limit)
      groups.push(tell())
      groups.push(end)
      seek(end)
    } else if (field === 17 && wire === VARINT) granularity = readVarint(limit)
    else if (field === 18 && wire === VARINT) dateGranularity = readVarint(limit)
    else if (field === 19 && wire === VARINT) latitudeOffset = readSigned(limit)
    else if (field === 20 && wire === VARINT) longitudeOffset = readSigned(limit)
    else return false
    return true
  })
  const block: Block = {
    strings,
    dateGranularity,
    // Nanodegrees to OSM's 1e-7 degree.
    latitude: (value) => Math.round((latitudeOffset + granularity * value) / 100),
    longitude: (value) => Math.round((longitudeOffset + granularity * value) / 100),
  }
  let kinds = 0
  for (let i = 0; i < groups.length; i += 2) {
    seek(groups.values[i]!)
    readMessage(groups.values[i + 1]!, (field, wire, limit) => {
      const kind = KIND_OF_FIELD[field]
      if (kind === undefined || wire !== LENGTH) return false
      kinds |= kind
      const reader =
        field === 1
          ? visitor.node && readNode
          : field === 2
            ? visitor.node && readDense
            : field === 3
              ? visitor.way && readWay
              : visitor.relation && readRelation
      if (!reader) return false
      reader(readLength(limit), block, visitor)
      return true
    })
  }
  return kinds
}

interface Block {
  readonly strings: StringTable
  readonly dateGranularity: number
  latitude(value: number): number
  longitude(value: number): number
}

/** Strings of a block, decoded when asked for: most are never needed. */
class StringTable {
  readonly #data: Uint8Array
  /** Start and end of each string. */
  readonly #ranges: Numbers
  readonly #decoded: (string | undefined)[] = []
  #rules: TagRules | undefined
  /** What the rules say of a string as a key; null where they don't know it. */
  #ruleOf: (true | ReadonlySet<string> | null | undefined)[] = []

  constructor(data: Uint8Array, ranges: Numbers) {
    this.#data = data
    this.#ranges = ranges
  }

  get(index: number): string {
    const known = this.#decoded[index]
    if (known !== undefined) return known
    if (index * 2 >= this.#ranges.length)
      throw fault('pbf-bad-string-id', `is damaged: a tag refers to string ${index} of ${this.#ranges.length / 2}`)
    const [start, end] = [this.#ranges.values[2 * index]!, this.#ranges.values[2 * index + 1]!]
    const text = Buffer.from(this.#data.buffer, this.#data.byteOffset + start, end - start).toString('utf8')
    this.#decoded[index] = text
    return text
  }

  isMeant(rules: TagRules, key: number, value: number): boolean {
    if (rules !== this.#rules) {
      this.#rules = rules
      this.#ruleOf = []
    }
    let values = this.#ruleOf[key]
    if (values === undefined) this.#ruleOf[key] = values = rules.get(this.get(key)) ?? null
    return values !== null && (values === true || values.has(this.get(value)))
  }
}

function readStrings(data: Uint8Array, limit: number): StringTable {
  const ranges = new Numbers()
  readMessage(limit, (field, wire, end) => {
    if (field !== 1 || wire !== LENGTH) return false
    const stop = readLength(end)
    ranges.push(tell())
    ranges.push(stop)
    seek(stop)
    return true
  })
  return new StringTable(data, ranges)
}

/** Tags in parallel arrays of string ids from `from` to `to`; in dense nodes keys and values alternate. */
class BlockElement implements Element {
  strings: StringTable = new StringTable(new Uint8Array(0), new Numbers())
  dateGranularity = 1000
  keyIds: Numbers = keys
  valueIds: Numbers = values
  from = 0
  to = 0
  step = 1
  valueShift = 0
  version = 0
  deleted = false
  stamp = Number.NaN

  get tagCount(): number {
    return (this.to - this.from) / this.step
  }

  tags(): [string, string][] {
    const tags: [string, string][] = []
    for (let i = this.from; i < this.to; i += this.step) {
      tags.push([
        this.strings.get(this.keyIds.values[i]!),
        this.strings.get(this.valueIds.values[i + this.valueShift]!),
      ])
    }
    return tags
  }

  hasTag(rules: TagRules): boolean {
    const { strings, from, to, step, valueShift } = this
    const [keys, values] = [this.keyIds.values, this.valueIds.values]
    for (let i = from; i < to; i += step) if (strings.isMeant(rules, keys[i]!, values[i + valueShift]!)) return true
    return false
  }

  timestamp(): string | null {
    // Zero stands for "not recorded" in files written without history.
    return Number.isNaN(this.stamp) || this.stamp === 0 ? null : isoSeconds((this.stamp * this.dateGranularity) / 1000)
  }

  reset(block: Block): this {
    this.strings = block.strings
    this.dateGranularity = block.dateGranularity
    this.keyIds = keys
    this.valueIds = values
    keys.clear()
    values.clear()
    this.from = 0
    this.to = 0
    this.step = 1
    this.valueShift = 0
    this.version = 0
    this.deleted = false
    this.stamp = Number.NaN
    return this
  }
}

const element = new BlockElement()

/** Fields 2, 3 and 4, which nodes, ways and relations share. */
function readCommon(field: number, wire: number, limit: number): boolean {
  if (wire !== LENGTH) return false
  if (field === 2) readPacked('varint', limit, keys)
  else if (field === 3) readPacked('varint', limit, values)
  else if (field === 4) readInfo(readLength(limit))
  else return false
  return true
}

function readInfo(limit: number): void {
  readMessage(limit, (field, wire, end) => {
    if (field === 1 && wire === VARINT) element.version = versionOf(readSigned(end))
    else if (field === 2 && wire === VARINT) element.stamp = readSigned(end)
    else if (field === 6 && wire === VARINT) element.deleted = readVarint(end) === 0
    else return false
    return true
  })
}

/** -1 stands for "not recorded". */
const versionOf = (value: number): number => (value > 0 && value <= 0x7fffffff ? value : 0)

function finishTags(): void {
  if (keys.length !== values.length)
    throw fault('pbf-unequal-arrays', `is damaged: an element has ${keys.length} keys and ${values.length} values`)
  element.to = keys.length
}

function checkId(id: number): number {
  if (!Number.isSafeInteger(id)) throw fault('pbf-bad-id', 'is damaged: an id is beyond 2^53')
  return id
}

function readNode(end: number, block: Block, visitor: BlockVisitor): void {
  element.reset(block)
  let [id, latitude, longitude] = [0, 0, 0]
  readMessage(end, (field, wire, limit) => {
    if (field === 1 && wire === VARINT) id = readZigzag(limit)
    else if (field === 8 && wire === VARINT) latitude = readZigzag(limit)
    else if (field === 9 && wire === VARINT) longitude = readZigzag(limit)
    else return readCommon(field, wire, limit)
    return true
  })
  finishTags()
  visitor.node!(checkId(id), block.longitude(longitude), block.latitude(latitude), element)
}

function readDense(end: number, block: Block, visitor: BlockVisitor): void {
  element.reset(block)
  for (const list of [ids, latitudes, longitudes, versions, timestamps, visible]) list.clear()
  readMessage(end, (field, wire, limit) => {
    if (wire !== LENGTH) return false
    if (field === 1) readPacked('zigzag-delta', limit, ids)
    else if (field === 5) readDenseInfo(readLength(limit))
    else if (field === 8) readPacked('zigzag-delta', limit, latitudes)
    else if (field === 9) readPacked('zigzag-delta', limit, longitudes)
    else if (field === 10) readPacked('varint', limit, keys)
    else return false
    return true
  })
  const unequal = (list: Numbers) => list.length !== ids.length && list.length !== 0
  if (
    latitudes.length !== ids.length ||
    longitudes.length !== ids.length ||
    unequal(versions) ||
    unequal(timestamps) ||
    unequal(visible)
  ) {
    throw fault('pbf-unequal-arrays', 'is damaged: the arrays of its dense nodes have unequal lengths')
  }
  element.valueIds = keys
  element.step = 2
  element.valueShift = 1
  let next = 0
  for (let i = 0; i < ids.length; i++) {
    element.from = next
    while (next < keys.length && keys.values[next] !== 0) next += 2
    if (next > keys.length) throw fault('pbf-unequal-arrays', 'is damaged: a dense node has a key without a value')
    element.to = next
    if (keys.length > 0) {
      if (next >= keys.length) throw fault('pbf-unequal-arrays', 'is damaged: the tags of its dense nodes end early')
      next++
    }
    element.version = versions.length === 0 ? 0 : versionOf(versions.values[i]!)
    element.deleted = visible.length > 0 && visible.values[i] === 0
    element.stamp = timestamps.length === 0 ? Number.NaN : timestamps.values[i]!
    visitor.node!(
      checkId(ids.values[i]!),
      block.longitude(longitudes.values[i]!),
      block.latitude(latitudes.values[i]!),
      element,
    )
  }
}

function readDenseInfo(limit: number): void {
  readMessage(limit, (field, wire, end) => {
    if (wire !== LENGTH) return false
    if (field === 1) readPacked('signed', end, versions)
    else if (field === 2) readPacked('zigzag-delta', end, timestamps)
    else if (field === 6) readPacked('varint', end, visible)
    else return false
    return true
  })
}

function readWay(end: number, block: Block, visitor: BlockVisitor): void {
  element.reset(block)
  let id = 0
  for (const list of [refs, latitudes, longitudes]) list.clear()
  readMessage(end, (field, wire, limit) => {
    if (field === 1 && wire === VARINT) id = readSigned(limit)
    else if (field === 8 && wire === LENGTH) readPacked('zigzag-delta', limit, refs)
    else if (field === 9 && wire === LENGTH) readPacked('zigzag-delta', limit, latitudes)
    else if (field === 10 && wire === LENGTH) readPacked('zigzag-delta', limit, longitudes)
    else return readCommon(field, wire, limit)
    return true
  })
  finishTags()
  const located = latitudes.length > 0 || longitudes.length > 0
  if (located && (latitudes.length !== refs.length || longitudes.length !== refs.length)) {
    throw fault('pbf-unequal-arrays', 'is damaged: a way has unequal numbers of nodes and locations')
  }
  for (let i = 0; i < latitudes.length; i++) {
    latitudes.values[i] = block.latitude(latitudes.values[i]!)
    longitudes.values[i] = block.longitude(longitudes.values[i]!)
  }
  visitor.way!(checkId(id), refs, located ? { longitudes, latitudes } : null, element)
}

function readRelation(end: number, block: Block, visitor: BlockVisitor): void {
  element.reset(block)
  let id = 0
  refs.clear()
  types.clear()
  readMessage(end, (field, wire, limit) => {
    if (field === 1 && wire === VARINT) id = readSigned(limit)
    else if (field === 9 && wire === LENGTH) readPacked('zigzag-delta', limit, refs)
    else if (field === 10 && wire === LENGTH) readPacked('varint', limit, types)
    else return readCommon(field, wire, limit)
    return true
  })
  finishTags()
  if (refs.length !== types.length)
    throw fault('pbf-unequal-arrays', 'is damaged: a relation has unequal numbers of members and types')
  visitor.relation!(checkId(id), refs, types, element)
}
