import { createGunzip } from 'node:zlib'
import {
  type Box,
  boxCenter,
  boxesOf,
  breather,
  type Edit,
  fromFeatureLine,
  mapTileBox,
  mapTileRange,
  type OsmObject,
  ServiceError,
  type Storage,
  segmentIndexOf,
  sha256,
} from '@skyscript/core'
import Flatbush from 'flatbush'
import { LRUCache } from 'lru-cache'
import { editsOf, type Outline, outlinesOf } from './outlines.ts'
import { type ExtractIndex, hasLines, tileKey, wideKey } from './run.ts'

/** Wide objects are cached up to this many bytes of their lines; in memory they take some three times as much. */
const WIDE_BYTES = 32 * 2 ** 20

/** The objects of an extract, by map tile. */
export interface TileReader {
  /** The objects that touch a map tile, sorted by id; none where the extract has no such tile. */
  touching(tile: string): Promise<OsmObject[]>
  /**
   * Outlines of the objects whose centre is in it, in any order, some thousands at a time.
   *
   * @param isWanted by id; default: all
   */
  homeOutlines(tile: string, isWanted?: (id: string) => boolean): AsyncGenerator<Iterable<Outline>>
  /** Last edits of those objects of a set whose centre is in the tile, by id. */
  homeEdits(tile: string, ids: ReadonlySet<string>): Promise<ReadonlyMap<string, Edit>>
}

/** Memory: the wide objects used last. A cached one is the same object in each tile that it meets. */
export function openTiles(storage: Storage, extract: string, index: ExtractIndex): TileReader {
  const { tiles, wide = {} } = index
  const cached = new LRUCache<string, Promise<OsmObject>>({
    maxSize: WIDE_BYTES,
    // One of more than that is still cached, but no other.
    sizeCalculation: (_, id) => Math.min(wide[id]!.bytes, WIDE_BYTES),
  })

  function wideObject(id: string): Promise<OsmObject> {
    const known = cached.get(id)
    if (known) return known
    const object = readObjects(wideKey(extract, id)).then(([only]) => only!)
    cached.set(id, object)
    object.catch(() => cached.delete(id))
    return object
  }

  async function touching(tile: string): Promise<OsmObject[]> {
    const known = tiles[tile]
    if (known === undefined) return []
    const objects = hasLines(known) ? await readObjects(tileKey(extract, tile)) : []
    if (known.wide === undefined) return objects
    // One after the other: all together might exceed the cache.
    for (const id of known.wide) objects.push(await wideObject(id))
    return objects.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  return {
    touching,
    async *homeOutlines(tile, isWanted) {
      if (!tiles[tile]?.objects) return
      if (hasLines(tiles[tile])) {
        for await (const lines of linesOf(tileKey(extract, tile))) yield homesIn(outlinesOf(lines, isWanted), tile)
      }
      for (const key of homeKeys(tile)) for await (const lines of linesOf(key)) yield outlinesOf(lines, isWanted)
    },
    async homeEdits(tile, ids) {
      const edits = new Map<string, Edit>()
      if (!tiles[tile]?.objects) return edits
      const breathe = breather()
      for (const key of [...(hasLines(tiles[tile]) ? [tileKey(extract, tile)] : []), ...homeKeys(tile)]) {
        for await (const lines of linesOf(key)) {
          for (const [id, edit] of editsOf(lines, (each) => ids.has(each))) edits.set(id, edit)
          await breathe()
        }
      }
      return edits
    },
  }

  /** Keys of the wide objects that belong to a tile. */
  function homeKeys(tile: string): string[] {
    return (tiles[tile]!.wide ?? []).filter((id) => wide[id]!.home === tile).map((id) => wideKey(extract, id))
  }

  async function readObjects(key: string): Promise<OsmObject[]> {
    const objects: OsmObject[] = []
    for await (const lines of linesOf(key)) for (const object of objectsIn(lines)) objects.push(object)
    return objects
  }

  /** Whole lines in pieces of a megabyte or so: all of a dense tile's may be more than fits in a string. */
  async function* linesOf(key: string): AsyncGenerator<Buffer> {
    const bytes = await storage.get(key)
    if (bytes === null) {
      throw new ServiceError(
        'missing-tile',
        `${key}, a part of the extract, is gone from ${storage.url}; run the build again.`,
        { retry: false },
      )
    }
    const unpacking = createGunzip({ chunkSize: UNPACKED_CHUNK })
    unpacking.end(bytes)
    let open: Buffer[] = []
    for await (const chunk of unpacking as AsyncIterable<Buffer>) {
      const end = chunk.lastIndexOf(LINE_END) + 1
      if (end > 0) yield Buffer.concat([...open, chunk.subarray(0, end)])
      open = end > 0 ? [chunk.subarray(end)] : [...open, chunk]
    }
  }
}

/** Chunks of zlib's 16 KB would take as long to pass on as to unpack. */
const UNPACKED_CHUNK = 2 ** 20
const LINE_END = 10

function* homesIn(outlines: Iterable<Outline>, tile: string): Generator<Outline> {
  const [longitude, latitude] = boxCenter(mapTileBox(tile))
  const here = mapTileRange([longitude, latitude, longitude, latitude])
  for (const outline of outlines) {
    const [x, y] = boxCenter(outline.box)
    const { west, south } = mapTileRange([x, y, x, y])
    if (west === here.west && south === here.south) yield outline
  }
}

function* objectsIn(lines: Buffer): Generator<OsmObject> {
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf(LINE_END, start)
    yield fromFeatureLine(lines.toString('utf8', start, end))
    start = end + 1
  }
}

