import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, type Transform } from 'node:stream'
import { promisify } from 'node:util'
import { createGzip, gzip } from 'node:zlib'
import type { Captioner } from '@skyscript/captioner'
import {
  boxCenter,
  boxOf,
  breather,
  type Config,
  fingerprint,
  fromFeatureLine,
  mapTileAt,
  mapTilesMet,
  type OsmObject,
  type Progress,
  putJson,
  type Storage,
  sha256,
} from '@skyscript/core'
import { extract } from '@skyscript/osm-extract'
import pMap from 'p-map'
import { readClip } from './clip.ts'
import { editStart, outlinesOf } from './outlines.ts'
import { getWhole } from './results.ts'
import { type ExtractIndex, type ExtractTile, extractIndexKey, hasLines, tileKey, VERSIONS, wideKey } from './run.ts'
import { inputOf, type SourceFile } from './source-file.ts'
import { sortedCounts } from './tables.ts'
import { type TileLines, TileSpill } from './tile-spill.ts'

/** Files of wide objects that are written at a time. */
const WRITES = 8
/** A tile of more bytes is stored before the next is read. */
const LARGE_BYTES = 2 ** 26
/** Compressed tiles come in pieces of this many bytes: pieces of zlib's 16 KB would take as long to pass on as to pack. */
const PACKED_CHUNK = 2 ** 18

/**
 * Reads the OSM extracts into map tiles in storage, unless the same files were read the same way before. A caption finds
 * all objects around an image by tile: an object is written into each tile that its box touches, or, if that would repeat
 * much, into a file of its own, and the index of the extract names it for each tile that its geometry meets.
 *
 * Memory: one tile's bytes, plus what the PBF reader holds.
 *
 * @param existing keys in storage
 * @returns the fingerprint that names the extract
 */
export async function extractTiles(
  files: readonly SourceFile[],
  osm: Pick<Config['osm'], 'clip' | 'at'>,
  captioner: Captioner,
  storage: Storage,
  existing: ReadonlySet<string>,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const clip = await readClip(osm.clip)
  const { at } = osm
  const name = fingerprint(
    'extract',
    VERSIONS.extract,
    files.map((file) => file.sha256),
    clip,
    captioner.tagsFingerprint,
    ...(at === undefined ? [] : [at]),
  )
  const known = await getWhole<ExtractIndex>(storage, extractIndexKey(name))
  if (known && keysOf(name, known).every((key) => existing.has(key))) return name
  const index = await writeTiles(name, files, { clip, at }, captioner, storage, progress, signal)
  await putJson(storage, extractIndexKey(name), index)
  return name
}

async function storeLines(lines: TileLines, storage: Storage, key: string): Promise<void> {
  const packed = Readable.from(lines.pieces()).compose<Transform>(createGzip({ level: 4, chunkSize: PACKED_CHUNK }))
  await storage.put(key, Buffer.concat(await packed.toArray()))
}

type Clip = Awaited<ReturnType<typeof readClip>>

