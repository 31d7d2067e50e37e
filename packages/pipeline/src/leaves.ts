import type { Box, Position, Storage } from '@skyscript/core'

/** Images per fetch job: some seconds of work, and the most that a killed worker repeats. */
export const LEAF_SIZE = 128
/** Halving a 0.1-degree tile 16 times gives cells of 0.2 m; objects that still share one stay together. */
const MAX_DEPTH = 16

export interface Leaf<T> {
  /** `q` and one digit per halving: 0 south-west, 1 south-east, 2 north-west, 3 north-east. */
  readonly name: string
  readonly items: readonly T[]
}

/**
 * Splits the items of a map tile into the leaves of a quadtree. A leaf's name depends on where its items are and not
 * on how many others there are, so that a change of the map renames only the leaves around it.
 */
export function leavesOf<T>(items: readonly T[], positionOf: (item: T) => Position, box: Box): Leaf<T>[] {
  const split = (inside: readonly T[], [west, south, east, north]: Box, name: string): Leaf<T>[] => {
    if (inside.length === 0) return []
    if (inside.length <= LEAF_SIZE || name.length > MAX_DEPTH) return [{ name, items: inside }]
    const [x, y] = [(west + east) / 2, (south + north) / 2]
    const quarters: T[][] = [[], [], [], []]
    for (const item of inside) {
      const [longitude, latitude] = positionOf(item)
      quarters[(longitude >= x ? 1 : 0) + (latitude >= y ? 2 : 0)]!.push(item)
    }
    const boxes: Box[] = [
      [west, south, x, y],
      [x, south, east, y],
      [west, y, x, north],
      [x, y, east, north],
    ]
    return quarters.flatMap((quarter, i) => split(quarter, boxes[i]!, `${name}${i}`))
  }
  return split(items, box, 'q')
}

/** The leaf that a key of a result or a hint is for. */
export const leafOf = (key: string): string => key.split('/')[3]!.split('.')[0]!

/**
 * Keys of results or hints for leaves that share ground with this one: one is inside the other. Earlier versions kept a
 * folder for each leaf. The tile's folder is listed once: a bucket answers a listing for each name that contains the leaf
 * later than the thousand keys of one page.
 */
export async function overlapping(storage: Storage, folder: string, shard: string): Promise<string[]> {
  const [tile, leaf] = shard.split('/') as [string, string]
  const keys: string[] = []
  for await (const { key } of storage.list(`${folder}/${tile}/${leaf[0]}`, 'names')) {
    const other = leafOf(key)
    if (!other.startsWith(leaf) && !leaf.startsWith(other)) continue
    if (!key.endsWith('/')) keys.push(key)
    else for await (const inner of storage.list(key)) keys.push(inner.key)
  }
  return keys
}
