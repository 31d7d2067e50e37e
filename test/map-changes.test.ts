// @module-tag slow
/** The map changes between two builds on one output: the second leaves what a fresh build of the new map makes. */
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalEarthEngine, startLocalEarthEngine } from '../packages/local-earth-engine/src/index.ts'
import { filesOf, makeFolder } from './support/skyscript.ts'
import { buildHere, type Drawn, SMALL_TOWN, smallRegion, writeFeatures, writeMap } from './support/small-map.ts'
import { CACHE_BYTES } from './support/town.ts'

/** A wood of two ways, and one beside it, as relations have them. */
const WOOD = (ways: readonly number[]) => [{ id: 1, tags: { landuse: 'forest' }, ways }]
const WOOD_PARTS: readonly Drawn[] = [
  { id: 20, tags: {}, at: [[-150, 180]], half: 30 },
  { id: 21, tags: {}, at: [[-50, 180]], half: 25 },
]
const TOWN = [...SMALL_TOWN, ...WOOD_PARTS]

/** The town with one object put in another's place. */
const withObject = (id: number, change: Partial<Drawn>): Drawn[] =>
  TOWN.map((each) => (each.id === id ? { ...each, ...change } : each))

type Map = Parameters<typeof writeMap>[1]
/** What the map is like afterwards: its objects, the ways of its wood, and a second extract. */
interface Change {
  readonly objects: Map
  readonly wood?: readonly number[]
  readonly second?: Map
}

const EDITED = { version: 2, timestamp: '2021-05-01T00:00:00Z' }
const CHANGES: Readonly<Record<string, Change>> = {
  'tags of an object': { objects: withObject(9, { tags: { natural: 'tree' }, ...EDITED }) },
  'tags of an object that only surrounds others': {
    objects: withObject(14, { tags: { building: 'garage' }, ...EDITED }),
  },
  'tags that leave nothing to be seen': { objects: withObject(6, { tags: { indoor: 'yes', ...TOWN[5]!.tags }, ...EDITED }) }, // biome-ignore format: one row
  'only the time of an edit': { objects: withObject(2, EDITED) },
  'the position of a node': { objects: withObject(12, { at: [[-95, -40]], ...EDITED }) },
  'nodes of a way, whose version stays': { objects: withObject(2, { at: [[16, 25]] }) },
  'a new object': { objects: [...TOWN, { id: 30, tags: { leisure: 'pitch', sport: 'tennis' }, at: [[60, 70]], half: 16 }] }, // biome-ignore format: one row
  'an object deleted': { objects: TOWN.filter(({ id }) => id !== 1) },
  'an object moved over the border of a map tile': { objects: withObject(14, { at: [[-20, 10]], ...EDITED }) },
  'a member of a relation moved': { objects: withObject(21, { at: [[-45, 190]] }) },
  'a member of a relation added': { objects: TOWN, wood: [20, 21] },
  'an extract added': {
    objects: TOWN,
    second: [
      { id: 50, tags: { natural: 'water' }, at: [[-80, 110]], half: 20 },
      { id: 9, tags: { amenity: 'shelter' }, at: [[-15, 45]], ...EDITED },
    ],
  },
  'everything at once': {
    objects: [...withObject(7, { tags: { highway: 'cycleway' } }).filter(({ id }) => id !== 4 && id !== 11), { id: 31, tags: { natural: 'tree' }, at: [[65, -5]] }], // biome-ignore format: one row
    wood: [21],
  },
}

let folder: Awaited<ReturnType<typeof makeFolder>>
let earthEngine: LocalEarthEngine
const at = (...names: string[]) => join(folder.path, ...names)

beforeAll(async () => {
  folder = await makeFolder('map-changes')
  await writeMap(at('before.osm.pbf'), TOWN, WOOD([20]))
  const features = await writeFeatures(at('before.osm.pbf'), at('features'))
  earthEngine = await startLocalEarthEngine({ features: [features], threads: 1, cacheBytes: CACHE_BYTES })
  await build('before', ['before.osm.pbf'])
}, 120_000)
afterAll(async () => {
  await earthEngine?.close()
  await folder?.remove()
})

