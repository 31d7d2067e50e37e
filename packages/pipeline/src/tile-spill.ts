import { createReadStream } from 'node:fs'
import { appendFile, open } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Box,
  boxCenter,
  breather,
  mapTileAt,
  mapTileRange,
  mapTilesOf,
  readLines,
  sortInTurns,
} from '@skyscript/core'
import type { FeatureChunk } from '@skyscript/osm-extract'
import { Column, doubles } from './column.ts'
import { BEFORE_ID, editStart } from './outlines.ts'

/** Lines are held in memory up to this size, then appended to one temporary file per map tile. */
const BUFFERED_BYTES = 64 * 2 ** 20
/**
 * An object is written into each map tile that it touches while that repeats at most this many bytes of it. Larger ones
 * are wide: they are stored once, and the tiles name them.
 */
const REPEATED_BYTES = 16 * 2 ** 10

/** The lines of a tile, as `fromFeatureLine` reads them, sorted by id. */
export interface TileLines {
  readonly count: number
  /** How many are of objects of this tile, and not of those that merely touch it. */
  readonly homes: number
  readonly bytes: number
  /**
   * Lines with their line ends, in pieces of a megabyte or so; or of each line the part that says what the object is and
   * where, or only its version and timestamp.
   */
  pieces(part?: 'line' | 'content' | 'edit'): Generator<Buffer>
}

/** Pieces of lines end after this many bytes. */
const PIECE = 2 ** 20

/** Stand before the lines that are spilled. */
const [HOME, TOUCHING] = ['H', 'T'].map((mark) => mark.charCodeAt(0)) as [number, number]
/** Beside the names of map tiles. */
const WIDE = 'wide'

/** Lines by map tile, in memory while they are few and in one file per tile beyond; those of wide objects once. */
export class TileSpill {
  readonly #folder: string
  readonly #buffers = new Map<string, { bytes: Uint8Array; length: number }>()
  readonly #known = new Set<string>()
  #bytes = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  async add({ bytes, ends, boxes, otherBoxes }: FeatureChunk): Promise<void> {
    const boxAt = (list: Int32Array, at: number): Box => {
      const [west, south, east, north] = list.subarray(at, at + 4)
      return [west! / 1e7, south! / 1e7, east! / 1e7, north! / 1e7]
    }
    let start = 0
    let other = 0
    const breathe = breather()
    for (const [i, end] of ends.entries()) {
      if (i % TURN === 0) await breathe()
      const box = boxAt(boxes, 4 * i)
      const home = mapTileAt(boxCenter(box))
      const both = [box]
      if (otherBoxes[other] === i) {
        both.push(boxAt(otherBoxes, other + 1))
        other += 5
      }
      const tiles = both.reduce((sum, each) => sum + tilesIn(each), 0)
      if ((tiles - 1) * (end - start) > REPEATED_BYTES) this.#append(WIDE, TOUCHING, bytes, start, end)
      else {
        for (const each of both)
          for (const tile of mapTilesOf(each)) this.#append(tile, tile === home ? HOME : TOUCHING, bytes, start, end)
      }
      start = end
    }
    if (this.#bytes > BUFFERED_BYTES) await this.#flush()
  }

