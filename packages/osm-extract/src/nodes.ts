import {
  byteAt,
  bytesBetween,
  countVarints,
  fault,
  LENGTH,
  Numbers,
  readDeltas,
  readIntegers,
  readLength,
  readUint,
  readVarints,
  readZigzag,
  skip,
  tell,
  VARINT,
} from './cursor.ts'
import {
  type BlockScale,
  Element,
  fieldTag,
  MessageElement,
  NOWHERE,
  readListAt,
  toDegrees7,
  versionOf,
} from './element.ts'

/** Some nodes of a block. Places in 1e-7 degree. */
export interface NodeGroup extends Element {
  readonly ids: Numbers
  readonly longitudes: Numbers
  readonly latitudes: Numbers
  readonly count: number
  /** As the block has it: DenseNodes, or Node. */
  readonly message: Uint8Array
  isDeletedAt(i: number): boolean
  /** 0 where the file has none. */
  versionAt(i: number): number
  /** Since 1970 UTC; NaN where the file has none. */
  secondsAt(i: number): number
  /** Visits the nodes that have tags; the group is the element then. */
  forEachTagged(visit: (i: number) => void): void
}

const IDS = fieldTag(1, LENGTH)
const INFO = fieldTag(5, LENGTH)
const LATITUDES = fieldTag(8, LENGTH)
const LONGITUDES = fieldTag(9, LENGTH)
const TAGS = fieldTag(10, LENGTH)
const VERSIONS = fieldTag(1, LENGTH)
const STAMPS = fieldTag(2, LENGTH)
const VISIBLE = fieldTag(6, LENGTH)

/** All of a group of dense nodes. */
export class DenseNodes extends Element implements NodeGroup {
  readonly ids = new Numbers()
  readonly longitudes = new Numbers()
  readonly latitudes = new Numbers()
  /** Key, value, key, value and so on of a node, and a zero after each node. */
  readonly keyIds = new Numbers()
  readonly valueIds = this.keyIds
  override readonly step = 2
  override readonly valueShift = 1
  readonly #versions = new Numbers()
  readonly #stamps = new Numbers()
  readonly #visible = new Numbers()
  #versionsAt = NOWHERE
  #stampsAt = NOWHERE
  #firstVersion = NOWHERE
  #hasVersions = false
  #hasStamps = false
  /** Lengths of the lists that are not read yet. */
  readonly #infoCounts: number[] = []
  #current = 0
  #start = 0
  #end = 0

  get count(): number {
    return this.ids.length
  }

