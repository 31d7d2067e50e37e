// @module-tag slow
/** Objects that cross many map tiles are stored once, and found from each tile as if they were stored there whole. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCaptioner } from '@skyscript/captioner'
import {
  type Box,
  boxesIntersect,
  boxesOf,
  fromFeatureLine,
  geometryMeetsBox,
  getJson,
  mapTileAt,
  mapTilesOf,
  type OsmObject,
  silentProgress,
  toFeatureLine,
} from '@skyscript/core'
import { extract } from '@skyscript/osm-extract'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OsmData, type OsmNode, type OsmWay, writePbf } from '../../../examples/demo/src/pbf-writer.ts'
import { openFolder } from '../../worker/src/storages/folder.ts'
import { extractTiles, homeTile } from './extract.ts'
import { type ExtractIndex, extractIndexKey, hasLines } from './run.ts'
import { indexTile, openTiles } from './tiles.ts'

let folder: string
let extracts = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wide-objects-'))
})
afterAll(() => rm(folder, { recursive: true }))

const EDIT = { version: 1, timestamp: '2024-05-01T12:00:00Z' }
type Spot = readonly [longitude: number, latitude: number]

/** Nodes and ways of at most 2,000 nodes, as OSM has them, along lines in degrees. */
class MapWriter {
  readonly nodes: OsmNode[] = []
  readonly ways: OsmWay[] = []
  readonly relations: OsmData['relations'][number][] = []

  line(spots: readonly Spot[], tags: Readonly<Record<string, string>>, isClosed = false): number[] {
    const refs = spots.map(([x, y]) => {
      const id = this.nodes.length + 1
      this.nodes.push({ id, longitude: Math.round(x * 1e7), latitude: Math.round(y * 1e7), tags: {}, ...EDIT })
      return id
    })
    if (isClosed) refs.push(refs[0]!)
    const ids: number[] = []
    for (let from = 0; from < refs.length - 1; from += 1999) {
      const id = this.ways.length + 1
      this.ways.push({ id, nodes: refs.slice(from, from + 2000), tags, ...EDIT })
      ids.push(id)
    }
    return ids
  }

  area(rings: readonly (readonly Spot[])[], tags: Readonly<Record<string, string>>): void {
    const members = rings.flatMap((ring, i) =>
      this.line(ring, {}, true).map((ref) => ({ type: 'way' as const, ref, role: i === 0 ? 'outer' : 'inner' })),
    )
    this.relations.push({ id: this.relations.length + 1, members, tags: { type: 'multipolygon', ...tags }, ...EDIT })
  }

  async extract(labels: 'visible' | 'skyscript-2023' = 'visible') {
    const number = extracts++
    const path = join(folder, `${number}.osm.pbf`)
    const bytes = writePbf({ nodes: this.nodes, ways: this.ways, relations: this.relations })
    await writeFile(path, bytes)
    const storage = await openFolder(join(folder, `${number}`))
    const sha256 = `${number}`.padStart(64, '0')
    const files = [{ source: path, path, bytes: bytes.length, sha256, release: async () => {} }]
    const { signal } = new AbortController()
    const captioner = createCaptioner({ labels })
    const name = await extractTiles(files, { clip: null }, captioner, storage, new Set(), silentProgress, signal)
    const index = (await getJson<ExtractIndex>(storage, extractIndexKey(name)))!
    const all: OsmObject[] = []
    for await (const object of extract(path, { wanted: captioner.verdicts() })) all.push(object)
    const keys: { key: string; size: number }[] = []
    for await (const each of storage.list('work/extract/')) keys.push(each)
    return { index, all, keys, reader: openTiles(storage, name, index) }
  }
}

/** A ring whose radius wanders a little. */
const ring = ([x, y]: Spot, radius: number, count: number, wander = 0.1): Spot[] =>
  Array.from({ length: count }, (_, i) => {
    const angle = (i / count) * 2 * Math.PI
    const reach = radius * (1 - wander + wander * Math.sin(angle * 17) * Math.cos(angle * 5))
    return [x + reach * Math.cos(angle), y + reach * Math.sin(angle)]
  })

