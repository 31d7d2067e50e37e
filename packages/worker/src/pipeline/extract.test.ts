import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCaptioner } from '@skyscript/captioner'
import { getJson, mapTileAt, silentProgress } from '@skyscript/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OsmData, writePbf } from '../../../../examples/demo/src/pbf-writer.ts'
import { openFolder } from '../storages/folder.ts'
import { extractTiles } from './extract.ts'
import { type ExtractIndex, extractIndexKey } from './run.ts'
import { readTile } from './tiles.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'extract-tiles-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** Reads maps, each a file, into map tiles. */
async function tilesOf(maps: readonly Partial<OsmData>[], clip: Parameters<typeof extractTiles>[1] = null) {
  const files = []
  for (const [i, map] of maps.entries()) {
    const path = join(folder, `${i}.osm.pbf`)
    const bytes = writePbf({ nodes: [], ways: [], relations: [], ...map })
    await writeFile(path, bytes)
    files.push({
      source: path,
      path,
      bytes: bytes.length,
      sha256: Buffer.from(bytes).toString('hex'),
      release: async () => {},
    })
  }
  const storage = await openFolder(join(folder, 'storage'))
  const { signal } = new AbortController()
  const name = await extractTiles(files, clip, createCaptioner(), storage, new Set(), silentProgress, signal)
  const index = (await getJson<ExtractIndex>(storage, extractIndexKey(name)))!
  return { index, read: (tile: string) => readTile(storage, name, tile) }
}

const EDIT = { timestamp: '2024-05-01T12:00:00Z' }

test('an object that was moved between two extracts is only in the tile of its newest version', async () => {
  const pool = (longitude: number, version: number) => ({
    nodes: [{ id: 1, longitude, latitude: 46_95_00000, tags: { leisure: 'swimming_pool' }, version, ...EDIT }],
  })
  const { index, read } = await tilesOf([pool(7_45_00000, 1), pool(7_55_00000, 2)])
  const tile = mapTileAt([7.55, 46.95])
  expect(Object.keys(index.tiles)).toEqual([tile])
  expect((await read(tile)).map(({ id, version }) => [id, version])).toEqual([['n1', 2]])
  expect(index.dropped).toEqual({ 'in-several-extracts': 1 })
  expect(index.inputs.map(({ name }) => name)).toEqual(['0.osm.pbf', '1.osm.pbf'])
})
