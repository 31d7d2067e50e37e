// @module-tag slow
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { boxOf, fromFeatureLine, toFeatureLine } from '@skyscript/core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { lacks } from '../../../test/support/needs.ts'
import { type ExtractOptions, extract, type FeatureChunk, PbfFault, type TagVerdicts } from '../src/index.ts'
import { blobOf, fileOf, fileOfBlocks, type OsmData, readAll, SHARED, sharedData, strings, writePbf } from './files.ts'

const TOWN = fileURLToPath(new URL('../../../examples/demo/town.osm.pbf', import.meta.url))
const EDIT = { version: 1, timestamp: '2024-05-01T12:00:00Z' }

/** A place for temporary files that is empty after each reading. */
const temporary = mkdtempSync(join(tmpdir(), 'osm-extract-threads-'))
beforeAll(() => {
  vi.stubEnv('TMPDIR', temporary)
})
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(temporary, { recursive: true })
})

const positionsLeft = () => readdirSync(temporary).filter((name) => name.startsWith('skyscript-locations-'))

/** Everything that comes out of a file: lines, boxes, counts. */
async function whole(path: string, options: Partial<ExtractOptions> = {}) {
  const extraction = extract(path, { wanted: 'all', counted: 'all', ...options })
  const [lines, boxes] = [createHash('sha256'), createHash('sha256')]
  for await (const chunk of extraction.chunks()) {
    lines.update(chunk.bytes)
    boxes.update(chunk.boxes)
  }
  return { lines: lines.digest('hex'), boxes: boxes.digest('hex'), report: extraction.report() }
}

/** A dozen blobs of nodes, four of ways, and areas made of them. */
function city(): OsmData {
  const nodes = Array.from({ length: 24_000 }, (_, i) => ({
    id: 2 * i + 1,
    longitude: (i % 300) * 1000,
    latitude: Math.floor(i / 300) * 1000,
    tags: i % 50 === 0 ? { natural: 'tree', note: `"${i}"\n` } : {},
    ...EDIT,
  }))
  const at = (x: number, y: number) => 2 * (y * 300 + x) + 1
  const ways = Array.from({ length: 8_000 }, (_, i) => {
    const [x, y] = [(i % 149) * 2, Math.floor(i / 149)]
    const tags: Record<string, string> = i % 3 === 0 ? {} : i % 40 === 1 ? { leisure: 'park' } : { building: 'yes' }
    return { id: i + 1, nodes: [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1), at(x, y)], tags, ...EDIT }
  })
  const relations = Array.from({ length: 2000 }, (_, i) => ({
    id: i + 1,
    members: [{ type: 'way' as const, ref: 3 * i + 1, role: 'outer' }],
    tags: { type: 'multipolygon', landuse: i % 2 === 0 ? 'forest' : 'meadow' },
    ...EDIT,
  }))
  return { nodes, ways, relations }
}

const CITY = fileOf(writePbf(city(), { blockElements: 2000 }))
const SOME = new Map<string, true | ReadonlySet<string>>([
  ['leisure', true],
  ['landuse', new Set(['forest'])],
])
/** Of most keys here the reason needs a look at the value. */
const JUDGED: TagVerdicts = {
  tags: new Map<string, Map<string, number | null>>([
    ['landuse', new Map([['forest', null]])],
    ['building', new Map([['no', 1]])],
  ]),
  patterns: [
    { key: /^build/, value: /^y/, verdict: 0 },
    { key: 'note', value: /[05]/, verdict: 2 },
    { key: 'note', value: null, verdict: 1 },
  ],
  reasons: ['house', 'said', 'five', 'unknown'],
}

