import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Progress } from '@skyscript/core'
import type { BlobReaders } from './blob-threads.ts'
import type { PbfFile } from './blobs.ts'
import { NODES, RELATIONS, visitBlock, WAYS } from './block.ts'
import type { FeatureChunk } from './feature-writer.ts'
import { type IdSet, intersectionOf, rankIds, unionOf } from './id-set.ts'
import { PLACE_BYTES, type SharedLocations } from './locations.ts'
import { joinLines, type MemberLines, sortIds } from './member-ways.ts'
import { byKind, KINDS, NewestChooser } from './newest.ts'
import { PbfFault } from './pbf-fault.ts'
import type { IdRange } from './sightings.ts'
import type { Pass, PlacedBlob, Task, TaskResult } from './tasks.ts'

interface Means {
  readonly readers: BlobReaders
  /** Node positions beyond this many bytes are kept in a temporary file. */
  readonly locationBytes: number
  readonly progress: Progress
  readonly signal: AbortSignal | undefined
}

/** A file among those that are read as one. */
export interface InputFile {
  readonly file: PbfFile
  readonly blobs: readonly PlacedBlob[]
  /** Whether it says that nodes come first, then ways, then relations, each by id. */
  readonly sorted: boolean
}

/** A sorted file turns out to hold an id more than once: it must be read anew, by a reading that looks for that first. */
export class RepeatedIds extends Error {}

/** Bytes of blobs in a task: some 20 milliseconds of work, of which handing it over is a hundredth. */
const TASK_BYTES = 400_000
/** Of blocks reduced to the ways that are needed; more of them are read again. */
const REDUCED_BYTES = 64e6
/** Areas that a task makes: a few seconds of work where they are large. */
const AREAS_PER_TASK = 256

/**
 * One reading of some files as one, in passes over the blobs that hold a kind of element: relations for the ways they
 * need, ways for the nodes they need, nodes for their positions, ways again for their lines, relations again for their
 * areas. Where ids may come more than once, passes before these find out which element of each counts.
 */
export class Reading {
  readonly #files: readonly InputFile[]
  readonly #blobs: readonly PlacedBlob[]
  /** Whether ids that come more than once are looked for before anything else; they are noticed anyway. */
  #looksForRepeats: boolean
  readonly #means: Means
  /** What each blob holds, where it is known. */
  readonly #kinds = new Map<PlacedBlob, number>()
  readonly #bytes: number
  /** How much of the whole is done, of 1. */
  #done = 0
  #folder: string | null = null

  constructor(files: readonly InputFile[], looksForRepeats: boolean, means: Means) {
    this.#files = files
    this.#blobs = files.flatMap(({ blobs }) => blobs.filter(({ type }) => type === 'OSMData'))
    this.#looksForRepeats = looksForRepeats
    this.#means = means
    this.#bytes = files.reduce((sum, { file }) => sum + file.bytes, 0)
  }

