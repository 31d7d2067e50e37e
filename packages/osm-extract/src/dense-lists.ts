import {
  fault,
  LENGTH,
  Numbers,
  readDeltas,
  readIntegers,
  readLength,
  readUint,
  readVarints,
  skip,
  tell,
} from './cursor.ts'
import { fieldTag } from './element.ts'

const EACH = ['ids', 'latitudes', 'longitudes', 'versions', 'stamps', 'changesets', 'uids', 'users', 'visible'] as const

/**
 * Dense nodes as a block has them, with differences added up, in the block's units; a list is empty where the block lacks
 * it. `users` are numbers of strings, and so are `tags`: of each node key, value, key, value and so on, and a zero.
 */
export type DenseLists = Readonly<Record<(typeof EACH)[number] | 'tags', Numbers>>

export function newDenseLists(): DenseLists {
  const lists = [...EACH, 'tags' as const].map((name) => [name, new Numbers()])
  return Object.fromEntries(lists)
}

/** Fields of DenseNodes (osmformat.proto), all of them lists. */
export const DENSE_FIELDS = {
  ids: fieldTag(1, LENGTH),
  info: fieldTag(5, LENGTH),
  latitudes: fieldTag(8, LENGTH),
  longitudes: fieldTag(9, LENGTH),
  tags: fieldTag(10, LENGTH),
} as const

/** Fields of DenseInfo. */
export const DENSE_INFO_FIELDS = {
  versions: fieldTag(1, LENGTH),
  stamps: fieldTag(2, LENGTH),
  changesets: fieldTag(3, LENGTH),
  uids: fieldTag(4, LENGTH),
  users: fieldTag(5, LENGTH),
  visible: fieldTag(6, LENGTH),
} as const

/** Reads a message DenseNodes up to `end`, in place of what was in the lists. @throws PbfFault */
export function readDenseLists(end: number, lists: DenseLists): void {
  for (const list of Object.values(lists)) list.clear()
  while (tell() < end) {
    const tag = readUint(end)
    if (tag === DENSE_FIELDS.ids) readDeltas(end, lists.ids)
    else if (tag === DENSE_FIELDS.latitudes) readDeltas(end, lists.latitudes)
    else if (tag === DENSE_FIELDS.longitudes) readDeltas(end, lists.longitudes)
    else if (tag === DENSE_FIELDS.tags) readVarints(end, lists.tags)
    else if (tag === DENSE_FIELDS.info) readInfo(readLength(end), lists)
    else skip(tag % 8, end)
  }
  const { length } = lists.ids
  for (const name of EACH) {
    const mayLack = name in DENSE_INFO_FIELDS
    if (lists[name].length !== length && !(mayLack && lists[name].length === 0)) throw unequalLists()
  }
}

function readInfo(end: number, { versions, stamps, changesets, uids, users, visible }: DenseLists): void {
  while (tell() < end) {
    const tag = readUint(end)
    if (tag === DENSE_INFO_FIELDS.versions) readIntegers(end, versions)
    else if (tag === DENSE_INFO_FIELDS.stamps) readDeltas(end, stamps)
    else if (tag === DENSE_INFO_FIELDS.changesets) readDeltas(end, changesets)
    else if (tag === DENSE_INFO_FIELDS.uids) readDeltas(end, uids)
    else if (tag === DENSE_INFO_FIELDS.users) readDeltas(end, users)
    else if (tag === DENSE_INFO_FIELDS.visible) readVarints(end, visible)
    else skip(tag % 8, end)
  }
}

/** Where the tags of each node begin; none where no node has any. @throws PbfFault */
export function tagStartsOf({ ids, tags: { values, length } }: DenseLists): Int32Array {
  const starts = new Int32Array(length === 0 ? 0 : ids.length)
  let at = 0
  for (let i = 0; i < starts.length; i++, at++) {
    starts[i] = at
    while (at < length && values[at] !== 0) at += 2
    if (at >= length) throw unequalLists()
  }
  return starts
}

export const unequalLists = () =>
  fault('pbf-unequal-arrays', 'is damaged: the arrays of its nodes have unequal lengths')
