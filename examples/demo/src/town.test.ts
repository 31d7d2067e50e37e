import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createCaptioner } from '@skyscript/captioner'
import { parseConfig } from '@skyscript/core/config'
import { extract } from '@skyscript/osm-extract'
import { expect, test } from 'vitest'
import { type OsmData, writePbf } from './pbf-writer.ts'
import { DEMO_TOWN, makeTown } from './town.ts'

// It has no types and no ES module.
const parseOsm = createRequire(import.meta.url)('osm-pbf-parser') as () => NodeJS.ReadWriteStream

const TOWN = fileURLToPath(new URL('../town.osm.pbf', import.meta.url))

interface ReadItem {
  type: 'node' | 'way' | 'relation'
  id: number
  lat: number
  lon: number
  refs: number[]
  members: { id: number; role: string; type: string }[]
  tags: Record<string, string>
  info: { version: number; timestamp: number }
}

/** Reads a PBF with a reader that this repository didn't write. */
function read(path: string): Promise<ReadItem[]> {
  const { promise, resolve, reject } = Promise.withResolvers<ReadItem[]>()
  const items: ReadItem[] = []
  createReadStream(path)
    .on('error', reject)
    .pipe(parseOsm())
    .on('data', (batch: ReadItem[]) => items.push(...batch))
    .on('error', reject)
    .on('end', () => resolve(items))
  return promise
}

const town = makeTown(DEMO_TOWN)

test('town.osm.pbf is exactly what the generator writes', () => {
  expect(Buffer.compare(writePbf(town), readFileSync(TOWN))).toBe(0)
})

test('an independent reader finds every element of the town with its tags, places, version and time', async () => {
  const items = await read(TOWN)
  const of = (type: string) => new Map(items.filter((item) => item.type === type).map((item) => [item.id, item]))
  const [nodes, ways, relations] = [of('node'), of('way'), of('relation')]
  expect([nodes.size, ways.size, relations.size]).toEqual([town.nodes.length, town.ways.length, town.relations.length])
  for (const node of town.nodes) {
    const got = nodes.get(node.id)!
    expect(Math.round(got.lon * 1e7)).toBe(node.longitude)
    expect(Math.round(got.lat * 1e7)).toBe(node.latitude)
    // The reader assigns keys one by one, which loses `__proto__`.
    expect(Object.entries(got.tags)).toEqual(Object.entries(node.tags).filter(([key]) => key !== '__proto__'))
    expect(got.info).toMatchObject({ version: node.version, timestamp: Date.parse(node.timestamp) })
  }
  for (const way of town.ways) {
    const got = ways.get(way.id)!
    expect(got.refs).toEqual([...way.nodes])
    expect(Object.entries(got.tags)).toEqual(Object.entries(way.tags).filter(([key]) => key !== '__proto__'))
  }
  for (const relation of town.relations) {
    expect(relations.get(relation.id)!.members.map(({ id, role, type }) => ({ ref: id, role, type }))).toEqual([
      ...relation.members,
    ])
  }
})

test('the town has the size and the variety that the demo promises', () => {
  const tagged = [...town.nodes, ...town.ways, ...town.relations].filter(({ tags }) => Object.keys(tags).length > 0)
  const distinct = new Set(tagged.flatMap(({ tags }) => Object.entries(tags).map(([key, value]) => `${key}=${value}`)))
  expect(tagged.length).toBeGreaterThan(800)
  expect(distinct.size).toBeGreaterThan(200)
  expect(readFileSync(TOWN).length).toBeLessThan(100_000)
  expect(tagged.some(({ tags }) => Object.hasOwn(tags, '__proto__'))).toBe(true)
  expect(town.relations.filter(({ members }) => members.some(({ role }) => role === 'inner')).length).toBeGreaterThan(5)
})

test('the pipeline finds at least 600 objects and 60 tags that can be seen from above, and drops the broken ones', async () => {
  const captioner = createCaptioner()
  const extraction = extract(TOWN, { wanted: captioner.verdicts() })
  const seen = new Set<string>()
  for await (const { tags } of extraction) {
    for (const [key, value] of Object.entries(tags)) {
      if (captioner.groundability(key, value).groundable) seen.add(`${key}=${value}`)
    }
  }
  const { emitted, dropped } = extraction.report()
  expect(emitted.points + emitted.lines + emitted.areas).toBeGreaterThan(600)
  expect(Math.min(emitted.points, emitted.lines)).toBeGreaterThan(100)
  expect(seen.size).toBeGreaterThan(60)
  expect(Object.fromEntries(dropped)).toMatchObject({
    'not-groundable:address': expect.any(Number),
    'way-incomplete': 2,
    'area-self-intersection': 1,
    'way-single-node': 1,
    'area-open-ring': 1,
    'relation-incomplete': 1,
  })
})

test('other seeds and origins give other towns, the same ones each time', () => {
  const other = makeTown({ seed: 7, origin: [8.2, 47.1] })
  expect(writePbf(other)).toEqual(writePbf(makeTown({ seed: 7, origin: [8.2, 47.1] })))
  expect(writePbf(other)).not.toEqual(writePbf(makeTown({ seed: 8, origin: [8.2, 47.1] })))
  const longitudes = other.nodes.map(({ longitude }) => longitude / 1e7)
  expect(Math.min(...longitudes)).toBeGreaterThan(7.9)
  expect(Math.max(...longitudes)).toBeLessThan(8.5)
})

test('negative, huge and empty values survive the trip through the file format', async () => {
  const edit = { version: 3, timestamp: '2019-02-03T04:05:06Z' }
  const node = (id: number, longitude: number, latitude: number) => ({ id, longitude, latitude, tags: {}, ...edit })
  const data: OsmData = {
    nodes: [node(-5, -1_799_999_999, -899_999_999), node(3_600_000_000_000_000, 1_800_000_000, 900_000_000)],
    ways: [{ id: 9_000_000_000, nodes: [3_600_000_000_000_000, -5], tags: { '': 'no key', a: '' }, ...edit }],
    relations: [],
  }
  const folder = mkdtempSync(join(tmpdir(), 'pbf-writer-'))
  try {
    writeFileSync(join(folder, 'x.osm.pbf'), writePbf(data))
    const items = await read(join(folder, 'x.osm.pbf'))
    expect(items.map(({ type, id }) => [type, id])).toEqual([
      ['node', -5],
      ['node', 3_600_000_000_000_000],
      ['way', 9_000_000_000],
    ])
    expect(items[2]!.refs).toEqual([3_600_000_000_000_000, -5])
    expect(items[2]!.tags).toEqual({ '': 'no key', a: '' })
    expect([items[0]!.lon, items[0]!.lat]).toEqual([-179.9999999, -89.9999999])
  } finally {
    rmSync(folder, { recursive: true })
  }
  expect(() => writePbf({ nodes: [{ ...node(1, 0, 0), tags: { '': 'x' } }], ways: [], relations: [] })).toThrow(
    /without a key/,
  )
})

test('the demo region is a sound config that reads the town beside it', () => {
  const file = fileURLToPath(new URL('../region.yaml', import.meta.url))
  const config = parseConfig(readFileSync(file, 'utf8'), file)
  expect(config.osm.source).toBe(TOWN)
  expect(config.name).toBe('SkyScript-Demo')
  expect(config.imagery.earthEngine.endpoint).toBe('local')
})