/** A map tile's objects with an index of their boxes. */
export interface IndexedTile {
  get(id: string): OsmObject | undefined
  /** Objects whose boxes meet a box and which an image of a GSD (m/pixel) may name, each once, in any order. */
  search(box: Box, gsd: number): OsmObject[]
}

/**
 * Objects that are named to the same GSD have an index of their own: a box of a kilometre, at 10 m a pixel, has thousands
 * of objects, of which such an image shows a few dozen.
 *
 * @param namedTo the coarsest GSD of an image that names an object
 */
export async function indexTile(
  objects: readonly OsmObject[],
  namedTo: (object: OsmObject) => number,
): Promise<IndexedTile> {
  const breathe = breather()
  const byId = new Map<string, OsmObject>()
  const byClass = new Map<number, OsmObject[]>()
  for (const object of objects) {
    byId.set(object.id, object)
    const coarsest = namedTo(object)
    const same = byClass.get(coarsest)
    if (same === undefined) byClass.set(coarsest, [object])
    else same.push(object)
    await breathe()
  }
  const classes: { readonly coarsest: number; readonly find: (box: Box) => OsmObject[] }[] = []
  for (const [coarsest, some] of byClass) classes.push({ coarsest, find: await indexBoxes(some, breathe) })
  return {
    get: (id) => byId.get(id),
    search: (box, gsd) => classes.flatMap(({ coarsest, find }) => (gsd <= coarsest ? find(box) : [])),
  }
}

/** By object: a wide one is the same in all its tiles. */
const digests = new WeakMap<OsmObject, string>()

/** Of an object's id, tags and geometry. */
export function contentDigest(object: OsmObject): string {
  let digest = digests.get(object)
  if (digest === undefined) {
    const { id, tags, geometry } = object
    digests.set(object, (digest = sha256(JSON.stringify([id, tags, geometry]))))
  }
  return digest
}

async function indexBoxes(
  objects: readonly OsmObject[],
  breathe: ReturnType<typeof breather>,
): Promise<(box: Box) => OsmObject[]> {
  const entries: { readonly box: Box; readonly object: OsmObject }[] = []
  for (const object of objects) {
    const { geometry } = object
    // An object on both sides of 180 degrees has two boxes. Those of a wide one, which is in many tiles, are found once.
    for (const box of segmentIndexOf(geometry)?.boxes ?? boxesOf(geometry)) entries.push({ box, object })
    await breathe()
  }
  const index = new Flatbush(entries.length)
  for (const { box } of entries) index.add(...box)
  index.finish()
  const isSingle = entries.length === objects.length
  return (box) => {
    const found = index.search(...box).map((entry) => entries[entry]!.object)
    return isSingle ? found : [...new Set(found)]
  }
}
