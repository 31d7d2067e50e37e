import type { Clip } from '../clip.ts'
import { clipTest } from '../clip.ts'
import type { ByKind } from '../newest.ts'
import type { ChangedElement } from './change.ts'
import type { FoundElement } from './look-at-block.ts'

const MEMBER_KINDS = ['nodes', 'ways', 'relations'] as const

/** What the file has of the elements that changes name, or that these refer to. */
export type Found = ByKind<ReadonlyMap<number, FoundElement>>

/**
 * Chooses which elements that are new to an extract come into it, as `osmium extract` with its strategy "smart" would have
 * taken them as far as the changes and the extract say: nodes inside; ways with a node inside, with all their nodes;
 * relations with a member that is in; and the ways of multipolygons. Elements of the extract that moved out stay.
 * https://docs.osmcode.org/osmium/latest/osmium-extract.html
 */
export function admittedElements(
  changes: ByKind<readonly ChangedElement[]>,
  found: Found,
  clip: Clip,
): ByKind<Set<number>> {
  const alive = {
    nodes: aliveById(changes.nodes),
    ways: aliveById(changes.ways),
    relations: aliveById(changes.relations),
  }
  const meets = clipTest(clip)
  const isInside = (id: number): boolean => {
    const node = alive.nodes.get(id) ?? found.nodes.get(id)
    if (node === undefined || Number.isNaN(node.longitude)) return false
    const { longitude: x, latitude: y } = node
    return meets({ type: 'Point', polygons: [[[x, y]]] }, [[x, y, x, y]])
  }
  const admitted: ByKind<Set<number>> = { nodes: new Set(), ways: new Set(), relations: new Set() }
  const isIn = (kind: (typeof MEMBER_KINDS)[number], id: number) => found[kind].has(id) || admitted[kind].has(id)
  for (const { id } of alive.nodes.values()) if (isInside(id)) admitted.nodes.add(id)
  for (const { id, refs } of alive.ways.values()) if (refs.some(isInside)) admitted.ways.add(id)
  for (let before = -1; before !== admitted.relations.size + admitted.ways.size; ) {
    before = admitted.relations.size + admitted.ways.size
    for (const relation of alive.relations.values()) {
      const { id, refs, types } = relation
      // Nodes outside that are in the extract for the rest of a way bring no relations in.
      const isMemberIn = (ref: number, i: number) =>
        types[i] === 0 ? isInside(ref) : isIn(MEMBER_KINDS[types[i]!]!, ref)
      if (!isIn('relations', id) && refs.some(isMemberIn)) admitted.relations.add(id)
      if (!isIn('relations', id) || !isMultipolygon(relation)) continue
      for (const [i, ref] of refs.entries()) if (types[i] === 1 && alive.ways.has(ref)) admitted.ways.add(ref)
    }
  }
  for (const { id, refs } of alive.ways.values()) {
    if (!isIn('ways', id)) continue
    for (const ref of refs) if (alive.nodes.has(ref)) admitted.nodes.add(ref)
  }
  return admitted
}

const aliveById = (changes: readonly ChangedElement[]): Map<number, ChangedElement> =>
  new Map(changes.filter(({ isDeleted }) => !isDeleted).map((change) => [change.id, change]))

function isMultipolygon({ tags }: ChangedElement): boolean {
  for (let i = 0; i < tags.length; i += 2) if (tags[i] === 'type') return tags[i + 1] === 'multipolygon'
  return false
}