describe('any number of threads gives the same bytes and the same counts', () => {
  test.each<[string, Partial<ExtractOptions>]>([
    ['everything', {}],
    ['a selection', { wanted: SOME }],
    ['a selection by verdicts', { wanted: JUDGED, counted: JUDGED }],
    ['a selection by verdicts, with nothing counted', { wanted: JUDGED, counted: null }],
    ['nothing', { wanted: new Map() }],
    ['what meets a box', { clip: [0.002, 0.002, 0.01, 0.008] }],
    ['everything, with positions in a file', { locationBytes: 0 }],
    ['a selection, with positions in a file', { locationBytes: 0, wanted: SOME }],
  ])('%s', async (_, options) => {
    const one = await whole(CITY, { ...options, threads: 1 })
    expect(one.report.tagged).toBeGreaterThan(5_000)
    for (const threads of [2, 5]) expect(await whole(CITY, { ...options, threads })).toEqual(one)
  })

  test('positions in a file make the objects that positions in memory make', async () => {
    expect(await whole(CITY, { threads: 2, locationBytes: 0 })).toEqual(await whole(CITY, { threads: 1 }))
    expect(positionsLeft()).toEqual([])
  })

  const extracts = ['helsinki.osm.pbf', 'bahamas-2015.osm.pbf', 'monaco-lz4.osm.pbf']
  test.skipIf(lacks(...extracts.map(sharedData))).each(extracts)('%s', { timeout: 60_000 }, async (name) => {
    const path = join(SHARED, name)
    const one = await whole(path, { threads: 1 })
    expect(await whole(path, { threads: 2, locationBytes: 0 })).toEqual(one)
  })
})

test('each line of a chunk is as the core package writes it, and its box is that of the object', async () => {
  for (const path of [CITY, TOWN]) {
    const chunks: FeatureChunk[] = []
    for await (const chunk of extract(path, { wanted: 'all' }).chunks()) chunks.push(chunk)
    const { objects } = await readAll(path)
    let next = 0
    for (const { bytes, ends, boxes } of chunks) {
      let start = 0
      for (const [i, end] of ends.entries()) {
        const line = Buffer.from(bytes.subarray(start, end)).toString('utf8')
        const object = objects[next++]!
        expect(line).toBe(`${toFeatureLine(object)}\n`)
        expect(fromFeatureLine(line)).toEqual(object)
        expect([...boxes.subarray(4 * i, 4 * i + 4)].map((side) => side / 1e7)).toEqual(boxOf(object.geometry))
        start = end
      }
      expect(start).toBe(bytes.length)
    }
    expect(next).toBe(objects.length)
  }
})

test('a selection of few ways is what everything holds of them, though most of each block is passed over', async () => {
  for (const path of [CITY, TOWN]) {
    const all = await readAll(path)
    for (const [key, value] of [['leisure', 'park'] as const, ['landuse', 'forest'] as const]) {
      const { objects, report } = await readAll(path, { wanted: new Map([[key, new Set([value])]]) })
      expect(objects.length).toBeGreaterThan(0)
      expect(objects).toEqual(all.objects.filter(({ tags }) => tags[key] === value))
      expect([report.tagged, report.read]).toEqual([all.report.tagged, all.report.read])
    }
  }
})

test('tags are counted over all elements, whatever is wanted', async () => {
  const { report } = await readAll(CITY, { wanted: new Map(), counted: 'all', threads: 2 })
  expect(report.tagCounts.get('natural=tree')).toBe(24_000 / 50)
  expect(report.tagCounts.get('landuse=forest')).toBe(1000)
  expect(report.tagCounts.get('building=yes')).toBe(
    city().ways.filter(({ tags }) => (tags as Record<string, string>).building === 'yes').length,
  )
})

/** The blobs of a file after its header. */
function blobsOf(data: OsmData): Buffer {
  const bytes = Buffer.from(writePbf(data))
  return bytes.subarray(bytes.indexOf('OSMData') - 6)
}

