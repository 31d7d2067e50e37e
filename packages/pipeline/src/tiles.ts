import { gunzipSync } from 'node:zlib'
import { type Box, boxesOf, fromFeatureLine, type OsmObject, ServiceError, type Storage } from '@skyscript/core'
import Flatbush from 'flatbush'
import { homeTile } from './extract.ts'
import { tileKey } from './run.ts'

/** The objects that touch a map tile, sorted by id. */
export async function readTile(storage: Storage, extract: string, tile: string): Promise<OsmObject[]> {
  const bytes = await storage.get(tileKey(extract, tile))
  if (bytes === null) {
    throw new ServiceError(
      'missing-tile',
      `Map tile ${tile} of the extract is gone from ${storage.url}; run the build again.`,
      { retry: false },
    )
  }
  const lines = gunzipSync(bytes).toString('utf8').split('\n')
  return lines.filter((line) => line !== '').map(fromFeatureLine)
}

/** The objects whose centre lies in a map tile. */
export async function readHomeObjects(storage: Storage, extract: string, tile: string): Promise<OsmObject[]> {
  return (await readTile(storage, extract, tile)).filter((object) => homeTile(object) === tile)
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
  // An object on both sides of 180 degrees has two boxes.
  const entries = objects.flatMap((object, i) => boxesOf(object.geometry).map((box) => ({ box, i })))
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
