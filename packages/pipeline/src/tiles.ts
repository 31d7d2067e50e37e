import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import {
  type Box,
  boxesOf,
  fromFeatureLine,
  type OsmObject,
  ServiceError,
  type Storage,
  segmentIndexOf,
} from '@skyscript/core'
import Flatbush from 'flatbush'
import { homeTile } from './extract.ts'
import { type ExtractIndex, hasLines, tileKey, wideKey } from './run.ts'

/** Wide objects are kept at hand up to this many bytes of their lines; in memory they take some three times as much. */
const WIDE_BYTES = 32 * 2 ** 20

/** The objects of an extract, by map tile. */
export interface TileReader {
  /** The objects that touch a map tile, sorted by id; none where the extract has no such tile. */
  touching(tile: string): Promise<OsmObject[]>
  /** Those whose centre lies in it. */
  home(tile: string): Promise<OsmObject[]>
}

/** Memory: wide objects that were read last. One that is at hand is the same object in each tile that it meets. */
export function openTiles(storage: Storage, extract: string, index: ExtractIndex): TileReader {
  const { tiles, wide = {} } = index
  const atHand = new Map<string, Promise<OsmObject>>()
  let bytes = 0

  function wideObject(id: string): Promise<OsmObject> {
    const known = atHand.get(id)
    atHand.delete(id)
    const object = known ?? readLinesOf(storage, wideKey(extract, id)).then(([line]) => fromFeatureLine(line!))
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

  async function read(tile: string, isWanted: (id: string) => boolean): Promise<OsmObject[]> {
    const known = tiles[tile]
    if (known === undefined) return []
    const lines = hasLines(known) ? await readLinesOf(storage, tileKey(extract, tile)) : []
    const objects = lines.map(fromFeatureLine)
    const ids = (known.wide ?? []).filter(isWanted)
    if (ids.length === 0) return objects
    // One after the other: all at a time might be more than is to be kept at hand.
    for (const id of ids) objects.push(await wideObject(id))
    return objects.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  return {
    touching: (tile) => read(tile, () => true),
    async home(tile) {
      if (!tiles[tile]?.objects) return []
      const objects = await read(tile, (id) => wide[id]!.home === tile)
      return objects.filter((object) => wide[object.id] !== undefined || homeTile(object) === tile)
    },
  }
}

const unpack = promisify(gunzip)

async function readLinesOf(storage: Storage, key: string): Promise<string[]> {
  const bytes = await storage.get(key)
  if (bytes === null) {
    throw new ServiceError(
      'missing-tile',
      `${key}, a part of the extract, is gone from ${storage.url}; run the build again.`,
      { retry: false },
    )
  }
  const lines = (await unpack(bytes)).toString('utf8').split('\n')
  return lines.filter((line) => line !== '')
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
