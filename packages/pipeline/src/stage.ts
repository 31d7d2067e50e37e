import { count, type Failed, type Outcome } from '@skyscript/core'
import type { RunContext } from './context.ts'
import type { Facts } from './facts.ts'
import type { Presence } from './presence/presence.ts'
import type { StoredHead } from './results.ts'
import type { Job } from './runner/job.ts'
import { sortedCounts } from './tables.ts'

/**
 * A stage: what is done with each shard of a region, a map tile or a leaf of its quadtree. One file in `stages/` and one
 * line in their list; jobs, queues, progress, garbage collection, metrics and help follow from the list.
 *
 * A job's result is stored under a name that holds a fingerprint of all that decides it, so a result that is there is
 * done. Its head comes with it: all that later stages and the coordinator need, some hundred bytes for each leaf.
 *
 * @typeParam Upstream what the head of the stage before says of the shard
 */
export interface Stage<Upstream extends Weighed = Weighed, Result = unknown, H extends Head = Head> {
  readonly name: string
  /** Name of the stage whose shards this one takes up; null: it begins with the region's map tiles. */
  readonly after: string | null
  /** What a shard's weight counts, in the plural. */
  readonly unit: string
  /** Raised when the code makes other results of the same input, so that results of older code are redone. */
  readonly version: number
  /** Jobs at a time in one process: beside the coordinator, and in a worker. */
  readonly concurrency: { readonly embedded: number; readonly worker: number }
  /** Whether jobs write files of the dataset, beside their result. */
  readonly publishes: boolean
  /** Everything that decides the result of a shard, to be hashed into its name. */
  decides(shard: string, upstream: Upstream, facts: Facts): readonly unknown[]
  /**
   * Called before the first job of any stage, to fail early where a service can't be used.
   *
   * @param isEmbedded whether jobs are done in this process, and not by workers that may be equipped otherwise
   */
  preflight?(context: RunContext, isEmbedded: boolean): Promise<void>
  /** Does one job. Throws a SkyscriptError on failure. */
  run(job: Job, context: RunContext, signal: AbortSignal): Promise<Result>
  head(result: Result): H
  /** Whether a result in storage still stands: the files that it describes are there. */
  stands?(found: Found<Result, H>, upstream: Upstream, presence: Presence): Promise<boolean>
  /** The shards that the next stages get; by default the same one. */
  follow?(head: H): readonly Following[]
}

/** A result that was found in storage. */
export interface Found<Result, H extends Head> extends StoredHead<H> {
  readonly job: Job
  /** Whether it was part of the last finished build, so that its files are known by their sums. */
  readonly isSealed: boolean
  /** Reads the whole result. */
  result(): Promise<Result>
}

/** How many units a stage finds in a shard. */
export interface Weighed {
  readonly kept: number
}

/** What every stage's head says. */
export interface Head extends Weighed {
  /** Of the result's records: what later results and the dataset depend on. */
  readonly digest: string
  /** Objects that ended here, by reason. */
  readonly dropped: Readonly<Record<string, number>>
  /** Objects that failed, by code, with the sentence of one of them. */
  readonly failed: Readonly<Record<string, { readonly objects: number; readonly message: string }>>
}

export interface Following {
  readonly shard: string
  /** What its job reads, a part of the key of its input. */
  readonly input: string
  readonly upstream: Weighed
}

/** What heads count of an outcome. */
export function countsOf({ kept, dropped, failed }: Outcome<unknown>): Omit<Head, 'digest'> {
  const reasons = new Map<string, number>()
  for (const { reason } of dropped) count(reasons, reason)
  return { kept: kept.length, dropped: sortedCounts(reasons), failed: failuresOf(failed) }
}

export function failuresOf(failed: readonly Failed[]): Head['failed'] {
  const codes = [...Map.groupBy(failed, ({ code }) => code)].sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(codes.map(([code, list]) => [code, { objects: list.length, message: list[0]!.message }]))
}
