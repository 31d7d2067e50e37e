import { byKey, count } from '@skyscript/core'
import type { Clip } from '../clip.ts'
import { type ByKind, byKind, type Kind } from '../newest.ts'
import { admittedElements, type Found } from './admission.ts'
import { type ChangedElement, isNewer } from './change.ts'
import type { ChangeSet } from './change-set.ts'

/** Why an element of the changes has no effect. */
export type Ignored = 'already-deleted' | 'not-newer' | 'older-than-extract' | 'outside-extract' | 'superseded'

export interface ChangeCounts {
  readonly created: ByKind<number>
  readonly modified: ByKind<number>
  readonly deleted: ByKind<number>
  /** In alphabetical order. */
  readonly ignored: ReadonlyMap<Ignored, number>
  /** Ways in the changes that name a node which neither the file nor the changes have. */
  readonly waysMissingNodes: number
  /** Nodes that moved in and are of ways which neither the file nor the changes have: what they are part of is unknown. */
  readonly nodesOfUnknownWays: number
}

export interface Judged extends ChangeCounts {
  /** The changes that have an effect, in the order of a sorted file. */
  readonly effective: ByKind<readonly ChangedElement[]>
}

/** Chooses the changes that have an effect on a file. @param found what the file has of all that changes name */
export function judgeChanges({ elements, repeated, old: oldChanges }: ChangeSet, found: Found, clip: Clip): Judged {
  const admitted = clip === null ? null : admittedElements(elements, found, clip)
  const ignored = new Map<Ignored, number>()
  if (repeated > 0) ignored.set('superseded', repeated)
  const counts = { created: zero(), modified: zero(), deleted: zero() }
  const judge = (kind: Kind, change: ChangedElement): Ignored | keyof typeof counts => {
    const old = found[kind].get(change.id)
    if (old !== undefined) return !isNewer(change, old) ? 'not-newer' : change.isDeleted ? 'deleted' : 'modified'
    if (change.isDeleted) return 'already-deleted'
    if (oldChanges.has(change)) return 'older-than-extract'
    return admitted?.[kind].has(change.id) === false ? 'outside-extract' : 'created'
  }
  const effective = byKind((kind) =>
    elements[kind].filter((change) => {
      const verdict = judge(kind, change)
      if (verdict in counts) {
        counts[verdict as keyof typeof counts][kind]++
        return true
      }
      count(ignored, verdict as Ignored)
      return false
    }),
  )
  return {
    ...counts,
    effective,
    ignored: new Map([...ignored].sort(byKey)),
    ...referenceCounts(effective, found),
  }
}

const zero = (): Record<Kind, number> => ({ nodes: 0, ways: 0, relations: 0 })

function referenceCounts(effective: ByKind<readonly ChangedElement[]>, found: Found) {
  const nodes = new Map(effective.nodes.map(({ id, isDeleted }) => [id, !isDeleted]))
  const isThere = (id: number) => nodes.get(id) ?? found.nodes.has(id)
  const named = new Set(effective.ways.flatMap(({ refs }) => refs))
  return {
    waysMissingNodes: effective.ways.filter(({ refs }) => !refs.every(isThere)).length,
    nodesOfUnknownWays: effective.nodes.filter(
      ({ id, version, isDeleted, tags }) =>
        !isDeleted && version > 1 && tags.length === 0 && !found.nodes.has(id) && !named.has(id),
    ).length,
  }
}
