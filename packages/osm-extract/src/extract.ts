import { availableParallelism } from 'node:os'
import {
  type Box,
  byKey,
  count,
  fromFeatureLine,
  type Geometry,
  InputError,
  type OsmObject,
  type Progress,
  silentProgress,
} from '@skyscript/core'
import { startBlobReaders } from './blob-threads.ts'
import { type BlobIndex, openPbf, type PbfFile } from './blobs.ts'
import { clipOf } from './clip.ts'
import type { FeatureChunk } from './feature-writer.ts'
import { isoSeconds, type PbfHeader, parseHeader } from './header.ts'
import { PbfFault } from './pbf-fault.ts'
import { type InputFile, Reading, RepeatedIds } from './reading.ts'
import type { TagRules } from './tag-rules.ts'
import { checkVerdicts, type TagVerdicts } from './tag-verdicts.ts'
import type { Counts } from './tasks.ts'

export interface ExtractOptions {
  /**
   * Which tagged elements become objects: those with a tag that is meant. The others are dropped as `not-wanted`, or for
   * the reason that verdicts give.
   */
  readonly wanted: TagRules | TagVerdicts | 'all'
  /** Which tags `tagCounts` counts; none where it is left out, since a large file has millions of different tags. */
  readonly counted?: TagRules | TagVerdicts | 'all' | null
  /** Only objects whose geometry meets this, whole: a box or polygons in degrees, which may cross 180 degrees. */
  readonly clip?: Box | Geometry | null
  /**
   * The time whose map is wanted, as `parseInstant` of the core package writes it: takes files of histories, and of each
   * element the last version that is not after it, as `osmium time-filter` does. Other versions are not counted.
   */
  readonly at?: string | null
  /** Threads that read; by default as many as there are cores, and only this one for files below 32 MB. */
  readonly threads?: number
  /** Node positions beyond this many bytes are kept in a temporary file; by default half of the memory that is free. */
  readonly locationBytes?: number
  /** In bytes of the files; every pass over them counts. */
  readonly progress?: Progress
  readonly signal?: AbortSignal
}

/** What was read: tagged = emitted + dropped. */
export interface ExtractReport extends Omit<Counts, 'dropped' | 'edits'> {
  /** Of each file, in the order in which they were given. */
  readonly headers: readonly PbfHeader[]
  /** Tagged elements that became no object, by reason, in alphabetical order. */
  readonly dropped: ReadonlyMap<string, number>
  /** Of files of histories: when the last edit was made that they have, ISO 8601 UTC; null of others, and without timestamps. */
  readonly newestEdit: string | null
}

/** Objects in the order nodes, ways, relations, each as in the file; `report` is there once they have all come. */
export interface Extraction extends AsyncIterable<OsmObject> {
  /** The same objects as bytes, which is quicker where they are written or passed on. */
  chunks(): AsyncGenerator<FeatureChunk>
  report(): ExtractReport
}

/** Below, one thread is done before others have warmed up. */
const SMALL_FILE = 32e6

/**
 * Reads the objects of .osm.pbf files with their geometry, a few blobs ahead of who takes them. Several files are read as
 * one map: an object, and each node of a way and way of an area, is taken once, wherever it is found. Of elements with
 * the same id, in one file or in several, the highest version counts; of equal versions that of the file with the newest
 * replication timestamp in its header (files without one count as oldest); of equal files the one that is later in the
 * list. The others are dropped as `in-several-extracts`.
 *
 * Memory: 8 bytes for each node that a wanted way needs (in a file beyond `locationBytes`) and a bit for every id of its
 * block of 512; the lines of the member ways of wanted relations; for each thread some blobs. If ids may occur more than
 * once, also a bit for every id of a block of 512 that has any, and 12 bytes for every id that does.
 *
 * @throws InputError (PbfFault with the byte offset) where a file is not a whole OSM PBF file
 * @throws InputError `before-history` where files of histories have nothing as old as `at`
 * @throws InputError `bad-clip` at once where a polygon can't be cut at 180 degrees
 * @throws TypeError at once where verdicts contradict themselves
 */