type Row = Readonly<Record<string, unknown>>
const manifestRows = async (output: string): Promise<Row[]> =>
  parquetReadObjects({ file: await asyncBufferFromFile(at(output, 'manifest.parquet')) })

const build = (output: string, maps: readonly string[], wrap?: Parameters<typeof buildHere>[2]) => {
  const imagery = { sources: ['CH', 'S2'], year: 'closest', earthEngine: { endpoint: earthEngine.url, project: 'p' } }
  const source = maps.map((name) => at(name))
  return buildHere(smallRegion(source, at(output), { imagery }), folder.path, wrap)
}

test.each(Object.entries(CHANGES))(
  '%s',
  async (name, { objects, wood = [20], second }) => {
    const [changed, fresh] = [`changed-${name}`, `fresh-${name}`]
    await writeMap(at('after.osm.pbf'), objects, WOOD(wood))
    const maps = ['after.osm.pbf']
    if (second !== undefined) {
      await writeMap(at('second.osm.pbf'), second)
      maps.push('second.osm.pbf')
    }
    await cp(at('before'), at(changed), { recursive: true })
    await build(changed, maps)
    await build(fresh, maps)
    const files = filesOf(at(changed))
    expect(files).toEqual(filesOf(at(fresh)))
    const { 'dataset.lock.json': _lock, ...made } = files
    expect(made).not.toEqual(Object.fromEntries(Object.entries(filesOf(at('before'))).filter(([key]) => key in made)))
    // And back again.
    await build(changed, ['before.osm.pbf'])
    expect(filesOf(at(changed))).toEqual(filesOf(at('before')))
    await Promise.all([changed, fresh].map((output) => rm(at(output), { recursive: true })))
  },
  120_000,
)

test('an edit that changes neither tags nor geometry changes only what the manifest says of it, and no stage runs', async () => {
  const imagery = { sources: ['CH', 'S2'], earthEngine: { endpoint: earthEngine.url, project: 'p' } }
  const latest = (map: string) => buildHere(smallRegion(at(map), at('edits'), { imagery }), folder.path)
  await latest('before.osm.pbf')
  const [before, rows] = [filesOf(at('edits')), await manifestRows('edits')]
  await writeMap(at('edited.osm.pbf'), withObject(2, EDITED), WOOD([20]))
  const { jobs } = await latest('edited.osm.pbf')
  expect(jobs).toEqual({})
  const edited = await manifestRows('edits')
  const changed = edited.flatMap((row, i) => (isDeepStrictEqual(row, rows[i]) ? [] : [{ old: rows[i]!, row }]))
  expect(changed).toHaveLength(1)
  const [{ old, row }] = changed as [{ old: Row; row: Row }]
  expect([old.version, row.version, row.timestamp]).toEqual([1, EDITED.version, EDITED.timestamp])
  expect({ ...row, version: 0, timestamp: '', days_apart: 0 }).toEqual({
    ...old,
    version: 0,
    timestamp: '',
    days_apart: 0,
  })
  const about = new Set(['manifest.parquet', 'dataset.lock.json', 'README.md', 'state/dataset.json'])
  const others = (files: typeof before) => Object.entries(files).filter(([path]) => !about.has(path))
  expect(others(filesOf(at('edits')))).toEqual(others(before))
}, 60_000)

test('a change of the map writes no meta again that stays as it was', async () => {
  await writeMap(at('tree.osm.pbf'), withObject(9, { tags: { natural: 'tree' }, ...EDITED }), WOOD([20]))
  await cp(at('before'), at('written'), { recursive: true })
  const metas = (files: ReturnType<typeof filesOf>) => Object.entries(files).filter(([path]) => path.startsWith('meta'))
  const before = new Map(metas(filesOf(at('written'))))
  const written = new Set<string>()
  await build('written', ['tree.osm.pbf'], (storage) => ({
    ...storage,
    put(key, value) {
      if (key.startsWith('meta')) written.add(key)
      return storage.put(key, value)
    },
  }))
  const changed = metas(filesOf(at('written'))).filter(([path, hash]) => before.get(path) !== hash)
  expect([...written].sort()).toEqual(changed.map(([path]) => path).sort())
  expect(written.size).toBeGreaterThan(0)
  expect(written.size).toBeLessThan(before.size)
}, 60_000)
