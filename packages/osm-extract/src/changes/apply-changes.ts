import { availableParallelism } from 'node:os'
import { type Box, type Geometry, type Progress, silentProgress } from '@skyscript/core'
import { type BlobIndex, openPbf } from '../blobs.ts'
import { type Clip, clipOf } from '../clip.ts'
import { isoSeconds, type PbfHeader, parseHeader } from '../header.ts'
import { byKind, KINDS } from '../newest.ts'
import { placeOf } from '../place-of.ts'
import type { Found } from './admission.ts'
import { startBlobTasks } from './blob-tasks.ts'
import { type ChangeSet, readChangeSet } from './change-set.ts'
import { type ChangeCounts, judgeChanges } from './judge-changes.ts'
import { type BlockView, type FoundElement, type LookedFor, notSorted } from './look-at-block.ts'
import { changedBlobs } from './write-changed.ts'
import { writeOutput } from './write-output.ts'
import { headerBlob, WRITING_PROGRAM } from './write-pbf.ts'

export interface ApplyOptions {
  /** A .osm.pbf that is sorted by type and id. */
  readonly file: string
  /** .osc or .osc.gz files. Their order counts only where they give a version of an element different contents. */
  readonly changes: readonly string[]
  /** Where the new .osm.pbf goes; may be `file`, but none of the changes. It appears whole, or not at all. */
  readonly output: string
  /**
   * Where elements may come in that the file does not have: anywhere, as with `osmium apply-changes`; or within the box of
   * the file's header (anywhere where it has none), a box, or polygons, in degrees.
   */
  readonly within: 'anywhere' | 'extract' | Box | Geometry
  /**
   * Whether elements that the file does not have come in from change files in which nothing is newer than the time in its
   * header, as with `osmium apply-changes` (default). Such files can bring back what was deleted since.
   */
  readonly bringBack?: boolean
  /** For the new file's header; by default the time of the newest element, and no sequence number. */
  readonly replication?: Partial<Pick<PbfHeader, 'replicationTimestamp' | 'replicationSequence' | 'replicationServer'>>
  /** Threads that read; by default as many as there are cores, and only this one for files below 32 MB. */
  readonly threads?: number
  /** In bytes of the file, of which each is passed over twice at most. */
  readonly progress?: Progress
  readonly signal?: AbortSignal
}

export interface AppliedChanges extends ChangeCounts {
  /** Of the new file. */
  readonly header: PbfHeader
  /** Latest time in the changes, ISO 8601 UTC; null where they have none. */
  readonly latest: string | null
  /** Ways that are not in the changes, and of which a node was deleted. */
  readonly waysLosingNodes: number
}

/** Raised when `applyChanges` makes other elements of the same input: maps that were kept are made anew then. */
export const APPLY_VERSION = 1

const SMALL_FILE = 32e6

/**
 * Applies OsmChange files to an extract; the elements are then those of `osmium apply-changes`. The highest version of an
 * element counts, of equal versions the later time, then a deletion, then the change that comes last. Blobs without changes are copied as
 * they are.
 *
 * Memory: 1 to 2 kB for each element in the changes, 0.1 kB for each blob of the file, and some blobs for each thread.
 *
 * @throws InputError (PbfFault) where the file is damaged or not sorted, where the changes are (see `readChanges`), and where
 * the output can't be written (see `writeOutput`)
 */
