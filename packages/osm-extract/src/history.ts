import { type BlobIndex, openPbf, type PbfFile } from './blobs.ts'
import { ByteBuffer } from './bytes.ts'
import {
  LENGTH,
  Numbers,
  openCursor,
  readLength,
  readSigned,
  readUint,
  readVarint,
  readZigzag,
  seek,
  skip,
  tell,
  VARINT,
} from './cursor.ts'
import {
  DENSE_FIELDS,
  DENSE_INFO_FIELDS,
  type DenseLists,
  newDenseLists,
  readDenseLists,
  tagStartsOf,
} from './dense-lists.ts'
import { checkId, fieldTag } from './element.ts'
import { type Origin, PbfFault } from './pbf-fault.ts'
import { placeOf } from './place-of.ts'
import { putDeltas, putField, putList, putSigned, putVarint } from './proto-out.ts'

/** A file of histories as it was at a time: its blocks hold of each element the version of then, and none that was deleted. */
export interface HistoryFile extends PbfFile {
  /** Seconds since 1970 UTC of the first and the last edit in the blocks that were read; Infinity and -Infinity without any. */
  readonly oldest: number
  readonly newest: number
}

/**
 * Opens a file that holds all versions of each element one after the other, as `Sort.Type_then_ID` promises. Of an element
 * the last version counts whose timestamp is not after the time, as with `osmium time-filter`; one without a timestamp
 * counts as older than all others. Blocks keep their strings, and lose users and changesets.
 *
 * Memory: two blocks, as the version that ends the first may be followed by another of its element in the second.
 *
 * @param at seconds since 1970 UTC
 */
export function openHistory(path: string, at: number): HistoryFile {
  const file = openPbf(path)
  let blobs: readonly BlobIndex[] | undefined
  let known: { readonly offset: number; readonly block: HistoryBlock } | undefined
  let [oldest, newest] = [Infinity, -Infinity]

  function blockOf(blob: BlobIndex): HistoryBlock {
    if (known?.offset === blob.offset) return known.block
    const block = readBlock(file.read(blob), { path, offset: blob.offset })
    known = { offset: blob.offset, block }
    return block
  }

  /** The first element after a blob, whose last one is given. */
  function following(blob: BlobIndex, last: Version | null): Version | null {
    blobs ??= file.index().filter(({ type }) => type === 'OSMData')
    for (let place = placeAfter(blobs, blob); place < blobs.length; place++) {
      const next = blobs[place]!
      const block = blockOf(next)
      if (block.count === 0) continue
      if (last !== null && isBefore(block.version(0), last)) throw notSorted({ path, offset: next.offset })
      return block.version(0)
    }
    return null
  }

  return {
    ...file,
    get oldest() {
      return oldest
    },
    get newest() {
      return newest
    },
    read(blob) {
      if (blob.type !== 'OSMData') return file.read(blob)
      const block = blockOf(blob)
      for (let i = 0; i < block.count; i++) {
        const { seconds } = block.version(i)
        if (seconds > newest) newest = seconds
        if (seconds > 0 && seconds < oldest) oldest = seconds
      }
      const next = following(blob, block.count === 0 ? null : block.version(block.count - 1))
      return block.at(at, next)
    },
  }
}

/** The place of the next of some blobs in the order of a file. */
function placeAfter(blobs: readonly BlobIndex[], { offset }: BlobIndex): number {
  let [low, high] = [0, blobs.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (blobs[middle]!.offset > offset) high = middle
    else low = middle + 1
  }
  return low
}

interface Version {
  /** The field of an element in its group: which kind it is. */
  readonly kind: number
  readonly id: number
  readonly version: number
  readonly seconds: number
}

/** In the order of `Sort.Type_then_ID` with versions. */
function isBefore(a: Version, b: Version): boolean {
  if (a.kind !== b.kind) return a.kind < b.kind
  return a.id === b.id ? a.version < b.version : placeOf(a.id) < placeOf(b.id)
}

const notSorted = (origin: Origin) =>
  new PbfFault(
    'pbf-not-sorted',
    'does not have the versions of each element in order; sort it with `osmium sort`',
    origin,
  )