const HOUSE = { building: 'house' }
const LAKE = { natural: 'water', water: 'lake' }

test('a lake of 4 degrees and 60,000 positions is stored once, whatever the number of map tiles that it meets', async () => {
  const map = new MapWriter()
  map.area([ring([10, 46], 2, 60_000), ring([10.3, 46.2], 0.1, 500)], LAKE)
  map.line(ring([12.03, 46.03], 0.0001, 4, 0), HOUSE, true)
  const { index, keys, reader } = await map.extract()
  expect(keys.length).toBe(3)
  expect(keys.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(2_500_000)
  const lake = 'a3600000001'
  expect(Object.keys(index.wide!)).toEqual([lake])
  const tiles = Object.entries(index.tiles)
  expect(tiles.length).toBeGreaterThan(700)
  expect(tiles.length).toBeLessThan(1300)
  expect(tiles.filter(([, each]) => hasLines(each)).map(([tile]) => tile)).toEqual([mapTileAt([12.03, 46.03])])
  expect(tiles.reduce((sum, [, { objects }]) => sum + objects, 0)).toBe(2)
  const [middle] = await reader.touching(mapTileAt([10, 46]))
  expect(middle?.id).toBe(lake)
  const home: OsmObject[] = []
  for await (const outlines of reader.homeOutlines(mapTileAt([10, 46]), (id) => id === lake))
    for (const outline of outlines) home.push(outline.object())
  expect(home).toEqual([middle])
  const [shore] = await reader.touching(mapTileAt([10, 47.85]))
  expect(shore).toBe(middle)
})

test('a line across the map belongs to the tiles that it runs through, and not to all in its box', async () => {
  const map = new MapWriter()
  map.line(
    Array.from({ length: 1500 }, (_, i): Spot => [5 + i / 300, 45 + i / 300]),
    { waterway: 'river' },
  )
  const { index, keys } = await map.extract()
  expect(keys.length).toBe(2)
  const tiles = Object.keys(index.tiles)
  expect(tiles).toContain(mapTileAt([7.45, 47.45]))
  expect(tiles.length).toBeGreaterThan(49)
  expect(tiles.length).toBeLessThan(152)
})

test('an object that touches few tiles, or is short, is written into all of them', async () => {
  const map = new MapWriter()
  map.line([[10.05, 46], [10.35, 46.05]], { power: 'line' }) // biome-ignore format: one line
  map.line(ring([10.1, 46.15], 0.001, 100, 0), HOUSE, true)
  const { index, reader } = await map.extract()
  expect(index.wide).toBeUndefined()
  expect((await reader.touching(mapTileAt([10.101, 46.15]))).map(({ id }) => id)).toEqual(['a2'])
  expect((await reader.touching(mapTileAt([10.15, 46.02]))).map(({ id }) => id)).toEqual(['w1'])
})

test('a map tile has another hash where a wide object in it changed, and the same where it has none of it', async () => {
  const hashes = async (change: (shore: Spot[]) => void, tags = LAKE, labels?: 'visible' | 'skyscript-2023') => {
    const map = new MapWriter()
    const shore = ring([10, 46], 0.4, 3000, 0)
    change(shore)
    map.area([shore], tags)
    map.line(ring([10.39, 46.39], 0.0001, 4, 0), HOUSE, true)
    map.line(ring([10.02, 46.02], 0.0001, 4, 0), HOUSE, true)
    return (await map.extract(labels)).index.tiles
  }
  const before = await hashes(() => {})
  const [inside, corner] = [mapTileAt([10.02, 46.02]), mapTileAt([10.39, 46.39])]
  expect(before[corner]).toMatchObject({ objects: 1, touching: 1 })
  expect(await hashes(() => {})).toEqual(before)
  for (const change of [(shore: Spot[]) => shore.splice(700, 1), (shore: Spot[]) => (shore[0] = [10.41, 46])]) {
    const after = await hashes(change)
    expect(after[inside]!.sha256).not.toBe(before[inside]!.sha256)
    expect(after[corner]).toEqual(before[corner])
  }
  const wet = await hashes(() => {}, { natural: 'wetland' } as never)
  expect(wet[inside]!.sha256).not.toBe(before[inside]!.sha256)
  // What is named without being seen is drawn on no image.
  const named = await hashes(() => {}, { office: 'company' } as never, 'skyscript-2023')
  expect(named[inside]).toMatchObject({ drawn: before[corner] && expect.any(String) })
  expect(named[inside]!.drawn).not.toBe(named[inside]!.sha256)
  expect(named[corner]).toEqual(before[corner])
})

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true })
const spot = fc.tuple(number(9, 11), number(45, 47))
const drawn = fc.oneof(
  fc.record({
    kind: fc.constant('area'),
    at: spot,
    size: number(0.0005, 0.9),
    count: fc.integer({ min: 4, max: 900 }),
  }),
  fc.record({
    kind: fc.constant('line'),
    at: spot,
    size: number(0.0005, 0.9),
    count: fc.integer({ min: 3, max: 900 }),
  }),
)

