import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCaptioner } from '@skyscript/captioner'
import { getJson, mapTileAt, type Storage, silentProgress } from '@skyscript/core'
import { parseConfig } from '@skyscript/core/config'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writePbf } from '../../../examples/demo/src/pbf-writer.ts'
import { MemoryStorage } from '../../dataset/test/support/memory-storage.ts'
import { extractTiles } from './extract.ts'
import { type ExtractIndex, extractIndexKey, type SelectIndex, selectIndexKey, selectionKey } from './run.ts'
import { selectObjects } from './select.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'select-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Longitudes of towns, each in a map tile of its own. */
const TOWNS = [7.45, 7.55, 7.65]
const captioner = createCaptioner()

/** Selects from trees in these towns, some of each; returns the selection and the map tiles whose objects were read for it. */
async function select(storage: MemoryStorage, trees: readonly number[], settings: object = {}) {
  const path = join(folder, 'map.osm.pbf')
  const nodes = trees.flatMap((count, town) =>
    Array.from({ length: count }, (_, i) => ({
      id: 1000 * (town + 1) + i,
      longitude: Math.round(TOWNS[town]! * 1e7) + i * 1000,
      latitude: 46_75_00000,
      tags: i === 0 ? { natural: 'water' } : { natural: 'tree' },
      ...{ version: 1, timestamp: '2024-05-01T12:00:00Z' },
    })),
  )
  const bytes = writePbf({ nodes, ways: [], relations: [] })
  await writeFile(path, bytes)
  const region = { osm: { source: path }, imagery: { sources: ['CH'] }, ...settings, output: folder }
  const config = parseConfig(JSON.stringify(region), join(folder, 'region.yaml'))
  const file = { source: path, path, bytes: 0, sha256: trees.join(), release: async () => {} }
  const { signal } = new AbortController()
  const extract = await extractTiles([file], { clip: null }, captioner, storage, new Set(), silentProgress, signal)
  const index = (await getJson<ExtractIndex>(storage, extractIndexKey(extract)))!
  const read = new Set<string>()
  const watched: Storage = {
    ...bound(storage),
    async get(key) {
      if (key.startsWith('work/extract/')) read.add(key.split('/').at(-1)!.split('.')[0]!)
      return storage.get(key)
    },
  }
  const existing = new Set(storage.files.keys())
  const name = await selectObjects(config, extract, index, captioner, watched, existing, silentProgress)
  const selection = (await getJson<SelectIndex>(storage, selectIndexKey(name)))!
  const ids = await Promise.all(Object.keys(selection.tiles).map((tile) => storage.get(selectionKey(name, tile))))
  return { selection, ids, read: [...read].sort() }
}

/** A storage whose methods are its own properties. */
const bound = (storage: MemoryStorage): Storage => ({
  url: storage.url,
  get: (key) => storage.get(key),
  stream: (key) => storage.stream(key),
  put: (key, value) => storage.put(key, value),
  putIfAbsent: (key, value) => storage.putIfAbsent(key, value),
  has: (key) => storage.has(key),
  list: (prefix, depth) => storage.list(prefix, depth),
  delete: (key) => storage.delete(key),
})

const tiles = TOWNS.map((longitude) => mapTileAt([longitude, 46.75]))

test('after a change of the map only the tiles that changed are gone through, and the selection is that of a new run', async () => {
  const storage = new MemoryStorage()
  expect((await select(storage, [3, 4, 5])).read).toEqual(tiles.toSorted())
  for (const trees of [
    [3, 6, 5],
    [3, 6],
    [3, 6, 5],
  ]) {
    const changed = await select(storage, trees)
    const fresh = await select(new MemoryStorage(), trees)
    expect({ ...changed, read: [] }).toEqual({ ...fresh, read: [] })
    expect(changed.read.length).toBeLessThanOrEqual(1)
  }
  expect((await select(storage, [3, 7, 5])).read).toEqual([tiles[1]])
})

test('other settings, and samples, which depend on all tiles, go through every tile', async () => {
  const storage = new MemoryStorage()
  await select(storage, [3, 4, 5])
  expect((await select(storage, [3, 6, 5], { tiles: { pointPixels: 200 } })).read).toEqual(tiles.toSorted())
  const capped = { selection: { maxPerTag: 2 } }
  await select(storage, [3, 4, 5], capped)
  const changed = await select(storage, [3, 6, 5], capped)
  expect(changed.read).toEqual(tiles.toSorted())
  expect({ ...changed, read: [] }).toEqual({ ...(await select(new MemoryStorage(), [3, 6, 5], capped)), read: [] })
})
