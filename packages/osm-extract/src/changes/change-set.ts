import { type ByKind, byKind, type KINDS } from '../newest.ts'
import { placeOf } from '../place-of.ts'
import { type ChangedElement, isNewer } from './change.ts'
import { readChanges } from './read-changes.ts'

/** Of each element that changes name the version that counts, in the order of a sorted file. */
export interface ChangeSet {
  readonly elements: ByKind<readonly ChangedElement[]>
  /** Latest time in the files, in seconds since 1970 UTC; NaN where there is none. */
  readonly latest: number
  /** Versions that a newer one in the files replaces. */
  readonly repeated: number
  /** Those of files in which nothing is newer than the extract. */
  readonly old: ReadonlySet<ChangedElement>
}

/**
 * Reads change files as one: the highest version of an element counts, then the latest time, then a deletion; so the order
 * of the files matters only where they give one version different contents, of which the last counts.
 *
 * @param asOf the extract's time in seconds since 1970 UTC; NaN where it is not known
 * @throws InputError as `readChanges`
 */
export async function readChangeSet(paths: readonly string[], asOf: number, signal?: AbortSignal): Promise<ChangeSet> {
  const newest = byKind(() => new Map<number, ChangedElement>())
  const old = new Set<ChangedElement>()
  let latest = Number.NaN
  let repeated = 0
  for (const path of paths) {
    let latestOfFile = Number.NaN
    const taken: ChangedElement[] = []
    for await (const change of readChanges(path)) {
      signal?.throwIfAborted()
      latestOfFile = later(latestOfFile, change.seconds)
      const of = newest[change.kind]
      const known = of.get(change.id)
      if (known !== undefined) repeated++
      if (known !== undefined && !isNewer(change, known)) continue
      of.set(change.id, change)
      taken.push(change)
    }
    latest = later(latest, latestOfFile)
    if (latestOfFile <= asOf) for (const change of taken) old.add(change)
  }
  const sorted = (kind: (typeof KINDS)[number]) =>
    [...newest[kind].values()].sort((a, b) => placeOf(a.id) - placeOf(b.id))
  return { elements: byKind(sorted), latest, repeated, old }
}

const later = (a: number, b: number): number => (Number.isNaN(a) || b > a ? b : a)