test('an image is shown the same objects, with the same geometry, as if every tile held them whole', async () => {
  let [wide, found] = [0, 0]
  await fc.assert(
    fc.asyncProperty(
      fc.array(drawn, { minLength: 3, maxLength: 12 }),
      fc.array(fc.tuple(spot, fc.constantFrom(0.0005, 0.01, 0.15), number(0, 1)), { minLength: 30, maxLength: 30 }),
      async (things, places) => {
        const map = new MapWriter()
        for (const { kind, at, size, count } of things) {
          if (kind === 'area') map.area([ring(at, size, count), ring(at, size / 3, 20)], { natural: 'wood' })
          else map.line(ring(at, size, count, 0.5), { highway: 'track' })
        }
        const { all, index, reader } = await map.extract()
        wide += Object.keys(index.wide ?? {}).length
        const shores = all.flatMap(({ geometry }) => boxesOf(geometry).map(([west, south]): Spot => [west, south]))
        for (const [[x, y], side, where] of places) {
          // Some anywhere, others at the edge of an object.
          const [left, bottom] =
            where < 0.5 || shores.length === 0 ? [x, y] : shores[Math.floor(where * shores.length) % shores.length]!
          const box: Box = [left - side / 3, bottom - side / 3, left + side, bottom + side]
          const objects = new Map<string, OsmObject>()
          for (const tile of mapTilesOf(box)) {
            for (const each of (await indexTile(await reader.touching(tile), () => 1)).search(box, 1))
              objects.set(each.id, each)
          }
          const shown = [...objects.values()].filter(({ geometry }) => geometryMeetsBox(geometry, box))
          const expected = all.filter(
            ({ geometry }) =>
              boxesOf(geometry).some((each) => boxesIntersect(each, box)) && geometryMeetsBox(geometry, box),
          )
          found += expected.length
          const lines = (some: readonly OsmObject[]) => some.map(toFeatureLine).sort()
          expect(lines(shown)).toEqual(lines(expected))
        }
        const homes = new Map<string, string>()
        for (const tile of Object.keys(index.tiles))
          for await (const outlines of reader.homeOutlines(tile)) for (const { id } of outlines) homes.set(id, tile)
        expect(homes).toEqual(new Map(all.map((object) => [object.id, homeTile(object)])))
        expect(fromFeatureLine(toFeatureLine(all[0]!))).toEqual(all[0])
      },
    ),
    { numRuns: 12 },
  )
  expect(wide).toBeGreaterThan(10)
  expect(found).toBeGreaterThan(100)
}, 60_000)
