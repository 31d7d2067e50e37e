/**
 * What a stage made of a shard: every record leaves as kept, as dropped with a reason (a fact about the data, final) or
 * as failed with a code (a service let us down; the next build tries again). input = kept + dropped + failed.
 */
export interface Outcome<T> {
  readonly kept: readonly T[]
  readonly dropped: readonly Dropped[]
  readonly failed: readonly Failed[]
}

/** `reason` is a short kebab-case name that dropped.csv and the report count by, such as `no-suitable-source`. */
export interface Dropped {
  readonly id: string
  readonly reason: string
}

/** `code` is that of the error; `message` is redacted and for a person. */
export interface Failed {
  readonly id: string
  readonly code: string
  readonly message: string
}

/** Adds `by` to a count held in a map. */
export function count(counts: Map<string, number>, key: string, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by)
}
