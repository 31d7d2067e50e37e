import { visitBlock } from '../block.ts'
import type { Element } from '../element.ts'
import { type ByKind, byKind, KINDS, type Kind } from '../newest.ts'
import { type Origin, PbfFault } from '../pbf-fault.ts'
import { placeOf } from '../place-of.ts'

/** Which elements of a file are looked for; plain data in shared memory, for threads. */
export interface LookedFor {
  /** Ids, in the order of a sorted file. */
  readonly ids: ByKind<Float64Array>
  /** Ids of nodes that are to be deleted. */
  readonly deletedNodes: Float64Array
}

/** An element of the file that is looked for. */
export interface FoundElement {
  readonly id: number
  /** 0 and NaN where the file has none. */
  readonly version: number
  readonly seconds: number
  readonly isDeleted: boolean
  /** Of nodes, in 1e-7 degree. */
  readonly longitude: number
  readonly latitude: number
}

/** What a block holds. */
export interface BlockView {
  /** Places (`placeOf`) of the first and the last element; null where there is none of the kind. */
  readonly ranges: ByKind<readonly [first: number, last: number] | null>
  readonly found: ByKind<readonly FoundElement[]>
  /** Ways by id that have a node that is to be deleted. */
  readonly waysLosingNodes: readonly number[]
}

/** @returns a function of uncompressed blocks of a sorted file @throws PbfFault `pbf-not-sorted` */
export function blockViewer({ ids, deletedNodes }: LookedFor): (data: Uint8Array, origin: Origin) => BlockView {
  const searches = byKind((kind) => new Search(ids[kind]))
  const deleted = new Set(deletedNodes)
  const mayBeDeleted = new Uint8Array(2 ** 16)
  for (const id of deletedNodes) mayBeDeleted[Math.abs(id) % mayBeDeleted.length] = 1
  const isDeleted = (id: number) => mayBeDeleted[Math.abs(id) % mayBeDeleted.length] === 1 && deleted.has(id)

  return (data, origin) => {
    const ranges: Record<Kind, [number, number] | null> = { nodes: null, ways: null, relations: null }
    const found = byKind(() => [] as FoundElement[])
    const waysLosingNodes: number[] = []
    const unsorted = () => notSorted(origin)
    const isWanted = (kind: Kind, id: number): boolean => {
      const place = placeOf(id)
      const range = ranges[kind]
      if (range === null) ranges[kind] = [place, place]
      else if (place <= range[1]) throw unsorted()
      else range[1] = place
      return searches[kind].has(id)
    }
    const lastKind = () => KINDS.findLastIndex((kind) => ranges[kind] !== null)
    const take = (kind: Kind, element: Element & { id: number }) => {
      if (lastKind() > KINDS.indexOf(kind)) throw unsorted()
      if (!isWanted(kind, element.id)) return
      const { id, version, seconds, deleted: isDeleted } = element
      found[kind].push({ id, version, seconds, isDeleted, longitude: Number.NaN, latitude: Number.NaN })
    }
    visitBlock(data, origin, {
      nodes(group) {
        if (lastKind() > 0) throw unsorted()
        for (let i = 0; i < group.count; i++) {
          const id = group.ids.values[i]!
          if (!isWanted('nodes', id)) continue
          const [longitude, latitude] = [group.longitudes.values[i]!, group.latitudes.values[i]!]
          const [version, seconds] = [group.versionAt(i), group.secondsAt(i)]
          found.nodes.push({ id, version, seconds, isDeleted: group.isDeletedAt(i), longitude, latitude })
        }
      },
      way(way) {
        take('ways', way)
        if (way.isLocated) throw locatedWays(origin)
        if (deleted.size === 0) return
        const { values, length } = way.refs()
        for (let i = 0; i < length; i++) {
          if (!isDeleted(values[i]!)) continue
          waysLosingNodes.push(way.id)
          return
        }
      },
      relation: (relation) => take('relations', relation),
    })
    return { ranges, found, waysLosingNodes }
  }
}

export const notSorted = (origin: Origin): PbfFault =>
  new PbfFault('pbf-not-sorted', 'is not sorted by type and id, which changes need; sort it with `osmium sort`', origin)

const locatedWays = (origin: Origin): PbfFault =>
  new PbfFault(
    'pbf-located-ways',
    'has locations on its ways, which changes of nodes would not move; use a file without them',
    origin,
  )

/** Looks ids up that come in rising places, by steps from where the one before was found. */
class Search {
  readonly #ids: Float64Array
  #at = 0

  constructor(ids: Float64Array) {
    this.#ids = ids
  }

  has(id: number): boolean {
    const place = placeOf(id)
    const before = (at: number) => at < this.#ids.length && placeOf(this.#ids[at]!) < place
    if (this.#at > 0 && placeOf(this.#ids[this.#at - 1]!) >= place) this.#at = 0
    if (before(this.#at)) {
      let step = 1
      while (before(this.#at + step)) {
        this.#at += step
        step *= 2
      }
      for (; step >= 1; step /= 2) if (before(this.#at + step)) this.#at += step
      this.#at++
    }
    return this.#ids[this.#at] === id
  }
}
