import type { BlobIndex } from './blobs.ts'
import type { Clip } from './clip.ts'
import type { FeatureChunk } from './feature-writer.ts'
import type { IdRanks, IdSet } from './id-set.ts'
import type { SharedLocations } from './locations.ts'
import type { MemberLines, SharedLines } from './member-ways.ts'
import type { ByKind, Newest, Occurrences } from './newest.ts'
import type { IdRange } from './sightings.ts'
import type { TagRules } from './tag-rules.ts'
import type { TagVerdicts } from './tag-verdicts.ts'

/** What decides which objects come out; plain data, which threads can be given. */
export interface Selection {
  readonly wanted: TagRules | TagVerdicts | 'all'
  readonly counted: TagRules | TagVerdicts | 'all' | null
  readonly clip: Clip
  /** Seconds since 1970 UTC for files of histories; null for others. */
  readonly at: number | null
}

/**
 * Each builds on what the ones before it found. `kinds` looks what blobs hold, `repeats` also for ids that come more than
 * once, and `versions` at the elements that have these.
 */
export type Pass = 'kinds' | 'repeats' | 'versions' | 'members' | 'refs' | 'nodes' | 'ways' | 'areas'

/** A blob of one of the files that are read as one. */
export interface PlacedBlob extends BlobIndex {
  /** Place of its file in the list of files. */
  readonly file: number
  /** Its own place among the blobs of all files. */
  readonly number: number
}

/** Some successive blobs for a thread to pass over: it takes time to hand over a task. */
export interface Task {
  readonly pass: Pass
  readonly blobs: readonly PlacedBlob[]
  /** For areas: which of the wanted relations, from and before. */
  readonly relations?: readonly [from: number, before: number]
  /** What to read instead of a blob, where the pass before reduced it. */
  readonly reduced?: readonly (Uint8Array | null)[]
}

export interface TaskResult {
  /** Kinds of elements in each blob. */
  readonly kinds: readonly number[]
  /** Objects, in the order of the file. */
  readonly chunk: FeatureChunk | null
  /** Number of relations that are to become areas. */
  readonly relations: number
  /** Ids of the kinds of elements that the pass visits; null where there are none. */
  readonly ranges: ByKind<IdRange | null>
  /** Of `versions`. */
  readonly occurrences: ByKind<Occurrences> | null
  /** Of `refs`: each blob's block reduced to the ways that are needed; null where most of them are. */
  readonly reduced: readonly (Uint8Array<ArrayBuffer> | null)[]
  /** Of `ways`: lines of ways that relations need. */
  readonly lines: MemberLines | null
}

/** What a pass found in all files, as every thread is told. */
export interface Shared {
  /** Ids that come more than once. */
  readonly repeated?: ByKind<IdRanks>
  readonly newest?: ByKind<Newest>
  readonly memberIds?: Float64Array
  readonly nodes?: { readonly ranks: IdRanks; readonly locations: SharedLocations }
  readonly lines?: SharedLines
}

/** What one thread gathered; everything is to be had once. */
export interface Gathered {
  /** Ids that it saw, and those of them that it saw more than once. */
  ids: ByKind<{ readonly seen: IdSet; readonly repeated: IdSet }>
  /** Ways that wanted relations have as members, with repeats. */
  memberIds: Float64Array<ArrayBuffer>
  /** Nodes of wanted ways and of member ways. */
  needed: IdSet
  counts: Counts
}

export interface Counts {
  readonly read: { nodes: number; ways: number; relations: number }
  tagged: number
  readonly emitted: { points: number; lines: number; areas: number }
  readonly dropped: Map<string, number>
  readonly tagCounts: ReadonlyMap<string, number>
  /** Of files of histories, seconds since 1970 UTC of the first and the last edit; Infinity and -Infinity without any. */
  readonly edits: { readonly oldest: number; readonly newest: number }
}
