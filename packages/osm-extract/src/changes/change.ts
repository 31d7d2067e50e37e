import type { Kind } from '../newest.ts'

/** One version of an element, as a change file has it. */
export interface ChangedElement {
  readonly kind: Kind
  readonly id: number
  /** 0 where the file has none. */
  readonly version: number
  /** Since 1970 UTC; NaN where the file has none. */
  readonly seconds: number
  /** 0 where the file has none. */
  readonly changeset: number
  readonly uid: number
  readonly user: string
  readonly isDeleted: boolean
  /** Key, value, key, value and so on. */
  readonly tags: readonly string[]
  /** Of a node, in 1e-7 degree; NaN for a deleted one without a place. */
  readonly longitude: number
  readonly latitude: number
  /** Nodes of a way, members of a relation. */
  readonly refs: readonly number[]
  /** Of members: 0 node, 1 way, 2 relation. */
  readonly types: readonly number[]
  readonly roles: readonly string[]
}

/** Whether `a` counts and not `b`: a higher version, or a later time where both have one, or that it is a deletion. */
export function isNewer(a: ChangedElement, b: Pick<ChangedElement, 'version' | 'seconds' | 'isDeleted'>): boolean {
  if (a.version !== b.version) return a.version > b.version
  // A difference of NaN is neither.
  if (a.seconds > b.seconds) return true
  if (a.seconds < b.seconds) return false
  return a.isDeleted || !b.isDeleted
}
