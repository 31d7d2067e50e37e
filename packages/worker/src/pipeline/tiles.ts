import { gunzipSync } from 'node:zlib'
import { type Box, boxOf, fromFeatureLine, type OsmObject, ServiceError, type Storage } from '@skyscript/core'
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
  const index = new Flatbush(objects.length)
  for (const object of objects) index.add(...boxOf(object.geometry))
  index.finish()
  return {
    objects,
    get: (id) => byId.get(id),
    search: (box) =>
      index
        .search(...box)
        .sort((a, b) => a - b)
        .map((i) => objects[i]!),
  }
}