export function extract(paths: string | readonly string[], options: ExtractOptions): Extraction {
  const { wanted, counted = null, at = null } = options
  const clip = clipOf(options.clip ?? null)
  for (const rules of [wanted, counted])
    if (rules !== null && typeof rules === 'object' && 'reasons' in rules) checkVerdicts(rules)
  const given = typeof paths === 'string' ? [paths] : paths
  let report: ExtractReport | undefined
  async function* chunks(): AsyncGenerator<FeatureChunk> {
    report = undefined
    options.signal?.throwIfAborted()
    const files: PbfFile[] = []
    let passedOn = 0
    try {
      for (const path of given) files.push(openPbf(path))
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
      const { threads = bytes < SMALL_FILE ? 1 : availableParallelism() } = options
      for (let looksForRepeats = files.length > 1; report === undefined; looksForRepeats = true) {
        // Threads take a moment to start, in which the blobs are found.
        const readers = startBlobReaders(threads, given, {
          wanted,
          counted,
          clip,
          at: at === null ? null : Date.parse(at) / 1000,
        })
        let reading: Reading | undefined
        try {
          const { headers, inputs } = inputsOf(files, at)
          reading = new Reading(inputs, looksForRepeats, {
            readers,
            locationBytes: options.locationBytes ?? process.availableMemory() / 2,
            progress: options.progress ?? silentProgress,
            signal: options.signal,
          })
          let come = 0
          for await (const chunk of reading.chunks()) {
            // A reading that is done again begins with the chunks that were passed on before.
            if (come++ < passedOn) continue
            passedOn++
            yield chunk
          }
          const counts = await readers.gather('counts')
          const edits = editsOf(counts)
          if (at !== null && edits.oldest > Date.parse(at) / 1000) throw beforeHistory(given, at, edits.oldest)
          report = { headers, ...sumOf(counts), newestEdit: isoSeconds(edits.newest) }
        } catch (error) {
          if (!(error instanceof RepeatedIds)) throw error
        } finally {
          await readers.close()
          await reading?.removeFile()
        }
      }
    } finally {
      for (const file of files) file.close()
    }
  }
  return {
    chunks,
    async *[Symbol.asyncIterator]() {
      for await (const chunk of chunks()) {
        for (const object of objectsOf(chunk)) {
          options.signal?.throwIfAborted()
          yield object
        }
      }
    },
    report() {
      if (report === undefined) throw new TypeError('The report is there once all objects have come.')
      return report
    },
  }
}

function* objectsOf({ bytes, ends }: FeatureChunk): Generator<OsmObject> {
  const text = Buffer.from(bytes.buffer)
  let start = 0
  for (const end of ends) {
    yield fromFeatureLine(text.toString('utf8', start, end))
    start = end
  }
}

const editsOf = (all: readonly Counts[]): Counts['edits'] => ({
  oldest: Math.min(...all.map(({ edits }) => edits.oldest)),
  newest: Math.max(...all.map(({ edits }) => edits.newest)),
})

function beforeHistory(paths: readonly string[], at: string, oldest: number): InputError {
  const which = paths.length === 1 ? `${paths[0]} has` : 'the history files have'
  return new InputError(
    'before-history',
    `There is no map of ${at}: the oldest edit that ${which} is of ${isoSeconds(oldest)}; give a later time as osm.at or --at.`,
  )
}

function sumOf(all: readonly Counts[]): Omit<ExtractReport, 'headers' | 'newestEdit'> {
  const sum = (value: (counts: Counts) => number) => all.reduce((total, counts) => total + value(counts), 0)
  const merged = (value: (counts: Counts) => ReadonlyMap<string, number>) => {
    const total = new Map<string, number>()
    for (const counts of all) for (const [key, n] of value(counts)) count(total, key, n)
    return new Map([...total].sort(byKey))
  }
  return {
    read: {
      nodes: sum(({ read }) => read.nodes),
      ways: sum(({ read }) => read.ways),
      relations: sum(({ read }) => read.relations),
    },
    tagged: sum(({ tagged }) => tagged),
    emitted: {
      points: sum(({ emitted }) => emitted.points),
      lines: sum(({ emitted }) => emitted.lines),
      areas: sum(({ emitted }) => emitted.areas),
    },
    dropped: merged(({ dropped }) => dropped),
    tagCounts: merged(({ tagCounts }) => tagCounts),
  }
}

/** Headers in the order of the files, and what to read, the oldest file first. */
function inputsOf(files: readonly PbfFile[], at: string | null): { headers: PbfHeader[]; inputs: InputFile[] } {
  const found = files.map((file, place) => {
    const blobs = file.index()
    return { file, place, blobs, header: readHeader(file, blobs, at) }
  })
  const ageOf = ({ header }: (typeof found)[number]) => header.replicationTimestamp ?? ''
  let number = 0
  return {
    headers: found.map(({ header }) => header),
    // Of times in one format the text that comes first is the older; sorting leaves files of one time in their order.
    inputs: found
      .toSorted((a, b) => (ageOf(a) < ageOf(b) ? -1 : ageOf(a) > ageOf(b) ? 1 : 0))
      .map(({ file, place, blobs, header: { sorted } }) => ({
        file,
        sorted,
        blobs: blobs.map((blob) => ({ ...blob, file: place, number: number++ })),
      })),
  }
}

function readHeader(file: PbfFile, [first, ...rest]: readonly BlobIndex[], at: string | null): PbfHeader {
  const second = rest.find((blob) => blob.type === 'OSMHeader')
  if (second) {
    throw new PbfFault(
      'pbf-second-header',
      'has a second header; it looks like two files in one, so join them with `osmium merge`',
      { path: file.path, offset: second.offset },
    )
  }
  return parseHeader(file.read(first!), { path: file.path, offset: first!.offset }, at)
}
