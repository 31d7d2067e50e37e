import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import {
  type Box,
  boxCenter,
  boxesOf,
  fromFeatureLine,
  mapTileBox,
  mapTileRange,
  type OsmObject,
  ServiceError,
  type Storage,
  segmentIndexOf,
} from '@skyscript/core'
import Flatbush from 'flatbush'
import { idOfLine, type Outline, outlinesOf } from './outlines.ts'
import { type ExtractIndex, hasLines, tileKey, wideKey } from './run.ts'

/** Wide objects are kept at hand up to this many bytes of their lines; in memory they take some three times as much. */
const WIDE_BYTES = 32 * 2 ** 20

/** The objects of an extract, by map tile. */
export interface TileReader {
  /** The objects that touch a map tile, sorted by id; none where the extract has no such tile. */
  touching(tile: string): Promise<OsmObject[]>
  /** Outlines of the objects whose centre is in it, in any order. */
  homeOutlines(tile: string): Promise<Iterable<Outline>>
  /** Those of the same that have these ids, in no order, each made when it is asked for. */
  homeObjects(tile: string, ids: ReadonlySet<string>): Promise<Iterable<OsmObject>>
}

/** Memory: wide objects that were read last. One that is at hand is the same object in each tile that it meets. */
export function openTiles(storage: Storage, extract: string, index: ExtractIndex): TileReader {
  const { tiles, wide = {} } = index
  const atHand = new Map<string, Promise<OsmObject>>()
  let bytes = 0

  function wideObject(id: string): Promise<OsmObject> {
    const known = atHand.get(id)
    atHand.delete(id)
    const object = known ?? readLines(wideKey(extract, id)).then((bytes) => objectsOf(bytes)[0]!)
    atHand.set(id, object)
    if (known) return known
    bytes += wide[id]!.bytes
    object.catch(() => forget(id))
    for (const oldest of atHand.keys()) {
      if (bytes <= WIDE_BYTES || oldest === id) break
      forget(oldest)
    }
    return object
  }

  function forget(id: string): void {
    if (atHand.delete(id)) bytes -= wide[id]!.bytes
  }

  async function touching(tile: string): Promise<OsmObject[]> {
    const known = tiles[tile]
    if (known === undefined) return []
    const objects = hasLines(known) ? objectsOf(await readLines(tileKey(extract, tile))) : []
    if (known.wide === undefined) return objects
    // One after the other: all at a time might be more than is to be kept at hand.
    for (const id of known.wide) objects.push(await wideObject(id))
    return objects.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  return {
    touching,
    homeOutlines: async (tile) => homesIn(await homeLines(tile), tile),
    homeObjects: async (tile, ids) => objectsIn(await homeLines(tile), ids),
  }

  /** All lines of a tile, and those of each wide object that belongs to it. */
  async function homeLines(tile: string): Promise<Buffer[]> {
    const known = tiles[tile]
    if (!known?.objects) return []
    const lines = [hasLines(known) ? await readLines(tileKey(extract, tile)) : Buffer.alloc(0)]
    for (const id of known.wide ?? []) if (wide[id]!.home === tile) lines.push(await readLines(wideKey(extract, id)))
    return lines
  }

  async function readLines(key: string): Promise<Buffer> {
    const bytes = await storage.get(key)
    if (bytes === null) {
      throw new ServiceError(
        'missing-tile',
        `${key}, a part of the extract, is gone from ${storage.url}; run the build again.`,
        { retry: false },
      )
    }
    return unpack(bytes, { chunkSize: UNPACKED_CHUNK })
  }
}

const unpack = promisify(gunzip)
/** A tile has megabytes: chunks of zlib's 16 KB would take as long to pass on as to unpack. */
const UNPACKED_CHUNK = 2 ** 20

function objectsOf(lines: Buffer): OsmObject[] {
  const texts = lines.toString('utf8').split('\n')
  return texts.filter((line) => line !== '').map(fromFeatureLine)
}

function* homesIn([lines, ...wide]: readonly Buffer[], tile: string): Generator<Outline> {
  const [longitude, latitude] = boxCenter(mapTileBox(tile))
  const here = mapTileRange([longitude, latitude, longitude, latitude])
  for (const outline of outlinesOf(lines ?? Buffer.alloc(0))) {
    const [x, y] = boxCenter(outline.box)
    const { west, south } = mapTileRange([x, y, x, y])
    if (west === here.west && south === here.south) yield outline
  }
  for (const each of wide) yield* outlinesOf(each)
}

const LINE_END = 10

function* objectsIn(all: readonly Buffer[], ids: ReadonlySet<string>): Generator<OsmObject> {
  for (const lines of all) {
    for (let start = 0; start < lines.length; ) {
      const end = lines.indexOf(LINE_END, start)
      if (ids.has(idOfLine(lines, start))) yield fromFeatureLine(lines.toString('utf8', start, end))
      start = end + 1
    }
  }
}

/** A map tile's objects with an index of their boxes. */
export interface IndexedTile {
  readonly objects: readonly OsmObject[]
  get(id: string): OsmObject | undefined
  /** Objects whose boxes meet a box, sorted by id. */
  search(box: Box): OsmObject[]
}

export function indexTile(objects: readonly OsmObject[]): IndexedTile {
  const byId = new Map(objects.map((object) => [object.id, object]))
  if (objects.length === 0) return { objects, get: () => undefined, search: () => [] }
  // An object on both sides of 180 degrees has two boxes. Those of a wide one, which is in many tiles, are found once.
  const boxes = ({ geometry }: OsmObject) => segmentIndexOf(geometry)?.boxes ?? boxesOf(geometry)
  const entries = objects.flatMap((object, i) => boxes(object).map((box) => ({ box, i })))
  const index = new Flatbush(entries.length)
  for (const { box } of entries) index.add(...box)
  index.finish()
  return {
    objects,
    get: (id) => byId.get(id),
    search: (box) =>
      [...new Set(index.search(...box).map((entry) => entries[entry]!.i))]
        .sort((a, b) => a - b)
        .map((i) => objects[i]!),
  }
}