/** Fields of a group: nodes, dense nodes (which are of the kind of nodes), ways, relations. */
const NODE = fieldTag(1, LENGTH)
const DENSE = fieldTag(2, LENGTH)
const WAY = fieldTag(3, LENGTH)
const RELATION = fieldTag(4, LENGTH)
const GROUP = fieldTag(2, LENGTH)
const DATE_GRANULARITY = fieldTag(18, VARINT)

/** Elements of a group: one in a message of its own, or dense nodes. */
interface Part {
  /** Number of its first element in the block. */
  readonly first: number
  readonly count: number
  /** Where its field begins and ends in the block. */
  readonly start: number
  readonly end: number
  readonly dense: DenseLists | null
}

/** A block of versions that was looked through. */
interface HistoryBlock {
  readonly count: number
  version(i: number): Version
  /** The block of the elements of a time. @param following the first element of the next block that has one */
  at(seconds: number, following: Version | null): Uint8Array
}

function readBlock(data: Uint8Array, origin: Origin): HistoryBlock {
  openCursor(data, origin)
  const groups: [start: number, end: number][] = []
  /** All of the block but its groups. */
  const rest = new ByteBuffer()
  let granularity = 1000
  while (tell() < data.length) {
    const start = tell()
    const tag = readUint(data.length)
    if (tag === GROUP) {
      const end = readLength(data.length)
      groups.push([tell(), end])
      seek(end)
      continue
    }
    if (tag === DATE_GRANULARITY) granularity = readVarint(data.length)
    else skip(tag % 8, data.length)
    rest.copy(data, start, tell())
  }
  const versions = { kinds: new Numbers(), ids: new Numbers(), versions: new Numbers(), seconds: new Numbers(), deleted: new Numbers() } // biome-ignore format: one record
  const add = (kind: number, id: number, version: number, stamp: number, isDeleted: boolean) => {
    versions.kinds.push(kind)
    versions.ids.push(checkId(id))
    versions.versions.push(version)
    versions.seconds.push((stamp * granularity) / 1000)
    versions.deleted.push(isDeleted ? 1 : 0)
  }
  const parts = groups.map(([start, end]) => {
    seek(start)
    return partsOf(end, add, () => versions.ids.length)
  })
  const { kinds, ids, seconds, deleted } = versions
  const version = (i: number): Version => ({
    kind: kinds.values[i]!,
    id: ids.values[i]!,
    version: versions.versions.values[i]!,
    seconds: seconds.values[i]!,
  })
  for (let i = 1; i < ids.length; i++) if (isBefore(version(i), version(i - 1))) throw notSorted(origin)
  return {
    count: ids.length,
    version,
    at(time, following) {
      const kept = new Uint8Array(ids.length)
      for (let i = 0; i < kept.length; i++) {
        const isThere = seconds.values[i]! <= time && deleted.values[i] === 0
        if (!isThere) continue
        const next = i + 1 < kept.length ? version(i + 1) : following
        const isSucceeded = next !== null && next.id === ids.values[i] && next.kind === kinds.values[i]
        if (!isSucceeded || next.seconds > time) kept[i] = 1
      }
      return writtenBlock(data, rest.written(), parts, kept)
    },
  }
}

type Add = (kind: number, id: number, version: number, stamp: number, isDeleted: boolean) => void

/** Reads the elements of a group up to its end. */
function partsOf(limit: number, add: Add, count: () => number): Part[] {
  const parts: Part[] = []
  while (tell() < limit) {
    const start = tell()
    const tag = readUint(limit)
    if (tag !== NODE && tag !== DENSE && tag !== WAY && tag !== RELATION) {
      skip(tag % 8, limit)
      continue
    }
    const end = readLength(limit)
    const first = count()
    const dense = tag === DENSE ? readDense(end, add) : null
    if (dense === null) readElement(tag, end, add)
    seek(end)
    parts.push({ first, count: count() - first, start, end, dense })
  }
  return parts
}

