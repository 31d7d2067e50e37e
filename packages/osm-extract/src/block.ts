import {
  fault,
  LENGTH,
  Numbers,
  openCursor,
  readDeltas,
  readLength,
  readSigned,
  readUint,
  readVarint,
  readVarints,
  seek,
  skimmed,
  skimWay,
  skip,
  tell,
  VARINT,
} from './cursor.ts'
import { type BlockScale, fieldTag, MessageElement, NOWHERE, readListAt, skipList, toDegrees7 } from './element.ts'
import { DenseNodes, type NodeGroup, PlainNode } from './nodes.ts'
import type { Origin } from './pbf-fault.ts'
import { type KeyAnswers, StringTable } from './strings.ts'

/** What is handed over is filled again for the next element: take what is needed before returning. */
export interface BlockVisitor {
  nodes?(nodes: NodeGroup): void
  way?(way: Way): void
  /** Lets ways be passed over that need not be looked at. */
  readonly skim?: WaySkim
  relation?(relation: Relation): void
}

/** Most ways of a selection are told by their id and keys, without anything being made of them. */
export interface WaySkim {
  /** A way is visited that has a key whose value needs a look. */
  readonly keys: KeyAnswers<object>
  /** Whether a way is visited whatever its keys. */
  isNeeded(id: number): boolean
  /** Called for each way that isn't visited. @param lowest of the numbers that its keys have, where it has keys */
  passOver(isTagged: boolean, lowest: number): void
}

const REFS = fieldTag(8, LENGTH)
const LATITUDES = fieldTag(9, LENGTH)
const LONGITUDES = fieldTag(10, LENGTH)

export class Way extends MessageElement {
  readonly #refs = new Numbers()
  readonly #longitudes = new Numbers()
  readonly #latitudes = new Numbers()
  #refsAt = NOWHERE
  #latitudesAt = NOWHERE
  #longitudesAt = NOWHERE

  /** Whether the file has LocationsOnWays. */
  get isLocated(): boolean {
    this.readRest()
    return this.#latitudesAt !== NOWHERE || this.#longitudesAt !== NOWHERE
  }