  /** @throws RepeatedIds before anything is given out that the other reading would not begin with too */
  async *chunks(): AsyncGenerator<FeatureChunk> {
    const { readers, progress } = this.#means
    await this.#findKinds()
    if (this.#looksForRepeats) await this.#chooseNewest()
    const [nodes, ways, relations] = [NODES, WAYS, RELATIONS].map((kind) =>
      this.#blobs.filter((blob) => (this.#kinds.get(blob)! & kind) !== 0),
    ) as [PlacedBlob[], PlacedBlob[], PlacedBlob[]]
    const bytesOf = (blobs: readonly PlacedBlob[]) => blobs.reduce((sum, { size }) => sum + size, 0)
    const passes = bytesOf(nodes) + 2 * (bytesOf(ways) + bytesOf(relations))
    const left = 1 - this.#done
    const part = (blobs: readonly PlacedBlob[]) => (left * bytesOf(blobs)) / passes

    const areas: Task[] = []
    const relationIds = new RisingIds()
    for await (const { task, result } of this.#run(tasksOf('members', relations), part(relations))) {
      this.#follow(relationIds, result.ranges.relations)
      for (let from = 0; from < result.relations; from += AREAS_PER_TASK)
        areas.push({ ...task, pass: 'areas', relations: [from, from + AREAS_PER_TASK] })
    }
    const memberIds = sortIds(await readers.gather('memberIds'))
    readers.share({ memberIds })

    const toMake: Task[] = []
    const wayIds = new RisingIds()
    let room = REDUCED_BYTES
    for await (const { task, result } of this.#run(tasksOf('refs', ways), part(ways))) {
      this.#follow(wayIds, result.ranges.ways)
      const reduced = result.reduced.map((block) => (block !== null && (room -= block.length) > 0 ? block : null))
      toMake.push({ ...task, pass: 'ways', reduced })
    }
    const ranks = rankIds((await readers.gather('needed')).reduce((a, b) => unionOf(a, b)))
    readers.share({ nodes: { ranks, locations: await this.#roomFor(ranks.count) } })

    const nodeIds = new RisingIds()
    // One chunk is kept back: its last node may have the id of the first node of the next.
    let waiting: FeatureChunk | null = null
    for await (const { result } of this.#run(tasksOf('nodes', nodes), part(nodes))) {
      this.#follow(nodeIds, result.ranges.nodes)
      if (waiting) yield waiting
      waiting = result.chunk
    }
    if (waiting) yield waiting

    const lines: MemberLines[] = []
    for await (const { result } of this.#run(toMake, part(ways))) {
      if (result.lines) lines.push(result.lines)
      if (result.chunk) yield result.chunk
    }
    readers.share({ lines: joinLines(memberIds, lines) })
    for await (const { result } of this.#run(areas, part(relations))) if (result.chunk) yield result.chunk
    progress.update(this.#bytes, this.#bytes)
  }

  /** Removes the file of positions, if there is one; once no thread reads it any more. */
  async removeFile(): Promise<void> {
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true })
  }

  /** @param part of the whole that these tasks are */
  async *#run(tasks: readonly Task[], part: number): AsyncGenerator<{ task: Task; result: TaskResult }> {
    const { readers, progress, signal } = this.#means
    const before = this.#done
    let done = 0
    signal?.throwIfAborted()
    for await (const result of readers.run(tasks)) {
      signal?.throwIfAborted()
      const task = tasks[done++]!
      for (const [i, blob] of task.blobs.entries()) {
        const known = this.#kinds.get(blob)
        if (known !== undefined && (result.kinds[i]! & ~known) !== 0) this.#refuseOrder(blob)
      }
      yield { task, result }
      this.#done = before + (part * done) / tasks.length
      progress.update(Math.floor(this.#done * this.#bytes), this.#bytes)
    }
  }

  #refuseOrder(blob: PlacedBlob): never {
    const what = 'says that it is sorted by type, and is not; sort it with `osmium sort`'
    const { path } = this.#files.find(({ blobs }) => blobs.includes(blob))!.file
    throw new PbfFault('pbf-not-sorted', what, { path, offset: blob.offset })
  }

  /** What each blob holds: of a sorted file a few blobs tell, into others all are looked. */
  async #findKinds(): Promise<void> {
    const looked: PlacedBlob[] = []
    for (const input of this.#files) {
      const known = input.sorted ? kindsByOrder(input) : null
      if (known) for (const [blob, kinds] of known) this.#kinds.set(blob, kinds)
      else looked.push(...input.blobs.filter(({ type }) => type === 'OSMData'))
    }
    const ids = byKind(() => new RisingIds())
    for await (const { task, result } of this.#run(tasksOf('kinds', looked), looked.length === 0 ? 0 : 1 / 4)) {
      for (const [i, blob] of task.blobs.entries()) this.#kinds.set(blob, result.kinds[i]!)
      for (const kind of KINDS) if (!ids[kind].add(result.ranges[kind])) this.#looksForRepeats = true
    }
  }

  /** Finds the ids that come more than once, and of each the element that counts. */
  async #chooseNewest(): Promise<void> {
    const { readers } = this.#means
    for await (const _ of this.#run(tasksOf('repeats', this.#blobs), (1 - this.#done) / 4)) {
    }
    const gathered = await readers.gather('ids')
    const choosers = byKind((kind) => new NewestChooser(repeatedIn(gathered.map((ids) => ids[kind]))))
    if (KINDS.every((kind) => choosers[kind].ranks.count === 0)) return
    readers.share({ repeated: byKind((kind) => choosers[kind].ranks) })
    for await (const { result } of this.#run(tasksOf('versions', this.#blobs), (1 - this.#done) / 4))
      for (const kind of KINDS) choosers[kind].see(result.occurrences![kind])
    readers.share({ newest: byKind((kind) => choosers[kind].newest()) })
  }

  #follow(ids: RisingIds, range: IdRange | null): void {
    if (!ids.add(range) && !this.#looksForRepeats) throw new RepeatedIds()
  }

  async #roomFor(count: number): Promise<SharedLocations> {
    const bytes = count * PLACE_BYTES
    if (bytes <= this.#means.locationBytes) return { places: new Int32Array(new SharedArrayBuffer(bytes)) }
    this.#folder = await mkdtemp(join(tmpdir(), 'skyscript-locations-'))
    const path = join(this.#folder, 'locations')
    // Nothing but zeros, which take no place on the disk.
    await writeFile(path, '')
    await truncate(path, bytes)
    return { path }
  }
}

/** Whether ids rise over successive ranges, none coming twice. */
class RisingIds {
  #last = Number.NEGATIVE_INFINITY

  add(range: IdRange | null): boolean {
    if (range === null) return true
    const rises = range.rises && range.first > this.#last
    this.#last = Math.max(this.#last, range.last)
    return rises
  }
}

/** Ids that a thread saw more than once, or several threads. */
function repeatedIn(threads: readonly { readonly seen: IdSet; readonly repeated: IdSet }[]): IdSet {
  return threads.reduce((all, { seen, repeated }) => ({
    seen: unionOf(all.seen, seen),
    repeated: unionOf(unionOf(all.repeated, repeated), intersectionOf(all.seen, seen)),
  })).repeated
}

/**
 * Of a sorted file a few blobs tell where ways and relations begin. null where one of them is empty, which leaves open
 * on which side it stands.
 */
function kindsByOrder({ file, blobs: all }: InputFile): Map<PlacedBlob, number> | null {
  const blobs = all.filter(({ type }) => type === 'OSMData')
  const known = new Map<PlacedBlob, number>()
  const kindsOf = (blob: PlacedBlob): number => {
    const kinds = known.get(blob) ?? visitBlock(file.read(blob), { path: file.path, offset: blob.offset }, {})
    known.set(blob, kinds)
    return kinds
  }
  const firstOf = (kind: number): number | null => {
    let [low, high] = [0, blobs.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const kinds = kindsOf(blobs[middle]!)
      if (kinds === 0) return null
      if (kinds >= kind) high = middle
      else low = middle + 1
    }
    return low
  }
  const [ways, relations] = [firstOf(WAYS), firstOf(RELATIONS)]
  if (ways === null || relations === null) return null
  const expected = (i: number) => (i < ways ? NODES : i < relations ? WAYS : RELATIONS)
  return new Map(blobs.map((blob, i) => [blob, known.get(blob) ?? expected(i)]))
}

function tasksOf(pass: Pass, blobs: readonly PlacedBlob[]): Task[] {
  const tasks: Task[] = []
  let [from, bytes] = [0, 0]
  for (const [i, { size }] of blobs.entries()) {
    bytes += size
    if (bytes < TASK_BYTES && i < blobs.length - 1) continue
    tasks.push({ pass, blobs: blobs.slice(from, i + 1) })
    from = i + 1
    bytes = 0
  }
  return tasks
}
