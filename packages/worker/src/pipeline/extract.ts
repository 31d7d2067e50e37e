import { createReadStream } from 'node:fs'
import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Captioner } from '@skyscript/captioner'
import {
  boxCenter,
  boxOf,
  type Config,
  count,
  fingerprint,
  fromFeatureLine,
  getJson,
  mapTileAt,
  mapTilesOf,
  type OsmObject,
  type Progress,
  putJson,
  type Storage,
  sha256,
  sha256OfStream,
  toFeatureLine,
} from '@skyscript/core'
import { extract } from '@skyscript/osm-extract'
import { readClip } from './clip.ts'
import { type LocalFile, localFile } from './inputs.ts'
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
  config: Config,
  captioner: Captioner,
  storage: Storage,
  existing: ReadonlySet<string>,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  const sources = typeof config.osm.source === 'string' ? [config.osm.source] : config.osm.source
  const clip = await readClip(config.osm.clip)
  const files: (LocalFile & { bytes: number; sha256: string })[] = []
  try {
    for (const source of sources) {
      const file = await localFile(source, signal)
      files.push({
        ...file,
        bytes: (await stat(file.path)).size,
        sha256: await sha256OfStream(createReadStream(file.path)),
      })
    }
    const name = fingerprint(
      'extract',
      VERSIONS.extract,
      files.map((file) => file.sha256),
      clip,
      captioner.fingerprint,
    )
    const known = await getJson<ExtractIndex>(storage, extractIndexKey(name))
    if (known && Object.keys(known.tiles).every((tile) => existing.has(tileKey(name, tile)))) return name
    const index = await writeTiles(name, files, clip, captioner, storage, progress, signal)
    await putJson(storage, extractIndexKey(name), index)
    return name
  } finally {
    for (const file of files) await file.release()
  }
}

type Clip = Awaited<ReturnType<typeof readClip>>

async function writeTiles(
  name: string,
  files: readonly (LocalFile & { bytes: number; sha256: string })[],
  clip: Clip,
  captioner: Captioner,
  storage: Storage,
  progress: Progress,
  signal: AbortSignal,
): Promise<ExtractIndex> {
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-extract-'))
  const spill = new TileSpill(folder)
  const dropped = new Map<string, number>()
  const inputs: ExtractIndex['inputs'][number][] = []
  let tagged = 0
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0)
  let bytesBefore = 0
  try {
    for (const file of files) {
      const extraction = extract(file.path, {
        wanted: captioner.visibleTags,
        clip,
        signal,
        progress: {
          update: (done, total = file.bytes) => progress.update(bytesBefore + (done / total) * file.bytes, totalBytes),
        },
      })
      for await (const object of extraction) await spill.add(object)
      const report = extraction.report()
      tagged += report.tagged
      for (const [reason, n] of report.dropped) count(dropped, reason === 'not-wanted' ? 'not-groundable' : reason, n)
      inputs.push({
        name: basename(file.source),
        bytes: file.bytes,
        sha256: file.sha256,
        replicationTimestamp: report.header.replicationTimestamp,
      })
      bytesBefore += file.bytes
    }
    const tiles: Record<string, ExtractIndex['tiles'][string]> = {}
    for (const tile of spill.tiles()) {
      const { objects, duplicates } = onceEach(await spill.read(tile))
      const text = objects.map((object) => `${toFeatureLine(object)}\n`).join('')
      await storage.put(tileKey(name, tile), gzipSync(text, { level: 4 }))
      const home = objects.filter((object) => homeTile(object) === tile).length
      count(dropped, 'in-several-extracts', duplicates.filter((object) => homeTile(object) === tile).length)
      tiles[tile] = { sha256: sha256(text), touching: objects.length, objects: home }
    }
    return { inputs, tiles, tagged, dropped: sortedCounts(dropped) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The tile that an object belongs to, as against those that it merely touches. */
export function homeTile(object: OsmObject): string {
  return mapTileAt(boxCenter(boxOf(object.geometry)))
}

/** Objects sorted by id, each once; of an object that several extracts hold, the newest version. */
function onceEach(objects: OsmObject[]): { objects: OsmObject[]; duplicates: OsmObject[] } {
  objects.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : b.version - a.version))
  const isFirst = (object: OsmObject, i: number) => object.id !== objects[i - 1]?.id
  return { objects: objects.filter(isFirst), duplicates: objects.filter((object, i) => !isFirst(object, i)) }
}

/** Lines by map tile, in memory while they are few and in one file per tile beyond. */
class TileSpill {
  readonly #folder: string
  readonly #buffers = new Map<string, string[]>()
  readonly #known = new Set<string>()
  #bytes = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  async add(object: OsmObject): Promise<void> {
    const line = `${toFeatureLine(object)}\n`
    for (const tile of mapTilesOf(boxOf(object.geometry))) {
      const buffer = this.#buffers.get(tile)
      if (buffer) buffer.push(line)
      else this.#buffers.set(tile, [line])
      this.#known.add(tile)
      this.#bytes += line.length
    }
    if (this.#bytes > BUFFERED_BYTES) await this.#flush()
  }

  tiles(): string[] {
    return [...this.#known].sort()
  }

  async read(tile: string): Promise<OsmObject[]> {
    const spilled = await readFile(join(this.#folder, tile), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw error
    })
    const lines = spilled.split('\n').concat(this.#buffers.get(tile) ?? [])
    return lines.filter((line) => line.length > 1).map(fromFeatureLine)
  }

  async #flush(): Promise<void> {
    for (const [tile, lines] of this.#buffers) await appendFile(join(this.#folder, tile), lines.join(''))
    this.#buffers.clear()
    this.#bytes = 0
  }
}
