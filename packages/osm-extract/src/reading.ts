import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Progress } from '@skyscript/core'
import type { BlobReaders } from './blob-threads.ts'
import type { BlobIndex, PbfFile } from './blobs.ts'
import { NODES, RELATIONS, visitBlock, WAYS } from './block.ts'
import type { FeatureChunk } from './feature-writer.ts'
import { PLACE_BYTES, type SharedLocations } from './locations.ts'
import { joinLines, type MemberLines, sortIds } from './member-ways.ts'
import { rankNodes, unionOf } from './needed-nodes.ts'
import type { Pass, Task, TaskResult } from './passes.ts'
import { PbfFault } from './pbf-fault.ts'

interface Means {
  readonly readers: BlobReaders
  /** Node positions beyond so many bytes are kept in a temporary file. */
  readonly locationBytes: number
  readonly progress: Progress
  readonly signal: AbortSignal | undefined
}

/** Bytes of blobs in a task: some 20 milliseconds of work, of which handing it over is a hundredth. */
const TASK_BYTES = 400_000
/** Of blocks reduced to the ways that are needed; more of them are read again. */
const REDUCED_BYTES = 64e6
/** Areas that a task makes: a few seconds of work where they are large. */
const AREAS_PER_TASK = 256

/**
 * One reading of a file, in passes over the blobs that hold a kind of element: relations for the ways they need, ways for
 * the nodes they need, nodes for their positions, ways again for their lines, relations again for their areas.
 */
export class Reading {
  readonly #file: PbfFile
  readonly #blobs: readonly BlobIndex[]
  readonly #isSorted: boolean
  readonly #means: Means
  /** What each blob holds, where it is known. */
  #kinds: ReadonlyMap<BlobIndex, number> = new Map()
  /** How much of the whole is done, of 1. */
  #done = 0
  #folder: string | null = null

  constructor(file: PbfFile, blobs: readonly BlobIndex[], isSorted: boolean, means: Means) {
    this.#file = file
    this.#blobs = blobs.filter(({ type }) => type === 'OSMData')
    this.#isSorted = isSorted
    this.#means = means
  }

