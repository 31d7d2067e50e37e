import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Captioner } from '@skyscript/captioner'
import {
  type Box,
  boxCenter,
  boxOf,
  type Config,
  fingerprint,
  fromFeatureLine,
  mapTileAt,
  mapTilesOf,
  type OsmObject,
  type Progress,
  putJson,
  type Storage,
  sha256,
} from '@skyscript/core'
import { extract, type FeatureChunk } from '@skyscript/osm-extract'
import { readClip } from './clip.ts'
import { getResult } from './content-check.ts'
import type { SourceFile } from './inputs.ts'
import { type ExtractIndex, extractIndexKey, sortedCounts, tileKey, VERSIONS } from './run.ts'

/** Lines are held in memory up to this size, then appended to one temporary file per map tile. */
const BUFFERED_BYTES = 64 * 2 ** 20

/**
 * Reads the OSM extracts into map tiles in storage, unless the same files were read the same way before. Every object
 * is written into each tile that its box touches, so that a caption finds all objects around an image by tile.
 *
 * Memory: one tile's objects, plus what the PBF reader holds.
 *
 * @param existing keys in storage
 * @returns the fingerprint that names the extract
 */
export async function extractTiles(
  files: readonly SourceFile[],
  clipSetting: Config['osm']['clip'],
  captioner: Captioner,
  storage: Storage,
  existing: ReadonlySet<string>,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const clip = await readClip(clipSetting)
  const name = fingerprint(
    'extract',
    VERSIONS.extract,
    files.map((file) => file.sha256),
    clip,
    captioner.tagsFingerprint,
  )
  const known = await getResult<ExtractIndex>(storage, extractIndexKey(name))
  if (known && Object.keys(known.tiles).every((tile) => existing.has(tileKey(name, tile)))) return name
  const index = await writeTiles(name, files, clip, captioner, storage, progress, signal)
  await putJson(storage, extractIndexKey(name), index)
  return name
}

type Clip = Awaited<ReturnType<typeof readClip>>

async function writeTiles(
  name: string,
  files: readonly SourceFile[],
  clip: Clip,
  captioner: Captioner,
  storage: Storage,
  progress: Progress,
  signal: AbortSignal,
): Promise<ExtractIndex> {
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-extract-'))
  const spill = new TileSpill(folder)
  try {
    const extraction = extract(
      files.map((file) => file.path),
      { wanted: captioner.verdicts(), clip, signal, progress },
    )
    for await (const chunk of extraction.chunks()) await spill.add(chunk)
    const { headers, tagged, dropped } = extraction.report()
    const inputs = files.map(({ source, bytes, sha256 }, i) => {
      const { replicationTimestamp, replicationSequence, box } = headers[i]!
      return { name: basename(source), bytes, sha256, replicationTimestamp, replicationSequence, box }
    })
    const tiles: Record<string, ExtractIndex['tiles'][string]> = {}
    let stored: Promise<void> = Promise.resolve()
    for (const tile of spill.tiles()) {
      const lines = (await spill.read(tile)).sort((a, b) => (a.id < b.id ? -1 : 1))
      const text = lines.map(({ line }) => `${line}\n`).join('')
      const objects = lines.filter(({ isHome }) => isHome).length
      const all = sha256(text)
      const drawn = captioner.labels === 'visible' ? all : hashOfVisible(lines, captioner)
      tiles[tile] = { sha256: all, touching: lines.length, objects, ...(drawn !== all && { drawn }) }
      // One tile is compressed and stored while the next is sorted.
      await stored
      stored = compress(text, { level: 4 }).then((bytes) => storage.put(tileKey(name, tile), bytes))
      stored.catch(() => {})
    }
    await stored
    return { inputs, tiles, tagged, dropped: sortedCounts(dropped) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Hash of what a tile would hold if captions named only what can be seen; null for nothing. */
function hashOfVisible(lines: readonly TileLine[], captioner: Captioner): string | null {
  const visible = lines.filter(({ line }) => captioner.isVisible(fromFeatureLine(line).tags))
  return visible.length === 0 ? null : sha256(visible.map(({ line }) => `${line}\n`).join(''))
}

const compress = promisify(gzip)

/** The tile that an object belongs to, as against those that it merely touches. */
export function homeTile(object: OsmObject): string {
  return mapTileAt(boxCenter(boxOf(object.geometry)))
}

/** A line of a tile, as `fromFeatureLine` reads it. */
interface TileLine {
  readonly id: string
  readonly line: string
  /** Whether the tile is the object's own, and not one that it merely touches. */
  readonly isHome: boolean
}

/** Stand before the lines that are spilled. */
const [HOME, TOUCHING] = ['H', 'T'].map((mark) => mark.charCodeAt(0)) as [number, number]
/** What a line begins with: `{"type":"Feature","id":"`. */
const BEFORE_ID = '{"type":"Feature","id":"'.length

/** Lines by map tile, in memory while they are few and in one file per tile beyond. */
class TileSpill {
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
    for (const [i, end] of ends.entries()) {
      const box = boxAt(boxes, 4 * i)
      const home = mapTileAt(boxCenter(box))
      for (const tile of mapTilesOf(box)) this.#append(tile, tile === home ? HOME : TOUCHING, bytes, start, end)
      if (otherBoxes[other] === i) {
        for (const tile of mapTilesOf(boxAt(otherBoxes, other + 1))) this.#append(tile, TOUCHING, bytes, start, end)
        other += 5
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

  tiles(): string[] {
    for (const tile of this.#buffers.keys()) this.#known.add(tile)
    return [...this.#known].sort()
  }

  async read(tile: string): Promise<TileLine[]> {
    const spilled = await readFile(join(this.#folder, tile)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0)
      throw error
    })
    const buffer = this.#buffers.get(tile)
    const held = buffer ? Buffer.from(buffer.bytes.subarray(0, buffer.length)) : Buffer.alloc(0)
    const lines = Buffer.concat([spilled, held]).toString('utf8').split('\n')
    lines.pop()
    return lines.map((marked) => {
      const line = marked.slice(1)
      return { id: line.slice(BEFORE_ID, line.indexOf('"', BEFORE_ID)), line, isHome: marked.charCodeAt(0) === HOME }
    })
  }

  async #flush(): Promise<void> {
    for (const [tile, { bytes, length }] of this.#buffers) {
      this.#known.add(tile)
      await appendFile(join(this.#folder, tile), bytes.subarray(0, length))
    }
    this.#buffers.clear()
    this.#bytes = 0
  }
}
