import {
  LENGTH,
  Numbers,
  openCursor,
  readLength,
  readSigned,
  readUint,
  readVarint,
  readVarints,
  readZigzag,
  skip,
  tell,
  VARINT,
} from '../cursor.ts'
import { newDenseLists, readDenseLists, tagStartsOf, unequalLists } from '../dense-lists.ts'
import { type BlockScale, fieldTag, toDegrees7 } from '../element.ts'
import type { Origin } from '../pbf-fault.ts'

/** All that is said of some nodes, by column: places in 1e-7 degree; what is not recorded is 0. */
export interface NodeTable {
  readonly ids: Float64Array
  readonly latitudes: Float64Array
  readonly longitudes: Float64Array
  readonly versions: Float64Array
  /** Since 1970 UTC. */
  readonly seconds: Float64Array
  readonly changesets: Float64Array
  readonly uids: Float64Array
  /** Numbers of strings. */
  readonly users: Float64Array
  /** Numbers of strings: of each node key, value, key, value and so on, and a zero. */
  readonly tags: Float64Array
  /** Where those of each node begin. */
  readonly tagStarts: Int32Array
}

/** A group of nodes as a block has it: a message DenseNodes, or Node. */
export interface NodeMessage {
  readonly bytes: Uint8Array
  readonly isDense: boolean
  readonly scale: BlockScale
}

/**
 * The nodes of a block's groups, without those that are marked as deleted; until those of the next block are read.
 *
 * @throws PbfFault
 */
export function readNodeTable(groups: readonly NodeMessage[], origin: Origin): NodeTable {
  if (groups.length === 1) return readGroup(groups[0]!, origin)
  const tables = groups.map((message) => {
    const columns = Object.entries(readGroup(message, origin)).map(([name, values]) => [name, values.slice()])
    return Object.fromEntries(columns) as NodeTable
  })
  const joined = (name: keyof Columns) => {
    const all = new Float64Array(tables.reduce((sum, table) => sum + table[name].length, 0))
    let at = 0
    for (const table of tables) {
      all.set(table[name], at)
      at += table[name].length
    }
    return all
  }
  let before = 0
  const tagStarts = tables.flatMap(({ tagStarts, tags }) => {
    const starts = Array.from(tagStarts, (start) => start + before)
    before += tags.length
    return starts
  })
  const all = Object.fromEntries([...EACH, 'tags' as const].map((name) => [name, joined(name)]))
  return { ...(all as unknown as Omit<NodeTable, 'tagStarts'>), tagStarts: Int32Array.from(tagStarts) }
}

type Columns = Omit<NodeTable, 'tagStarts'>

const EACH = ['ids', 'latitudes', 'longitudes', 'versions', 'seconds', 'changesets', 'uids', 'users'] as const

/** Filled again for each group. */
const lists = newDenseLists()

function readGroup({ bytes, isDense, scale }: NodeMessage, origin: Origin): NodeTable {
  openCursor(bytes, origin)
  if (isDense) readDenseLists(bytes.length, lists)
  else readPlain(bytes.length)
  const { ids, latitudes, longitudes, versions, stamps, changesets, uids, users, visible, tags } = lists
  const { length } = ids
  for (const info of [versions, stamps, changesets, uids, users]) {
    if (info.length === 0) info.room(length).fill(0, 0, length)
    info.length = length
  }
  for (let i = 0; i < length; i++) versions.values[i] = Math.max(0, versions.values[i]!)
  toDegrees7(latitudes, scale.granularity, scale.latitudeOffset)
  toDegrees7(longitudes, scale.granularity, scale.longitudeOffset)
  if (scale.dateGranularity !== 1000)
    for (let i = 0; i < length; i++) stamps.values[i] = Math.round((stamps.values[i]! * scale.dateGranularity) / 1000)
  if (tags.length === 0) {
    tags.room(length).fill(0, 0, length)
    tags.length = length
  }
  const tagStarts = tagStartsOf(lists)
  const kept = visible.values.subarray(0, visible.length).includes(0)
    ? (_: unknown, i: number) => visible.values[i] === 1
    : null
  const column = ({ values }: Numbers) => {
    const all = values.subarray(0, length)
    return kept === null ? all : all.filter(kept)
  }
  return {
    ids: column(ids),
    latitudes: column(latitudes),
    longitudes: column(longitudes),
    versions: column(versions),
    seconds: column(stamps),
    changesets: column(changesets),
    uids: column(uids),
    users: column(users),
    tags: tags.values.subarray(0, tags.length),
    tagStarts: kept === null ? tagStarts : tagStarts.filter(kept),
  }
}

const INFO = ['versions', 'stamps', 'changesets', 'uids', 'users'] as const

/** A message Node, into lists of one. */
function readPlain(end: number): void {
  for (const list of Object.values(lists)) list.clear()
  for (const name of ['ids', 'latitudes', 'longitudes', ...INFO] as const) lists[name].push(0)
  const [keys, values] = [new Numbers(), new Numbers()]
  while (tell() < end) {
    const tag = readUint(end)
    if (tag === fieldTag(1, VARINT)) lists.ids.values[0] = readZigzag(end)
    else if (tag === fieldTag(2, LENGTH)) readVarints(end, keys)
    else if (tag === fieldTag(3, LENGTH)) readVarints(end, values)
    else if (tag === fieldTag(8, VARINT)) lists.latitudes.values[0] = readZigzag(end)
    else if (tag === fieldTag(9, VARINT)) lists.longitudes.values[0] = readZigzag(end)
    else if (tag === fieldTag(4, LENGTH)) readInfo(readLength(end))
    else skip(tag % 8, end)
  }
  if (keys.length !== values.length) throw unequalLists()
  for (let i = 0; i < keys.length; i++) {
    lists.tags.push(keys.values[i]!)
    lists.tags.push(values.values[i]!)
  }
  lists.tags.push(0)
}

function readInfo(end: number): void {
  while (tell() < end) {
    const tag = readUint(end)
    const name = INFO[(tag >> 3) - 1]
    if (tag % 8 !== VARINT) skip(tag % 8, end)
    else if (name !== undefined) lists[name].values[0] = readSigned(end)
    else if (tag === fieldTag(6, VARINT)) lists.visible.push(readVarint(end))
    else skip(VARINT, end)
  }
}