  #append(tile: string, mark: number, bytes: Uint8Array, start: number, end: number): void {
    let buffer = this.#buffers.get(tile)
    if (buffer === undefined) this.#buffers.set(tile, (buffer = { bytes: new Uint8Array(4096), length: 0 }))
    const length = buffer.length + 1 + end - start
    if (length > buffer.bytes.length) {
      const larger = new Uint8Array(2 * length)
      larger.set(buffer.bytes.subarray(0, buffer.length))
      buffer.bytes = larger
    }
    buffer.bytes[buffer.length] = mark
    buffer.bytes.set(bytes.subarray(start, end), buffer.length + 1)
    this.#bytes += length - buffer.length
    buffer.length = length
  }

  /** Names of the tiles that have lines, sorted. */
  tiles(): string[] {
    for (const name of this.#buffers.keys()) this.#known.add(name)
    return [...this.#known].filter((name) => name !== WIDE).sort()
  }

  /** Memory: the bytes of the tile, and some 50 for each line. */
  async read(tile: string): Promise<TileLines> {
    const marked = await this.#bytesOf(tile)
    const starts = new Column(doubles)
    const edits = new Column(doubles)
    const ids: string[] = []
    let homes = 0
    const breathe = breather()
    for (let start = 0; start < marked.length; ) {
      starts.push(start)
      if (marked[start] === HOME) homes++
      const from = start + 1 + BEFORE_ID
      const end = marked.indexOf(QUOTE, from)
      ids.push(marked.toString('latin1', from, end))
      const lineEnd = marked.indexOf(LINE_END, end)
      edits.push(editStart(marked, lineEnd))
      start = lineEnd + 1
      if (ids.length % TURN === 0) await breathe()
    }
    const order = await sortInTurns(Uint32Array.from(ids.keys()), (a, b) => (ids[a]! < ids[b]! ? -1 : 1))
    starts.push(marked.length)
    return {
      count: ids.length,
      homes,
      bytes: marked.length - ids.length,
      *pieces(part = 'line') {
        let lines: Buffer[] = []
        let bytes = 0
        for (const line of order) {
          const from = part === 'edit' ? edits.at(line) : starts.at(line) + 1
          const piece = marked.subarray(from, part === 'content' ? edits.at(line) : starts.at(line + 1))
          lines.push(piece)
          bytes += piece.length
          if (bytes < PIECE) continue
          yield Buffer.concat(lines)
          lines = []
          bytes = 0
        }
        if (bytes > 0) yield Buffer.concat(lines)
      },
    }
  }

  /** Lines of wide objects, one after the other: all of them may be more than fits in memory. */
  async *wide(): AsyncGenerator<{ readonly id: string; readonly line: string }> {
    if (this.#known.has(WIDE)) {
      for await (const line of readLines(createReadStream(join(this.#folder, WIDE)))) yield lineOf(line)
    }
    for (const line of this.#held(WIDE).toString('utf8').split('\n')) if (line !== '') yield lineOf(line)
  }

  async #bytesOf(tile: string): Promise<Buffer> {
    const held = this.#held(tile)
    if (!this.#known.has(tile)) return held
    const file = await open(join(this.#folder, tile)).catch(nullIfMissing)
    if (file === null) return held
    try {
      const { size } = await file.stat()
      const bytes = Buffer.allocUnsafe(size + held.length)
      for (let at = 0; at < size; ) at += (await file.read(bytes, at, Math.min(size - at, READ_BYTES), at)).bytesRead
      held.copy(bytes, size)
      return bytes
    } finally {
      await file.close()
    }
  }

  #held(name: string): Buffer {
    const buffer = this.#buffers.get(name)
    return buffer ? Buffer.from(buffer.bytes.subarray(0, buffer.length)) : NOTHING
  }

  async #flush(): Promise<void> {
    for (const [name, { bytes, length }] of this.#buffers) {
      this.#known.add(name)
      await appendFile(join(this.#folder, name), bytes.subarray(0, length))
    }
    this.#buffers.clear()
    this.#bytes = 0
  }
}

const NOTHING = Buffer.alloc(0)
const [LINE_END, QUOTE] = [10, 34]
/** Lines that are gone through before others may have their turn. */
const TURN = 4096
/** Of a file at a time. */
const READ_BYTES = 2 ** 24

function nullIfMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}

function tilesIn(box: Box): number {
  const { west, south, east, north } = mapTileRange(box)
  return (east - west + 1) * (north - south + 1)
}

function lineOf(marked: string) {
  const line = marked.slice(1)
  return { id: line.slice(BEFORE_ID, line.indexOf('"', BEFORE_ID)), line }
}