  /** The ids of its nodes. */
  refs(): Numbers {
    this.readRest()
    readListAt(readDeltas, this.#refsAt, this.#refs)
    return this.#refs
  }

  /** Places of its nodes where it `isLocated`, in 1e-7 degree; after `refs`. */
  locations(): { longitudes: Numbers; latitudes: Numbers } {
    const [longitudes, latitudes, { length }] = [this.#longitudes, this.#latitudes, this.#refs]
    readListAt(readDeltas, this.#longitudesAt, longitudes)
    readListAt(readDeltas, this.#latitudesAt, latitudes)
    if (latitudes.length !== length || longitudes.length !== length)
      throw fault('pbf-unequal-arrays', 'is damaged: a way has unequal numbers of nodes and locations')
    const { granularity, latitudeOffset, longitudeOffset } = this.scale
    toDegrees7(latitudes, granularity, latitudeOffset)
    toDegrees7(longitudes, granularity, longitudeOffset)
    return { longitudes, latitudes }
  }

  read(end: number, scale: BlockScale): this {
    this.readHead(end, scale)
    return this
  }

  protected clearFields(): void {
    this.#refsAt = NOWHERE
    this.#latitudesAt = NOWHERE
    this.#longitudesAt = NOWHERE
  }

  protected readField(tag: number, limit: number): void {
    if (tag === REFS) this.#refsAt = skipList(limit)
    else if (tag === LATITUDES) this.#latitudesAt = skipList(limit)
    else if (tag === LONGITUDES) this.#longitudesAt = skipList(limit)
    else skip(tag % 8, limit)
  }
}

const MEMBERS = fieldTag(9, LENGTH)
const TYPES = fieldTag(10, LENGTH)
const WAY_TYPE = 1

export class Relation extends MessageElement {
  readonly #members = new Numbers()
  readonly #types = new Numbers()
  #membersAt = NOWHERE
  #typesAt = NOWHERE

  /** Ids of its members and their types: 0 node, 1 way, 2 relation. */
  members(): { ids: Numbers; types: Numbers } {
    this.readRest()
    const [ids, types] = [this.#members, this.#types]
    readListAt(readDeltas, this.#membersAt, ids)
    readListAt(readVarints, this.#typesAt, types)
    if (ids.length !== types.length)
      throw fault('pbf-unequal-arrays', 'is damaged: a relation has unequal numbers of members and types')
    return { ids, types }
  }

  /** Its member ways, each once, in the file's order. */
  ways(): Set<number> {
    const { ids, types } = this.members()
    const ways = new Set<number>()
    for (let i = 0; i < ids.length; i++) if (types.values[i] === WAY_TYPE) ways.add(ids.values[i]!)
    return ways
  }

  read(end: number, scale: BlockScale): this {
    this.readHead(end, scale)
    return this
  }

  protected clearFields(): void {
    this.#membersAt = NOWHERE
    this.#typesAt = NOWHERE
  }

  protected readField(tag: number, limit: number): void {
    if (tag === MEMBERS) this.#membersAt = skipList(limit)
    else if (tag === TYPES) this.#typesAt = skipList(limit)
    else skip(tag % 8, limit)
  }
}

export const NODES = 1
export const WAYS = 2
export const RELATIONS = 4

const STRINGS = fieldTag(1, LENGTH)
const GROUP = fieldTag(2, LENGTH)
const GRANULARITY = fieldTag(17, VARINT)
const DATE_GRANULARITY = fieldTag(18, VARINT)
const LATITUDE_OFFSET = fieldTag(19, VARINT)
const LONGITUDE_OFFSET = fieldTag(20, VARINT)

/**
 * Visits the elements of an uncompressed PrimitiveBlock (osmformat.proto).
 *
 * @returns the kinds of elements that the block holds, NODES | WAYS | RELATIONS
 * @throws PbfFault
 */
export function visitBlock(data: Uint8Array, origin: Origin, visitor: BlockVisitor): number {
  openCursor(data, origin)
  const groups = new Numbers()
  const scale = { dateGranularity: 1000, granularity: 100, latitudeOffset: 0, longitudeOffset: 0 }
  let strings = new StringTable(data, new Int32Array(0))
  while (tell() < data.length) {
    const tag = readUint(data.length)
    if (tag === STRINGS) strings = readStrings(data, readLength(data.length))
    else if (tag === GROUP) {
      const end = readLength(data.length)
      groups.push(tell())
      groups.push(end)
      seek(end)
    } else if (tag === GRANULARITY) scale.granularity = readVarint(data.length)
    else if (tag === DATE_GRANULARITY) scale.dateGranularity = readVarint(data.length)
    else if (tag === LATITUDE_OFFSET) scale.latitudeOffset = readSigned(data.length)
    else if (tag === LONGITUDE_OFFSET) scale.longitudeOffset = readSigned(data.length)
    else skip(tag % 8, data.length)
  }
  let kinds = 0
  for (let i = 0; i < groups.length; i += 2) {
    seek(groups.values[i]!)
    kinds |= visitGroup(groups.values[i + 1]! | 0, { ...scale, strings }, visitor)
  }
  return kinds
}

const ranges = new Numbers()

function readStrings(data: Uint8Array, limit: number): StringTable {
  ranges.clear()
  while (tell() < limit) {
    const tag = readUint(limit)
    if (tag !== fieldTag(1, LENGTH)) {
      skip(tag % 8, limit)
      continue
    }
    const end = readLength(limit)
    ranges.push(tell())
    ranges.push(end)
    seek(end)
  }
  return new StringTable(data, new Int32Array(ranges.values.subarray(0, ranges.length)))
}

const NODE = fieldTag(1, LENGTH)
const DENSE = fieldTag(2, LENGTH)
const WAY = fieldTag(3, LENGTH)
const RELATION = fieldTag(4, LENGTH)

const node = new PlainNode()
const denseNodes = new DenseNodes()
const way = new Way()
const relation = new Relation()

function visitGroup(limit: number, scale: BlockScale, visitor: BlockVisitor): number {
  const { nodes, way: visitWay, relation: visitRelation, skim } = visitor
  const settled = skim?.keys.settledIn(scale.strings)
  let kinds = 0
  while (tell() < limit) {
    const tag = readUint(limit)
    if (tag !== NODE && tag !== DENSE && tag !== WAY && tag !== RELATION) {
      skip(tag % 8, limit)
      continue
    }
    const end = readLength(limit)
    if (tag === WAY) {
      kinds |= WAYS
      if (settled && skimWay(end, settled) && !skim!.isNeeded(skimmed.id))
        skim!.passOver(skimmed.isTagged, skimmed.lowest)
      else if (visitWay) visitWay(way.read(end, scale))
    } else if (tag === RELATION) {
      kinds |= RELATIONS
      if (visitRelation) visitRelation(relation.read(end, scale))
    } else {
      kinds |= NODES
      if (nodes) nodes(tag === DENSE ? denseNodes.read(end, scale) : node.read(end, scale))
    }
    seek(end)
  }
  return kinds
}