export async function applyChanges(options: ApplyOptions): Promise<AppliedChanges> {
  const { file: path, signal, progress = silentProgress } = options
  const file = openPbf(path)
  try {
    const [first, ...rest] = file.index()
    const blobs = rest.filter(({ type }) => type === 'OSMData')
    const oldHeader = parseHeader(file.read(first!), { path, offset: first!.offset })
    const asOf = options.bringBack === false ? Date.parse(oldHeader.replicationTimestamp ?? '') / 1000 : Number.NaN
    const changes = await readChangeSet(options.changes, asOf, signal)
    const threads = options.threads ?? (file.bytes < SMALL_FILE ? 1 : availableParallelism())
    const tasks = startBlobTasks(threads, path, lookedFor(changes))
    try {
      const views: BlockView[] = []
      let passed = 0
      for await (const view of tasks.look(blobs)) {
        signal?.throwIfAborted()
        passed += blobs[views.length]!.size / 2
        views.push(view)
        progress.update(passed, file.bytes)
      }
      checkOrder(views, blobs, path)
      const { effective, ...counts } = judgeChanges(changes, foundIn(views), clipFor(options.within, oldHeader))
      const latest = isoSeconds(changes.latest)
      const times = [oldHeader.replicationTimestamp, latest].filter((time) => time !== null)
      const header: PbfHeader = {
        ...oldHeader,
        replicationTimestamp: times.sort().at(-1) ?? null,
        replicationSequence: null,
        ...options.replication,
        writingProgram: WRITING_PROGRAM,
        sorted: true,
      }
      await writeOutput(options.output, options.changes, async (write) => {
        await write(headerBlob(header))
        for await (const blob of changedBlobs(file, blobs, views, effective, tasks)) {
          signal?.throwIfAborted()
          await write(blob)
          passed = Math.min(passed + blob.length / 2, file.bytes)
          progress.update(passed, file.bytes)
        }
      })
      const changed = new Set(effective.ways.map(({ id }) => id))
      const losing = views.flatMap(({ waysLosingNodes }) => waysLosingNodes).filter((id) => !changed.has(id))
      return { header, latest, ...counts, waysLosingNodes: losing.length }
    } finally {
      await tasks.close()
    }
  } finally {
    file.close()
  }
}

/** All elements that the changes have, and those that they refer to. */
function lookedFor({ elements: { nodes, ways, relations } }: ChangeSet): LookedFor {
  const members = (type: number) => relations.flatMap(({ refs, types }) => refs.filter((_, i) => types[i] === type))
  const idsOf = (...lists: readonly (readonly number[])[]) => {
    const ids = [...new Set(lists.flat())].sort((a, b) => placeOf(a) - placeOf(b))
    return shared(ids)
  }
  const own = (elements: readonly { id: number }[]) => elements.map(({ id }) => id)
  return {
    ids: {
      nodes: idsOf(
        own(nodes),
        ways.flatMap(({ refs }) => refs),
        members(0),
      ),
      ways: idsOf(own(ways), members(1)),
      relations: idsOf(own(relations), members(2)),
    },
    deletedNodes: shared(own(nodes.filter(({ isDeleted }) => isDeleted))),
  }
}

function shared(ids: readonly number[]): Float64Array {
  const array = new Float64Array(new SharedArrayBuffer(ids.length * 8))
  array.set(ids)
  return array
}

/** Elements that are marked as deleted are not there. */
const foundIn = (views: readonly BlockView[]): Found =>
  byKind((kind) => {
    const found = new Map<number, FoundElement>()
    for (const view of views)
      for (const element of view.found[kind]) if (!element.isDeleted) found.set(element.id, element)
    return found
  })

function clipFor(within: ApplyOptions['within'], { box }: PbfHeader): Clip {
  if (within === 'anywhere') return null
  return clipOf(within === 'extract' ? box : (within as Box | Geometry))
}

/** @throws PbfFault `pbf-not-sorted` where blobs do not follow each other by type and id */
function checkOrder(views: readonly BlockView[], blobs: readonly BlobIndex[], path: string): void {
  let [lastKind, lastPlace] = [0, Number.NEGATIVE_INFINITY]
  for (const [i, { ranges }] of views.entries()) {
    for (const [kind, name] of KINDS.entries()) {
      const range = ranges[name]
      if (range === null) continue
      if (kind < lastKind || (kind === lastKind && range[0] <= lastPlace))
        throw notSorted({ path, offset: blobs[i]!.offset })
      lastKind = kind
      lastPlace = range[1]
    }
  }
}
