// @module-tag slow
import { createReadStream, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { lacks, OSMIUM } from '../../../test/support/needs.ts'
import { compareWithOsmium } from '../bench/against-osmium.ts'
import { openPbf, parseHeader, visitBlock } from '../src/index.ts'
import { fileOf, readAll, SHARED, sharedData } from './files.ts'

const shared = (name: string) => join(SHARED, `${name}.osm.pbf`)
const lacksShared = (...names: readonly string[]) => lacks(...names.map((name) => sharedData(`${name}.osm.pbf`)))
const TOWN = fileURLToPath(new URL('../../../examples/demo/town.osm.pbf', import.meta.url))

// As `osmium fileinfo --extended` of osmium 1.15 counts them.
const COUNTS = [
  ['helsinki', { nodes: 24_260, ways: 5130, relations: 620 }],
  ['monaco-2021', { nodes: 25_423, ways: 4106, relations: 243 }],
  ['monaco-lz4', { nodes: 25_423, ways: 4106, relations: 243 }],
  ['edge/test', { nodes: 3, ways: 1, relations: 1 }],
  ['edge/test_nozlib', { nodes: 3, ways: 1, relations: 1 }],
  ['edge/test_nozlib_nodense', { nodes: 3, ways: 1, relations: 1 }],
  ['edge/loc_on_ways', { nodes: 0, ways: 1, relations: 1 }],
] as const
const lacksCounted = lacksShared(...COUNTS.map(([name]) => name))
test.skipIf(lacksCounted).each(COUNTS)('%s has as many elements as osmium counts', async (name, counts) => {
  const { report } = await readAll(shared(name))
  expect(report.read).toEqual(counts)
  const { points, lines, areas } = report.emitted
  expect(report.tagged).toBe(points + lines + areas + [...report.dropped.values()].reduce((a, b) => a + b, 0))
})

test.skipIf(lacksCounted)('lz4 blobs hold the same objects as zlib blobs', async () => {
  const [zlib, lz4] = [await readAll(shared('monaco-2021')), await readAll(shared('monaco-lz4'))]
  expect(zlib.objects.length).toBeGreaterThan(5000)
  expect(lz4.objects).toEqual(zlib.objects)
})

test.skipIf(lacksCounted)('raw blobs and plain nodes hold the same objects as zlib blobs of dense nodes', async () => {
  const { objects } = await readAll(shared('edge/test'))
  expect(objects.length).toBeGreaterThan(0)
  expect((await readAll(shared('edge/test_nozlib'))).objects).toEqual(objects)
  expect((await readAll(shared('edge/test_nozlib_nodense'))).objects).toEqual(objects)
})

test.skipIf(lacksCounted)('a way has its geometry from its own locations where the file has them', async () => {
  const { objects, report } = await readAll(shared('edge/loc_on_ways'))
  expect([report.read.nodes, objects.length]).toEqual([0, 1])
  expect(objects[0]!.geometry.type).not.toBe('Point')
})

const lacksHistory = lacks(sharedData('edge/deleted_nodes.osh.pbf'))
test.skipIf(lacksHistory)('a history file is refused by name, with the way out', async () => {
  const path = join(SHARED, 'edge/deleted_nodes.osh.pbf')
  await expect(readAll(path)).rejects.toMatchObject({
    code: 'history-file',
    message: expect.stringMatching(/deleted_nodes\.osh\.pbf is a history file.*osm\.at/),
  })
})

const lacksCompared = [lacks(OSMIUM), lacksShared('helsinki', 'monaco-2021', 'heidelberg')].some(Boolean)
test.skipIf(lacksCompared).each<[string, [string, string][]]>([
  ['helsinki', []],
  ['monaco-2021', []],
  // `construction:landuse=basin` on a ring that crosses itself: osmium keeps it as a line, we drop it by name.
  ['heidelberg', [['w366923852', 'only theirs']]],
])(
  'every object of %s has the tags, rings and area that `osmium export` gives it',
  { timeout: 60_000 },
  async (name, known) => {
    const { objects, equal, different } = await compareWithOsmium(shared(name))
    expect(objects).toBeGreaterThan(5000)
    expect([...different]).toEqual(known)
    expect(equal).toBe(objects - known.length)
  },
)

const lacksAndorra = lacksShared('andorra-2025')
test.skipIf(lacksAndorra)("the header's time, sequence number, server and box are read as osmium reads them", () => {
  const file = openPbf(shared('andorra-2025'))
  const [first] = file.index()
  expect(parseHeader(file.read(first!), { path: file.path, offset: first!.offset })).toEqual({
    replicationTimestamp: '2025-01-19T21:21:36Z',
    replicationSequence: 4305,
    replicationServer: 'https://download.geofabrik.de/europe/andorra-updates',
    box: [1.412368, 42.4276, 1.787481, 42.65717],
    writingProgram: 'osmium/1.14.0',
    sorted: true,
  })
  file.close()
})

interface ReadItem {
  type: 'node' | 'way' | 'relation'
  id: number
  lat: number
  lon: number
  refs: number[]
  members: { id: number; type: string }[]
  tags: Record<string, string>
  info: { version: number; timestamp: number }
}

describe('against osm-pbf-parser, a reader that is not ours', () => {
  // It has no types and no ES module.
  const parseOsm = createRequire(import.meta.url)('osm-pbf-parser') as () => NodeJS.ReadWriteStream

  function theirs(path: string): Promise<unknown[]> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown[]>()
    const items: unknown[] = []
    createReadStream(path)
      .on('error', reject)
      .pipe(parseOsm())
      .on('data', (batch: ReadItem[]) => items.push(...batch.map(comparable)))
      .on('error', reject)
      .on('end', () => resolve(items))
    return promise
  }

  function comparable({ type, id, tags, info, lon, lat, refs, members }: ReadItem): unknown {
    const common = { id, tags: Object.entries(tags), version: info.version, at: info.timestamp }
    if (type === 'node' && common.tags.length === 0)
      return { id, tags: [], at7: [Math.round(lon * 1e7), Math.round(lat * 1e7)] }
    if (type === 'node') return { ...common, at7: [Math.round(lon * 1e7), Math.round(lat * 1e7)] }
    if (type === 'way') return { ...common, refs }
    return { ...common, members: members.map((member) => `${member.type} ${member.id}`) }
  }

  async function ours(path: string): Promise<unknown[]> {
    const items: unknown[] = []
    const common = (
      id: number,
      element: { tags(): [string, string][]; version: number; timestamp(): string | null },
    ) => ({
      id,
      // It assigns keys one by one, which loses `__proto__`.
      tags: element.tags().filter(([key]) => key !== '__proto__'),
      version: element.version,
      at: Date.parse(element.timestamp()!),
    })
    const file = openPbf(path)
    const numbers = ({ values, length }: { values: Float64Array; length: number }) => [...values.subarray(0, length)]
    for (const blob of file.index()) {
      if (blob.type !== 'OSMData') continue
      visitBlock(
        file.read(blob),
        { path, offset: blob.offset },
        {
          nodes: (nodes) => {
            const tagged = new Map<number, ReturnType<typeof common>>()
            nodes.forEachTagged((i) => tagged.set(i, common(nodes.ids.values[i]!, nodes)))
            for (let i = 0; i < nodes.count; i++) {
              const at7 = [nodes.longitudes.values[i], nodes.latitudes.values[i]]
              items.push({ ...(tagged.get(i) ?? { id: nodes.ids.values[i], tags: [] }), at7 })
            }
          },
          way: (way) => items.push({ ...common(way.id, way), refs: numbers(way.refs()) }),
          relation: (relation) => {
            const { ids, types } = relation.members()
            const members = numbers(ids).map((ref, i) => `${['node', 'way', 'relation'][types.values[i]!]} ${ref}`)
            items.push({ ...common(relation.id, relation), members })
          },
        },
      )
    }
    file.close()
    return items
  }

  /** A file of the header and every n-th blob of a shared file: the other reader takes long. */
  function someBlobs(name: string, every: number): string {
    const file = openPbf(shared(name))
    const index = file.index()
    file.close()
    const bytes = readFileSync(file.path)
    const ends = [0, ...index.map(({ offset, size }) => offset + size)]
    const blobs = index.map((_, i) => bytes.subarray(ends[i]!, ends[i + 1]!))
    return fileOf(Buffer.concat(blobs.filter((_, i) => i % every === 0 || i === blobs.length - 1)))
  }

  async function compare(path: string): Promise<void> {
    const [mine, other] = [await ours(path), await theirs(path)]
    expect(mine.length).toBeGreaterThan(1000)
    expect(mine.length).toBe(other.length)
    // Compared as text: a difference of 100,000 records would take long to print.
    const different = mine.findIndex((item, i) => JSON.stringify(item) !== JSON.stringify(other[i]))
    expect(different === -1 ? null : [mine[different], other[different]]).toBeNull()
  }

  test('the town of the demo: the same nodes, ways and relations with tags, places, versions and times', () =>
    compare(TOWN))

  test.skipIf(lacksShared('helsinki', 'bahamas-2015')).each([
    ['helsinki', () => shared('helsinki')],
    ['some blobs of bahamas-2015, with ids up to 3.6e15', () => someBlobs('bahamas-2015', 12)],
  ] as const)('%s: the same nodes, ways and relations with tags, places, versions and times', (_, path) =>
    compare(path()),
  )
})

test.skipIf(lacksShared('helsinki'))('an extract is read the same each time', async () => {
  expect(await readAll(shared('helsinki'))).toEqual(await readAll(shared('helsinki')))
})