test('of a node that comes twice the last position counts, in any number of threads', async () => {
  const { nodes, ways } = city()
  const moved = nodes.map((node) => ({ ...node, longitude: node.longitude + 7, tags: {} }))
  const parts = [
    { nodes, ways: [], relations: [] },
    { nodes: moved, ways: [], relations: [] },
    { nodes: [], ways: ways.slice(0, 5000), relations: [] },
  ]
  const path = fileOf(Buffer.concat([fileOfBlocks(), ...parts.map(blobsOf)]))
  const one = await whole(path, { threads: 1 })
  for (const options of [{ threads: 3 }, { threads: 3, locationBytes: 0 }, { threads: 1, locationBytes: 0 }])
    expect(await whole(path, options)).toEqual(one)
  const { objects } = await readAll(path)
  const first = objects.find(({ id }) => id === 'a2')!
  expect(first.geometry.type === 'Polygon' && Math.round(first.geometry.coordinates[0]![0]![0] * 1e7) % 1000).toBe(7)
})

describe('what goes wrong in a thread', () => {
  const bad = blobOf('OSMData', (blob) => blob.integer(2, 10).bytes(3, Buffer.from('not zlib')))
  const good = blobsOf({ ...city(), ways: [], relations: [] })

  test('is told as it is in one thread: the first fault of the file, with its byte', async () => {
    const header = fileOfBlocks()
    const path = fileOf(Buffer.concat([header, good, bad, good, bad]))
    const faultIn = async (threads: number) => {
      const error = await whole(path, { threads }).catch((fault: unknown) => fault)
      expect(error).toBeInstanceOf(PbfFault)
      const { code, offset, message } = error as PbfFault
      return { code, offset, message }
    }
    const one = await faultIn(1)
    expect(one).toMatchObject({
      code: 'pbf-bad-compression',
      offset: header.length + good.length + bad.readUInt32BE(0) + 4,
    })
    expect(await faultIn(3)).toEqual(one)
  })

  test('leaves no thread and no file behind; nor does who stops asking, or an abort', async () => {
    const openFiles = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0)
    const before = openFiles()
    for await (const _ of extract(CITY, { wanted: 'all', threads: 2 })) break
    const controller = new AbortController()
    const aborted = async () => {
      for await (const _ of extract(CITY, { wanted: 'all', threads: 2, signal: controller.signal }).chunks())
        controller.abort()
    }
    await expect(aborted()).rejects.toMatchObject({ name: 'AbortError' })
    await expect(whole(fileOf(Buffer.concat([fileOfBlocks(), bad])), { threads: 2 })).rejects.toThrow(PbfFault)
    expect(openFiles()).toBe(before)
    expect(positionsLeft()).toEqual([])
  })
})

test('a file that says it is sorted, and has an unsorted blob that few looks would find, is refused in threads too', async () => {
  const bytes = Buffer.from(writePbf(city()))
  const start = bytes.indexOf('OSMData') - 6
  const stray = blobsOf({ nodes: [], ways: city().ways.slice(0, 1), relations: [] })
  const path = fileOf(Buffer.concat([bytes.subarray(0, start), stray, bytes.subarray(start)]))
  for (const threads of [1, 2]) await expect(whole(path, { threads })).rejects.toMatchObject({ code: 'pbf-not-sorted' })
})

test('blocks in other units of place and time are the same in a selection as among everything', async () => {
  const path = fileOf(
    fileOfBlocks((block) =>
      block
        .message(1, strings('leisure', 'park', 'name', 'x'))
        .message(2, (group) => {
          for (const id of [1, 2, 3])
            group.message(1, (n) =>
              n
                .signed(1, id)
                .signed(8, id)
                .signed(9, 2 * id * id),
            )
          for (let id = 1; id < 40; id++)
            group.message(3, (w) =>
              w
                .integer(1, id)
                .packed(2, [id === 7 ? 1 : 3])
                .packed(3, [id === 7 ? 2 : 4])
                .message(4, (info) => info.integer(1, 2).integer(2, 500))
                .packedSigned(8, [1, 1, 1]),
            )
        })
        .integer(17, 1_000_000)
        .integer(18, 60_000)
        .integer(19, -2_000_000_000),
    ),
  )
  const { objects } = await readAll(path, { wanted: new Map([['leisure', true]]) })
  expect(objects).toEqual((await readAll(path)).objects.filter(({ id }) => id === 'w7'))
  expect(objects[0]).toMatchObject({ timestamp: '1970-01-01T08:20:00Z' })
})