  async *chunks(): AsyncGenerator<FeatureChunk> {
    const { readers, progress } = this.#means
    this.#kinds = (this.#isSorted && this.#kindsByOrder()) || (await this.#kindsOfEach())
    const [nodes, ways, relations] = [NODES, WAYS, RELATIONS].map((kind) =>
      this.#blobs.filter((blob) => (this.#kinds.get(blob)! & kind) !== 0),
    ) as [BlobIndex[], BlobIndex[], BlobIndex[]]
    const bytesOf = (blobs: readonly BlobIndex[]) => blobs.reduce((sum, { size }) => sum + size, 0)
    const passes = bytesOf(nodes) + 2 * (bytesOf(ways) + bytesOf(relations))
    const left = 1 - this.#done
    const part = (blobs: readonly BlobIndex[]) => (left * bytesOf(blobs)) / passes

    const areas: Task[] = []
    for await (const { task, result } of this.#run(tasksOf('members', relations), part(relations))) {
      for (let from = 0; from < result.relations; from += AREAS_PER_TASK)
        areas.push({ ...task, pass: 'areas', relations: [from, from + AREAS_PER_TASK] })
    }
    const memberIds = sortIds(await readers.gather('memberIds'))
    readers.share({ memberIds })

    const toMake: Task[] = []
    let room = REDUCED_BYTES
    for await (const { task, result } of this.#run(tasksOf('refs', ways), part(ways))) {
      const reduced = result.reduced.map((block) => (block !== null && (room -= block.length) > 0 ? block : null))
      toMake.push({ ...task, pass: 'ways', reduced })
    }
    const ranks = rankNodes((await readers.gather('needed')).reduce((a, b) => unionOf(a, b)))
    readers.share({ nodes: { ranks, locations: await this.#roomFor(ranks.count) } })

    let last = Number.NEGATIVE_INFINITY
    let isRising = true
    for await (const { result } of this.#run(tasksOf('nodes', nodes), part(nodes))) {
      const [first, end] = result.range ?? [Number.NEGATIVE_INFINITY, last]
      if (first <= last) isRising = false
      last = Math.max(last, end)
      if (result.chunk) yield result.chunk
    }
    // Of a node that comes twice the last position counts, and threads don't wait for each other.
    if (!isRising)
      for (const task of tasksOf('positions', nodes))
        for await (const _ of this.#run([task], 0)) {
        }

    const lines: MemberLines[] = []
    for await (const { result } of this.#run(toMake, part(ways))) {
      if (result.lines) lines.push(result.lines)
      if (result.chunk) yield result.chunk
    }
    readers.share({ lines: joinLines(memberIds, lines) })
    for await (const { result } of this.#run(areas, part(relations))) if (result.chunk) yield result.chunk
    progress.update(this.#file.bytes, this.#file.bytes)
  }

  /** Removes the file of positions, if there is one; once no thread reads it any more. */
  async removeFile(): Promise<void> {
    if (this.#folder) await rm(this.#folder, { recursive: true, force: true })
  }

  /** @param part of the whole that these tasks are */
  async *#run(tasks: readonly Task[], part: number): AsyncGenerator<{ task: Task; result: TaskResult }> {
    const { readers, progress, signal } = this.#means
    const { bytes } = this.#file
    const before = this.#done
    let done = 0
    signal?.throwIfAborted()
    for await (const result of readers.run(tasks)) {
      signal?.throwIfAborted()
      const task = tasks[done++]!
      for (const [i, blob] of task.blobs.entries()) {
        const known = this.#kinds.get(blob)
        if (this.#isSorted && known !== undefined && (result.kinds[i]! & ~known) !== 0) this.#refuseOrder(blob)
      }
      yield { task, result }
      this.#done = before + (part * done) / tasks.length
      progress.update(Math.floor(this.#done * bytes), bytes)
    }
  }

  #refuseOrder({ offset }: BlobIndex): never {
    const what = 'says that it is sorted by type, and is not; sort it with `osmium sort`'
    throw new PbfFault('pbf-not-sorted', what, { path: this.#file.path, offset })
  }

  /** Looks into every blob. */
  async #kindsOfEach(): Promise<Map<BlobIndex, number>> {
    const kinds = new Map<BlobIndex, number>()
    for await (const { task, result } of this.#run(tasksOf('kinds', this.#blobs), 1 / 4))
      for (const [i, blob] of task.blobs.entries()) kinds.set(blob, result.kinds[i]!)
    return kinds
  }

  /**
   * Of a sorted file a few blobs tell where ways and relations begin. null where one of them is empty, which leaves open
   * on which side it stands.
   */
  #kindsByOrder(): Map<BlobIndex, number> | null {
    const known = new Map<BlobIndex, number>()
    const kindsOf = (blob: BlobIndex): number => {
      const kinds =
        known.get(blob) ?? visitBlock(this.#file.read(blob), { path: this.#file.path, offset: blob.offset }, {})
      known.set(blob, kinds)
      return kinds
    }
    const firstOf = (kind: number): number | null => {
      let [low, high] = [0, this.#blobs.length]
      while (low < high) {
        const middle = (low + high) >>> 1
        const kinds = kindsOf(this.#blobs[middle]!)
        if (kinds === 0) return null
        if (kinds >= kind) high = middle
        else low = middle + 1
      }
      return low
    }
    const [ways, relations] = [firstOf(WAYS), firstOf(RELATIONS)]
    if (ways === null || relations === null) return null
    const expected = (i: number) => (i < ways ? NODES : i < relations ? WAYS : RELATIONS)
    return new Map(this.#blobs.map((blob, i) => [blob, known.get(blob) ?? expected(i)]))
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

function tasksOf(pass: Pass, blobs: readonly BlobIndex[]): Task[] {
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