async function writeTiles(
  name: string,
  files: readonly SourceFile[],
  { clip, at }: { readonly clip: Clip; readonly at: string | undefined },
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
      { wanted: captioner.verdicts(), clip, at: at ?? null, signal, progress },
    )
    for await (const chunk of extraction.chunks()) await spill.add(chunk)
    const { headers, tagged, dropped, newestEdit } = extraction.report()
    const ofTime = at === undefined ? {} : { replicationTimestamp: at, replicationSequence: null }
    const inputs = files.map((file, i) => inputOf(file, { ...headers[i]!, ...ofTime }))
    const wide = await storeWide(name, spill, captioner, storage)
    const wideIn = wideByTile(wide)
    const tiles: Record<string, ExtractIndex['tiles'][string]> = {}
    let stored: Promise<void> = Promise.resolve()
    for (const tile of [...new Set([...spill.tiles(), ...wideIn.keys()])].sort()) {
      const lines = await spill.read(tile)
      tiles[tile] = await describeTile(tile, lines, wideIn.get(tile) ?? [], captioner)
      // A tile is compressed and stored while the next is sorted, unless it is so large that both would take much memory.
      await stored
      if (lines.count === 0) continue
      stored = storeLines(lines, storage, tileKey(name, tile))
      if (lines.bytes > LARGE_BYTES) await stored
      stored.catch(() => {})
    }
    await stored
    const homes = wide.map(({ id, home, bytes }) => [id, { home, bytes }] as const)
    return {
      inputs,
      ...(at !== undefined && { newestEdit }),
      tiles,
      ...(homes.length > 0 && { wide: Object.fromEntries(homes) }),
      tagged,
      dropped: sortedCounts(dropped),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Keys of all files that an index lists. */
const keysOf = (name: string, { tiles, wide = {} }: ExtractIndex): string[] => [
  ...Object.entries(tiles).flatMap(([tile, each]) => (hasLines(each) ? [tileKey(name, tile)] : [])),
  ...Object.keys(wide).map((id) => wideKey(name, id)),
]

/** An object that is stored once, whatever the number of map tiles that it meets. */
interface WideObject {
  readonly id: string
  readonly home: string
  /** Of its line, uncompressed. */
  readonly bytes: number
  /** Of its content, and of its version and timestamp. */
  readonly sha256: string
  readonly edit: string
  readonly isVisible: boolean
  readonly tiles: readonly string[]
}

async function storeWide(
  name: string,
  spill: TileSpill,
  captioner: Captioner,
  storage: Storage,
): Promise<WideObject[]> {
  const store = async ({ id, line }: { readonly id: string; readonly line: string }): Promise<WideObject> => {
    await storage.put(wideKey(name, id), await compress(`${line}\n`, { level: 4 }))
    const object = fromFeatureLine(line)
    const home = homeTile(object)
    const tiles = [...new Set([...mapTilesMet(object.geometry), home])]
    const isVisible = captioner.isVisible(object.tags)
    const bytes = Buffer.from(line)
    const at = editStart(bytes, bytes.length)
    const [content, edit] = [bytes.subarray(0, at), bytes.subarray(at)].map((part) => sha256(part))
    return { id, home, bytes: bytes.length, sha256: content!, edit: edit!, isVisible, tiles }
  }
  const wide = await pMap(spill.wide(), store, { concurrency: WRITES })
  return wide.sort((a, b) => (a.id < b.id ? -1 : 1))
}

function wideByTile(wide: readonly WideObject[]): Map<string, WideObject[]> {
  const byTile = new Map<string, WideObject[]>()
  for (const object of wide) {
    for (const tile of object.tiles) {
      const others = byTile.get(tile)
      if (others) others.push(object)
      else byTile.set(tile, [object])
    }
  }
  return byTile
}

async function describeTile(
  tile: string,
  lines: TileLines,
  wide: readonly WideObject[],
  captioner: Captioner,
): Promise<ExtractTile> {
  const all = hashOf(await hashOfLines(lines.pieces('content')), wide)!
  const drawn =
    captioner.labels === 'visible'
      ? all
      : hashOf(
          await hashOfLines(visibleLines(lines, captioner)),
          wide.filter(({ isVisible }) => isVisible),
        )
  return {
    sha256: all,
    edits: fingerprint(await hashOfLines(lines.pieces('edit')), ...wide.map(({ edit }) => edit)),
    touching: lines.count + wide.length,
    objects: lines.homes + wide.filter(({ home }) => home === tile).length,
    ...(wide.length > 0 && { wide: wide.map(({ id }) => id) }),
    ...(drawn !== all && { drawn }),
  }
}

/** Of a tile's lines and the wide objects in it; null for nothing. */
function hashOf(lines: string | null, wide: readonly WideObject[]): string | null {
  return wide.length === 0 ? lines : sha256(JSON.stringify([lines, ...wide.map(({ sha256: hash }) => hash)]))
}

/** The contents of the lines that a tile would hold if captions named only what can be seen. */
function* visibleLines(lines: TileLines, captioner: Captioner): Generator<Buffer> {
  for (const piece of lines.pieces())
    for (const outline of outlinesOf(piece)) if (captioner.isVisible(outline.tags)) yield outline.content()
}

/** Null for no lines. */
async function hashOfLines(lines: Iterable<Buffer>): Promise<string | null> {
  const breathe = breather()
  const digest = createHash('sha256')
  let isEmpty = true
  for (const each of lines) {
    isEmpty = false
    digest.update(each)
    const turn = breathe()
    if (turn) await turn
  }
  return isEmpty ? null : digest.digest('hex')
}

const compress = promisify(gzip)

/** The tile that an object belongs to, as against those that it merely touches. */
export function homeTile(object: OsmObject): string {
  return mapTileAt(boxCenter(boxOf(object.geometry)))
}
