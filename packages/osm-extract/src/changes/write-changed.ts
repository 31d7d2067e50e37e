import type { BlobIndex, PbfFile } from '../blobs.ts'
import { type ByKind, byKind, KINDS } from '../newest.ts'
import { placeOf } from '../place-of.ts'
import type { BlobTasks } from './blob-tasks.ts'
import type { ChangedElement } from './change.ts'
import type { BlockView } from './look-at-block.ts'
import { BLOCK_ELEMENTS, newBlocks } from './rewrite-blob.ts'
import { framed, packedBlob } from './write-pbf.ts'

type Changes = ByKind<readonly ChangedElement[]>

interface BlobPlan {
  /** To be put into the blob; null: it is copied. */
  readonly changes: Changes | null
  /** New elements for blobs of their own after it. */
  readonly after: Changes
}

/** The blobs of the changed file after its header, in order. @throws PbfFault */
export async function* changedBlobs(
  file: PbfFile,
  blobs: readonly BlobIndex[],
  views: readonly BlockView[],
  changes: Changes,
  tasks: BlobTasks,
): AsyncGenerator<Uint8Array> {
  const plan = planBlobs(views, changes)
  yield* inNewBlobs(plan.before)
  const rewritten = tasks.rewrite(
    plan.blobs.flatMap(({ changes }, i) => (changes === null ? [] : [{ blob: blobs[i]!, changes }])),
  )
  for (const [i, { changes, after }] of plan.blobs.entries()) {
    if (changes === null) yield framed('OSMData', file.readPacked(blobs[i]!))
    else yield* (await rewritten.next()).value
    yield* inNewBlobs(after)
  }
}

function* inNewBlobs(changes: Changes): Generator<Uint8Array> {
  for (const kind of KINDS)
    for (const block of newBlocks(kind, changes[kind])) yield framed('OSMData', packedBlob(block))
}

const none = (): Record<(typeof KINDS)[number], readonly ChangedElement[]> => byKind(() => [])

/**
 * Hands each change to the blob that has its element, or the elements around it. New elements after all others of their
 * kind, which are most, get blobs of their own where they are many.
 */
function planBlobs(views: readonly BlockView[], changes: Changes) {
  const plans = views.map(() => ({ changes: none(), after: none() }))
  const before = none()
  for (const kind of KINDS) {
    const own = views.flatMap(({ ranges }, i) => (ranges[kind] === null ? [] : [i]))
    let from = 0
    for (const i of own) {
      const last = views[i]!.ranges[kind]![1]
      let to = from
      while (to < changes[kind].length && placeOf(changes[kind][to]!.id) <= last) to++
      plans[i]!.changes[kind] = changes[kind].slice(from, to)
      from = to
    }
    const rest = changes[kind].slice(from)
    const isBefore = KINDS.slice(0, KINDS.indexOf(kind) + 1)
    const place = own.at(-1) ?? views.findLastIndex(({ ranges }) => isBefore.some((one) => ranges[one] !== null))
    if (rest.length === 0) continue
    if (place < 0) before[kind] = rest
    else if (rest.length < BLOCK_ELEMENTS / 2 || hasLaterKinds(views[place]!, kind)) {
      // A blob of few elements would come with each update.
      plans[place]!.changes[kind] = [...plans[place]!.changes[kind], ...rest]
    } else plans[place]!.after[kind] = rest
  }
  const isEmpty = (of: Changes) => KINDS.every((kind) => of[kind].length === 0)
  return {
    before,
    blobs: plans.map(({ changes, after }): BlobPlan => ({ changes: isEmpty(changes) ? null : changes, after })),
  }
}

const hasLaterKinds = ({ ranges }: BlockView, kind: (typeof KINDS)[number]): boolean =>
  KINDS.slice(KINDS.indexOf(kind) + 1).some((later) => ranges[later] !== null)
