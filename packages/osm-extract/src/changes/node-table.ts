import {
  fault,
  LENGTH,
  Numbers,
  openCursor,
  readDeltas,
  readIntegers,
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

type Columns = Record<Exclude<keyof NodeTable, 'tagStarts'>, Numbers>
type Group = Columns & { visible: Numbers }

const EACH = ['ids', 'latitudes', 'longitudes', 'versions', 'seconds', 'changesets', 'uids', 'users'] as const
const INFO = ['versions', 'seconds', 'changesets', 'uids', 'users'] as const

function readGroup({ bytes, isDense, scale }: NodeMessage, origin: Origin): NodeTable {
  openCursor(bytes, origin)
  const group = isDense ? readDense(bytes.length) : readPlain(bytes.length)
  const { ids, latitudes, longitudes, seconds, visible, tags } = group
  const { length } = ids
  for (const name of EACH) {
    if (group[name].length === 0) group[name].room(length).fill(0, 0, length)
    else if (group[name].length !== length) throw unequal()
    group[name].length = length
  }
  if (visible.length !== 0 && visible.length !== length) throw unequal()
  toDegrees7(latitudes, scale.granularity, scale.latitudeOffset)
  toDegrees7(longitudes, scale.granularity, scale.longitudeOffset)
  if (scale.dateGranularity !== 1000)
    for (let i = 0; i < length; i++) seconds.values[i] = Math.round((seconds.values[i]! * scale.dateGranularity) / 1000)
  if (tags.length === 0) {
    tags.room(length).fill(0, 0, length)
    tags.length = length
  }
  const tagStarts = startsOf(tags, length)
  const kept = visible.values.subarray(0, visible.length).includes(0)
    ? (_: unknown, i: number) => visible.values[i] === 1
    : null
  const column = (name: (typeof EACH)[number]) => {
    const values = group[name].values.subarray(0, length)
    return kept === null ? values : values.filter(kept)
  }
  return {
    ids: column('ids'),
    latitudes: column('latitudes'),
    longitudes: column('longitudes'),
    versions: column('versions'),
    seconds: column('seconds'),
    changesets: column('changesets'),
    uids: column('uids'),
    users: column('users'),
    tags: tags.values.subarray(0, tags.length),
    tagStarts: kept === null ? tagStarts : tagStarts.filter(kept),
  }
}

function startsOf({ values, length }: Numbers, nodes: number): Int32Array {
  const starts = new Int32Array(nodes)
  let at = 0
  for (let i = 0; i < nodes; i++, at++) {
    starts[i] = at
    while (at < length && values[at] !== 0) at += 2
    if (at >= length) throw unequal()
  }
  return starts
}

const newColumns = (): Group => ({
  visible: new Numbers(),
  ids: new Numbers(),
  latitudes: new Numbers(),
  longitudes: new Numbers(),
  versions: new Numbers(),
  seconds: new Numbers(),
  changesets: new Numbers(),
  uids: new Numbers(),
  users: new Numbers(),
  tags: new Numbers(),
})

/** Filled again for each group. */
const columns = newColumns()

function emptyGroup(): Group {
  for (const column of Object.values(columns)) column.clear()
  return columns
}

function readDense(end: number): Group {
  const group = emptyGroup()
  while (tell() < end) {
    const tag = readUint(end)
    if (tag === fieldTag(1, LENGTH)) readDeltas(end, group.ids)
    else if (tag === fieldTag(8, LENGTH)) readDeltas(end, group.latitudes)
    else if (tag === fieldTag(9, LENGTH)) readDeltas(end, group.longitudes)
    else if (tag === fieldTag(10, LENGTH)) readVarints(end, group.tags)
    else if (tag === fieldTag(5, LENGTH)) readDenseInfo(readLength(end), group)
    else skip(tag % 8, end)
  }
  return group
}

function readDenseInfo(end: number, group: Group): void {
  while (tell() < end) {
    const tag = readUint(end)
    const name = INFO[(tag >> 3) - 1]
    if (tag % 8 !== LENGTH) skip(tag % 8, end)
    else if (name === 'versions') readIntegers(end, group.versions)
    else if (name !== undefined) readDeltas(end, group[name])
    else if (tag === fieldTag(6, LENGTH)) readVarints(end, group.visible)
    else skip(LENGTH, end)
  }
  const { values, length } = group.versions
  for (let i = 0; i < length; i++) if (values[i]! < 0) values[i] = 0
}

function readPlain(end: number): Group {
  const group = emptyGroup()
  for (const name of EACH) group[name].push(0)
  const [keys, values] = [new Numbers(), new Numbers()]
  while (tell() < end) {
    const tag = readUint(end)
    if (tag === fieldTag(1, VARINT)) group.ids.values[0] = readZigzag(end)
    else if (tag === fieldTag(2, LENGTH)) readVarints(end, keys)
    else if (tag === fieldTag(3, LENGTH)) readVarints(end, values)
    else if (tag === fieldTag(8, VARINT)) group.latitudes.values[0] = readZigzag(end)
    else if (tag === fieldTag(9, VARINT)) group.longitudes.values[0] = readZigzag(end)
    else if (tag === fieldTag(4, LENGTH)) readInfo(readLength(end), group)
    else skip(tag % 8, end)
  }
  if (keys.length !== values.length) throw unequal()
  for (let i = 0; i < keys.length; i++) {
    group.tags.push(keys.values[i]!)
    group.tags.push(values.values[i]!)
  }
  group.tags.push(0)
  return group
}

function readInfo(end: number, group: Group): void {
  while (tell() < end) {
    const tag = readUint(end)
    const name = INFO[(tag >> 3) - 1]
    if (tag % 8 !== VARINT) skip(tag % 8, end)
    else if (name !== undefined) group[name].values[0] = Math.max(0, readSigned(end))
    else if (tag === fieldTag(6, VARINT)) group.visible.push(readVarint(end))
    else skip(VARINT, end)
  }
}

const unequal = () => fault('pbf-unequal-arrays', 'is damaged: the arrays of its nodes have unequal lengths')