const [ID, INFO] = [fieldTag(1, VARINT), fieldTag(4, LENGTH)]
const [VERSION, STAMP, VISIBLE] = [fieldTag(1, VARINT), fieldTag(2, VARINT), fieldTag(6, VARINT)]

function readElement(kind: number, end: number, add: Add): void {
  let [id, version, stamp, isDeleted] = [0, 0, 0, false]
  while (tell() < end) {
    const tag = readUint(end)
    if (tag === ID) id = kind === NODE ? readZigzag(end) : readSigned(end)
    else if (tag === INFO) {
      const infoEnd = readLength(end)
      while (tell() < infoEnd) {
        const field = readUint(infoEnd)
        if (field === VERSION) version = readSigned(infoEnd)
        else if (field === STAMP) stamp = readSigned(infoEnd)
        else if (field === VISIBLE) isDeleted = readVarint(infoEnd) === 0
        else skip(field % 8, infoEnd)
      }
    } else skip(tag % 8, end)
  }
  add(kind, id, version, stamp, isDeleted)
}

function readDense(end: number, add: Add): DenseLists {
  const lists = newDenseLists()
  readDenseLists(end, lists)
  const { ids, versions, stamps, visible } = lists
  for (let i = 0; i < ids.length; i++) {
    const [version, stamp] = [versions, stamps].map((list) => (list.length > 0 ? list.values[i]! : 0))
    add(NODE, ids.values[i]!, version!, stamp!, visible.length > 0 && visible.values[i] === 0)
  }
  return lists
}

/** A block of the elements that are kept. @param rest its other fields */
function writtenBlock(data: Uint8Array, rest: Uint8Array, groups: readonly Part[][], kept: Uint8Array): Uint8Array {
  const [block, group] = [new ByteBuffer(), new ByteBuffer()]
  block.copy(rest)
  for (const parts of groups) {
    group.length = 0
    for (const { first, count, start, end, dense } of parts) {
      const some = kept.subarray(first, first + count)
      if (some.every((one) => one === 1)) group.copy(data, start, end)
      else if (dense !== null && some.includes(1)) putField(group, DENSE, denseOf(dense, some))
    }
    if (group.length > 0) putField(block, GROUP, group.written())
  }
  return block.take()
}

function denseOf(lists: DenseLists, kept: Uint8Array): Uint8Array {
  const places: number[] = []
  for (const [i, one] of kept.entries()) if (one === 1) places.push(i)
  const out = new ByteBuffer()
  const deltas = (to: ByteBuffer, tag: number, list: Numbers) =>
    putDeltas(to, tag, list.length === 0 ? [] : places.map((place) => list.values[place]!))
  const { ids, latitudes, longitudes, versions, stamps } = lists
  deltas(out, DENSE_FIELDS.ids, ids)
  const info = new ByteBuffer()
  if (versions.length > 0)
    putList(info, DENSE_INFO_FIELDS.versions, places.length, (list, i) => putSigned(list, versions.values[places[i]!]!))
  deltas(info, DENSE_INFO_FIELDS.stamps, stamps)
  putField(out, DENSE_FIELDS.info, info.written())
  deltas(out, DENSE_FIELDS.latitudes, latitudes)
  deltas(out, DENSE_FIELDS.longitudes, longitudes)
  const words = keptTags(lists, places)
  putList(out, DENSE_FIELDS.tags, words.length, (list, i) => putVarint(list, words[i]!))
  return out.take()
}

/** Those of some nodes, with a zero after each. */
function keptTags(lists: DenseLists, places: readonly number[]): number[] {
  const { values, length } = lists.tags
  const starts = tagStartsOf(lists)
  return length === 0 ? [] : places.flatMap((i) => [...values.subarray(starts[i]!, starts[i + 1] ?? length)])
}

/**
 * @param at the time asked for, and when the newest edit was made that the history files have
 * @returns what is to be said where they may end before that time; null where they do not
 */
export const lateWarning = (at: string | null, newestEdit: string | null): string | null =>
  at === null || newestEdit === null || at <= newestEdit
    ? null
    : `The map of ${at} was asked for, and the newest edit in the history files is of ${newestEdit}: if they end there, later edits are missing.`
