import { type ByKind, byKind, type KINDS } from '../newest.ts'
import { type ChangedElement, isNewer, placeOf } from './change.ts'
import { readChanges } from './read-changes.ts'

/** Of each element that changes name the version that counts, in the order of a sorted file. */
export interface ChangeSet {
  readonly elements: ByKind<readonly ChangedElement[]>
  /** Latest time in the files, in seconds since 1970 UTC; NaN where there is none. */
  readonly latest: number
  /** Versions that a newer one in the files replaces. */
  readonly repeated: number
}

/**
 * Reads change files as one: the highest version of an element counts, then the latest time, then a deletion; so the order
 * of the files does not matter.
 *
 * @throws InputError as `readChanges`
 */
export async function readChangeSet(paths: readonly string[], signal?: AbortSignal): Promise<ChangeSet> {
  const newest = byKind(() => new Map<number, ChangedElement>())
  let latest = Number.NaN
  let repeated = 0
  for (const path of paths) {
    for await (const change of readChanges(path)) {
      signal?.throwIfAborted()
      if (!(change.seconds <= latest) && !Number.isNaN(change.seconds)) latest = change.seconds
      const of = newest[change.kind]
      const known = of.get(change.id)
      if (known !== undefined) repeated++
      if (known === undefined || isNewer(change, known)) of.set(change.id, change)
    }
  }
  const sorted = (kind: (typeof KINDS)[number]) =>
    [...newest[kind].values()].sort((a, b) => placeOf(a.id) - placeOf(b.id))
  return { elements: byKind(sorted), latest, repeated }
}