  get message(): Uint8Array {
    return bytesBetween(this.#start, this.#end)
  }

  get version(): number {
    return this.versionAt(this.#current)
  }

  versionAt(i: number): number {
    // Nearly all versions are of one byte, so that each can be found without those before it.
    if (this.#firstVersion !== NOWHERE) return byteAt(this.#firstVersion + i) & 0x7f
    this.#readVersions()
    return this.#versions.length === 0 ? 0 : versionOf(this.#versions.values[i]!)
  }

  get deleted(): boolean {
    return this.isDeletedAt(this.#current)
  }

  protected get stamp(): number {
    this.#readStamps()
    return this.#stamps.length === 0 ? Number.NaN : this.#stamps.values[this.#current]!
  }

  secondsAt(i: number): number {
    this.#current = i
    return this.seconds
  }

  isDeletedAt(i: number): boolean {
    return this.#visible.length > 0 && this.#visible.values[i] === 0
  }

  forEachTagged(visit: (i: number) => void): void {
    const { values, length } = this.keyIds
    if (length === 0) return
    const { count } = this
    let at = 0
    for (let i = 0; i < count; i++, at++) {
      if (at >= length) throw fault('pbf-unequal-arrays', 'is damaged: the tags of its dense nodes end early')
      if (values[at] === 0) continue
      this.from = at
      while (at < length && values[at] !== 0) at += 2
      if (at > length) throw fault('pbf-unequal-arrays', 'is damaged: a dense node has a key without a value')
      if (at === length) throw fault('pbf-unequal-arrays', 'is damaged: the tags of its dense nodes end early')
      this.to = at
      this.#current = i
      visit(i)
    }
  }

  read(end: number, scale: BlockScale): this {
    this.scale = scale
    this.#start = tell()
    this.#end = end
    for (const list of [this.ids, this.latitudes, this.longitudes, this.keyIds, this.#visible]) list.clear()
    this.#versionsAt = NOWHERE
    this.#stampsAt = NOWHERE
    this.#firstVersion = NOWHERE
    this.#hasVersions = false
    this.#hasStamps = false
    this.#infoCounts.length = 0
    while (tell() < end) {
      const tag = readUint(end)
      if (tag === IDS) readDeltas(end, this.ids)
      else if (tag === INFO) this.#readInfo(readLength(end))
      else if (tag === LATITUDES) readDeltas(end, this.latitudes)
      else if (tag === LONGITUDES) readDeltas(end, this.longitudes)
      else if (tag === TAGS) readVarints(end, this.keyIds)
      else skip(tag % 8, end)
    }
    if (this.latitudes.length !== this.count || this.longitudes.length !== this.count) this.#refuseLengths()
    for (const count of [this.#visible.length, ...this.#infoCounts])
      if (count !== this.count && count !== 0) this.#refuseLengths()
    toDegrees7(this.latitudes, scale.granularity, scale.latitudeOffset)
    toDegrees7(this.longitudes, scale.granularity, scale.longitudeOffset)
    return this
  }

  #readInfo(limit: number): void {
    while (tell() < limit) {
      const tag = readUint(limit)
      const at = tell()
      if (tag === VERSIONS) this.#versionsAt = at
      else if (tag === STAMPS) this.#stampsAt = at
      if (tag === VERSIONS || tag === STAMPS) {
        const end = readLength(limit)
        const bytes = end - tell()
        if (tag === VERSIONS) this.#firstVersion = bytes === this.count ? tell() : NOWHERE
        this.#infoCounts.push(countVarints(end))
      } else if (tag === VISIBLE) readVarints(limit, this.#visible)
      else skip(tag % 8, limit)
    }
  }

  #readVersions(): void {
    if (this.#hasVersions) return
    this.#hasVersions = true
    readListAt(readIntegers, this.#versionsAt, this.#versions)
  }

  /** Of most blocks nobody asks. */
  #readStamps(): void {
    if (this.#hasStamps) return
    this.#hasStamps = true
    readListAt(readDeltas, this.#stampsAt, this.#stamps)
  }

  #refuseLengths(): never {
    throw fault('pbf-unequal-arrays', 'is damaged: the arrays of its dense nodes have unequal lengths')
  }
}

const LATITUDE = fieldTag(8, VARINT)
const LONGITUDE = fieldTag(9, VARINT)

/** One node in a message of its own. */
export class PlainNode extends MessageElement implements NodeGroup {
  readonly ids = new Numbers()
  readonly longitudes = new Numbers()
  readonly latitudes = new Numbers()
  readonly count = 1

  isDeletedAt(): boolean {
    return this.deleted
  }

  versionAt(): number {
    return this.version
  }

  secondsAt(): number {
    return this.seconds
  }

  forEachTagged(visit: (i: number) => void): void {
    if (this.tagCount > 0) visit(0)
  }

  read(end: number, scale: BlockScale): this {
    this.readHead(end, scale)
    this.readRest()
    this.ids.clear()
    this.ids.push(this.id)
    toDegrees7(this.latitudes, scale.granularity, scale.latitudeOffset)
    toDegrees7(this.longitudes, scale.granularity, scale.longitudeOffset)
    return this
  }

  protected clearFields(): void {
    for (const list of [this.latitudes, this.longitudes]) {
      list.clear()
      list.push(0)
    }
  }

  protected override readId(limit: number): number {
    return readZigzag(limit)
  }

  protected readField(tag: number, limit: number): void {
    if (tag === LATITUDE) this.latitudes.values[0] = readZigzag(limit)
    else if (tag === LONGITUDE) this.longitudes.values[0] = readZigzag(limit)
    else skip(tag % 8, limit)
  }
}
