import type { ChangedPair, PairChanges } from './compare.ts'
import { type Details, readDetails } from './details.ts'
import type { Side } from './side.ts'

/** A pair that differs, with what both datasets say of it. */
export interface Example {
  readonly id: string
  readonly kind: 'changed' | 'added' | 'removed'
  /** Empty unless it changed. */
  readonly reasons: ChangedPair['reasons']
  readonly before: Details | null
  readonly after: Details | null
}

export type Chosen = Pick<Example, 'id' | 'kind' | 'reasons'>

/**
 * The first of the changed, added and removed pairs by id, `limit` at most: the kinds take turns, so that none crowds out
 * the others.
 */
export function firstPairs({ changed, added, removed }: PairChanges, limit: number): Chosen[] {
  const queues: readonly Iterator<Chosen>[] = [
    mapped(changed, ({ id, reasons }) => ({ id, kind: 'changed', reasons })),
    mapped(added, (id) => ({ id, kind: 'added', reasons: [] })),
    mapped(removed, (id) => ({ id, kind: 'removed', reasons: [] })),
  ]
  const taken: Chosen[][] = queues.map(() => [])
  let count = 0
  for (let isOver = false; !isOver && count < limit; ) {
    isOver = true
    for (const [i, queue] of queues.entries()) {
      const next = count < limit ? queue.next() : null
      if (next === null || next.done) continue
      taken[i]!.push(next.value)
      count++
      isOver = false
    }
  }
  return taken.flat()
}

function* mapped<T>(items: Iterable<T>, of: (item: T) => Chosen): Generator<Chosen> {
  for (const item of items) yield of(item)
}

/** What both datasets say of some pairs, in the order given. */
export async function readExamples(
  chosen: readonly Chosen[],
  before: Pick<Side, 'pairs'> | null,
  after: Pick<Side, 'pairs'>,
): Promise<Example[]> {
  const detailsIn = async (side: Pick<Side, 'pairs'> | null, without: Example['kind']) => {
    const ids = new Set(chosen.flatMap(({ id, kind }) => (kind === without ? [] : [id])))
    return side?.pairs ? readDetails(side.pairs.manifest, ids) : new Map<string, Details>()
  }
  const [old, now] = [await detailsIn(before, 'added'), await detailsIn(after, 'removed')]
  return chosen.map((each) => ({ ...each, before: old.get(each.id) ?? null, after: now.get(each.id) ?? null }))
}
