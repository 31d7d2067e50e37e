// @module-tag slow
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fileOf, fileOfBlocks, type ProtoWriter, readAll, readBytes, Sketch, strings, writePbf } from './files.ts'

const codeOf = (fill: (block: ProtoWriter) => void) =>
  readBytes(fileOfBlocks(fill)).then(
    () => null,
    (error) => {
      expect(error.message).toMatch(/\.osm\.pbf is damaged: .*\(at byte \d+\)\.$/)
      return error.code
    },
  )

const group = (fill: (group: ProtoWriter) => void) => (block: ProtoWriter) =>
  block.message(1, strings('natural', 'tree')).message(2, fill)
const dense = (fill: (nodes: ProtoWriter) => void) => group((inner) => inner.message(2, fill))
const node = (fill: (node: ProtoWriter) => void) => group((inner) => inner.message(1, fill))
const way = (fill: (way: ProtoWriter) => void) => group((inner) => inner.message(3, fill))
const relation = (fill: (relation: ProtoWriter) => void) => group((inner) => inner.message(4, fill))

describe('a damaged block is refused by name', () => {
  test.each<[string, string, (block: ProtoWriter) => void]>([
    ['a key beyond the string table', 'pbf-bad-string-id', node((n) => n.integer(1, 2).packed(2, [3]).packed(3, [1]))],
    [
      'a value beyond it',
      'pbf-bad-string-id',
      way((w) =>
        w
          .integer(1, 1)
          .packed(2, [1])
          .packed(3, [2 ** 40]),
      ),
    ],
    ['a negative key', 'pbf-bad-string-id', way((w) => w.integer(1, 1).packed(2, [-1]).packed(3, [1]))],
    [
      'a string of a dense node beyond it',
      'pbf-bad-string-id',
      dense((n) => n.packedSigned(1, [1]).packedSigned(8, [0]).packedSigned(9, [0]).packed(10, [1, 77, 0])),
    ],
    [
      'a tag of a relation beyond it',
      'pbf-bad-string-id',
      relation((r) => r.integer(1, 1).packed(2, [9]).packed(3, [1])),
    ],
    ['more keys than values', 'pbf-unequal-arrays', way((w) => w.integer(1, 1).packed(2, [1, 1]).packed(3, [2]))],
    [
      'more nodes than places',
      'pbf-unequal-arrays',
      dense((n) => n.packedSigned(1, [1, 1]).packedSigned(8, [0]).packedSigned(9, [0])),
    ],
    [
      'more versions than nodes',
      'pbf-unequal-arrays',
      dense((n) =>
        n
          .packedSigned(1, [1])
          .packedSigned(8, [0])
          .packedSigned(9, [0])
          .message(5, (info) => info.packed(1, [1, 1])),
      ),
    ],
    [
      'tags of dense nodes that end early',
      'pbf-unequal-arrays',
      dense((n) => n.packedSigned(1, [1, 1]).packedSigned(8, [0, 0]).packedSigned(9, [0, 0]).packed(10, [1, 2, 0])),
    ],
    [
      'a key of a dense node without value',
      'pbf-unequal-arrays',
      dense((n) => n.packedSigned(1, [1]).packedSigned(8, [0]).packedSigned(9, [0]).packed(10, [1])),
    ],
    [
      'more members than types',
      'pbf-unequal-arrays',
      relation((r) => r.integer(1, 1).packedSigned(9, [1, 1]).packed(10, [1])),
    ],
    [
      'more locations than nodes of a way',
      'pbf-unequal-arrays',
      way((w) =>
        w
          .integer(1, 1)
          .packed(2, [1])
          .packed(3, [2])
          .packedSigned(8, [1])
          .packedSigned(9, [1, 1])
          .packedSigned(10, [1]),
      ),
    ],
    [
      'ids that add up beyond 2^53',
      'pbf-number-overflow',
      dense((n) =>
        n
          .packedSigned(1, [2 ** 51, 2 ** 51, 2 ** 51, 2 ** 51, 2 ** 51])
          .packedSigned(8, [0, 0])
          .packedSigned(9, [0, 0]),
      ),
    ],
    [
      'nodes of a way that add up below -2^53 and back',
      'pbf-number-overflow',
      way((w) =>
        w
          .integer(1, 1)
          .packed(2, [1])
          .packed(3, [2])
          .packedSigned(8, [...new Array(5).fill(-(2 ** 51)), 2 ** 51]),
      ),
    ],
    [
      'a wire type of none',
      'pbf-bad-wire-type',
      (block) => block.bytes(1, '').message(2, (inner) => inner.bytes(3, Buffer.from([0x0f]))),
    ],
    [
      'a number of 11 bytes',
      'pbf-long-varint',
      group((inner) => inner.bytes(3, Buffer.from([8, ...new Array(10).fill(0xff), 1]))),
    ],
    ['a number that is cut off', 'pbf-cut-varint', group((inner) => inner.bytes(3, Buffer.from([8, 0x80])))],
    [
      'a field longer than its message',
      'pbf-bad-length',
      group((inner) => inner.bytes(3, Buffer.from([0x12, 100, 1]))),
    ],
    [
      'an id beyond 2^53',
      'pbf-bad-id',
      group((inner) => inner.bytes(3, Buffer.from([8, 255, 255, 255, 255, 255, 255, 255, 255, 127]))),
    ],
  ])('%s', async (_, code, fill) => {
    expect(await codeOf(fill)).toBe(code)
  })
})

test('millions of empty strings or ways in one blob are read without running out of memory', {
  timeout: 30_000,
}, async () => {
  const pairs = (tag: number) => Buffer.alloc(8 * 2 ** 20, Buffer.from([tag, 0]))
  const before = process.memoryUsage().rss
  const read = await readBytes(
    fileOfBlocks(
      (block) => block.bytes(1, pairs(0x0a)),
      (block) => block.bytes(1, '').bytes(2, pairs(0x1a)),
    ),
  )
  expect(read.objects).toEqual([])
  expect(read.report.read.ways).toBe(4 * 2 ** 20)
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 2 ** 20)
})

test('elements that are marked as deleted are dropped and counted, and nothing is built on them', async () => {
  const file = fileOfBlocks(
    dense((n) =>
      n
        .packedSigned(1, [1, 1, 1])
        .packedSigned(8, [0, 100, 100])
        .packedSigned(9, [0, 100, 100])
        .message(5, (info) => info.packed(1, [1, 1, 1]).packedSigned(2, [0, 0, 0]).packed(6, [1, 0, 1]))
        .packed(10, [1, 2, 0, 1, 2, 0, 0]),
    ),
    way((w) =>
      w
        .integer(1, 5)
        .packed(2, [1])
        .packed(3, [2])
        .message(4, (info) => info.integer(6, 0))
        .packedSigned(8, [1, 2]),
    ),
    way((w) => w.integer(1, 6).packed(2, [1]).packed(3, [2]).packedSigned(8, [1, 1])),
    way((w) =>
      w
        .integer(1, 7)
        .packed(2, [1])
        .packed(3, [2])
        .message(4, (info) => info.integer(6, 1))
        .packedSigned(8, [1, 2]),
    ),
  )
  const { objects, dropped, report } = await readBytes(file)
  expect(objects.map(({ id }) => id)).toEqual(['n1', 'w7'])
  expect(dropped).toEqual({ deleted: 2, 'way-incomplete': 1 })
  expect([report.tagged, report.read]).toEqual([5, { nodes: 3, ways: 3, relations: 0 }])
})

test("a way's own locations that are off Earth, as writers mark missing nodes, make it incomplete", async () => {
  const located = (...longitudes: number[]) =>
    way((w) =>
      w
        .integer(1, 1)
        .packed(2, [1])
        .packed(3, [2])
        .packedSigned(8, [1, 1])
        .packedSigned(9, [0, 10])
        .packedSigned(10, longitudes),
    )
  const whole = await readBytes(fileOfBlocks(located(100, 100)))
  expect(whole.objects[0]!.geometry).toEqual({
    type: 'LineString',
    coordinates: [
      [1e-5, 0],
      [2e-5, 1e-6],
    ],
  })
  const missing = await readBytes(fileOfBlocks(located(100, 0x7fffffff - 100)))
  expect([missing.objects, missing.dropped]).toEqual([[], { 'way-incomplete': 1 }])
})

test('granularity and offsets of a block move its places; a time of no calendar is none', async () => {
  const { objects } = await readBytes(
    fileOfBlocks((block) => {
      node((n) =>
        n
          .signed(1, -3)
          .packed(2, [1])
          .packed(3, [2])
          .message(4, (info) => info.integer(1, 4).integer(2, 2 ** 50))
          .signed(8, -7)
          .signed(9, 7),
      )(block)
      block.integer(17, 1_000_000).integer(18, 1000).integer(19, -2_000_000_000).integer(20, 5_000_000_000)
    }),
  )
  expect(objects).toEqual([
    {
      id: 'n-3',
      tags: { natural: 'tree' },
      version: 4,
      timestamp: null,
      geometry: { type: 'Point', coordinates: [5.007, -2.007] },
    },
  ])
})

const HOSTILE = [
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  '\u0000a',
  'a\nb',
  '\u202e',
  '\ufeffbom',
  '💥',
  '=',
  '',
]

test('hostile keys and values come through as they are, each on every kind of element', async () => {
  const entries = HOSTILE.filter((key) => key !== '').map(
    (key, i) => [key, HOSTILE[(i + 3) % HOSTILE.length]!] as const,
  )
  const tags = Object.fromEntries([...entries, ['long', 'x'.repeat(2 ** 20)], ['area', 'yes']])
  const sketch = new Sketch()
  sketch.node('5,5', tags)
  const ring = sketch.way('0,0 9,0 9,9 0,0', tags)
  sketch.relation([ring], tags)
  const extraction = await sketch.read({ counted: 'all' })
  const { objects, report } = extraction
  expect(objects).toHaveLength(3)
  for (const object of objects) {
    const own = Object.entries(object.tags).filter(([key]) => key !== 'type')
    expect(own.toSorted()).toEqual(Object.entries(tags).toSorted())
    expect(Object.getPrototypeOf(object.tags)).toBe(Object.prototype)
  }
  expect(report.tagCounts.get(`__proto__=${HOSTILE[3]}`)).toBe(3)
})

test('bytes that are no UTF-8 become replacement characters, not a fault', async () => {
  const { objects } = await readBytes(
    fileOfBlocks((block) =>
      block
        .message(1, (table) =>
          table
            .bytes(1, '')
            .bytes(1, Buffer.from([0xff, 0xfe]))
            .bytes(1, Buffer.from([0xed, 0xa0, 0x80])),
        )
        .message(2, (inner) => inner.message(1, (n) => n.signed(1, 1).packed(2, [1]).packed(3, [2]))),
    ),
  )
  expect(objects[0]!.tags).toEqual({ '\ufffd\ufffd': '\ufffd\ufffd\ufffd' })
})

test('tags are counted over the whole file only where they are asked for', async () => {
  const sketch = new Sketch()
  for (const places of ['0,0 1,1', '1,1 2,2', '2,2 3,3']) sketch.way(places, { highway: 'path', name: places })
  expect((await sketch.read()).report.tagCounts.size).toBe(0)
  const { report } = await sketch.read({ counted: new Map([['highway', true]]), wanted: new Map() })
  expect([...report.tagCounts]).toEqual([['highway=path', 3]])
})

describe('any elements that are written are read back equal', () => {
  const id = fc.oneof(
    fc.integer({ min: 1, max: 60 }),
    fc.integer({ min: -(2 ** 31), max: -1 }),
    fc.nat(2 ** 31 - 1).map((n) => n * 1_500_000),
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }).map((value) => value.toWellFormed()),
    fc.constantFrom(...HOSTILE),
  )
  const tags = fc
    .array(
      fc.tuple(
        text.filter((key) => key !== ''),
        text,
      ),
      { maxLength: 4 },
    )
    .map((entries) => Object.fromEntries(entries) as Record<string, string>)
  const edit = {
    tags,
    version: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    timestamp: fc.integer({ min: 1, max: 4e9 }).map((s) => `${new Date(s * 1000).toISOString().slice(0, 19)}Z`),
  }
  const data = fc.record({
    nodes: fc.uniqueArray(
      fc.record({
        id,
        // No two half the globe apart: a line between such is cut at 180 degrees, see half-turn.test.ts.
        longitude: fc.integer({ min: -89e7, max: 89e7 }),
        latitude: fc.integer({ min: -90e7, max: 90e7 }),
        ...edit,
      }),
      { selector: (node) => node.id, maxLength: 30 },
    ),
    ways: fc.uniqueArray(fc.record({ id, nodes: fc.array(fc.nat(40), { maxLength: 6 }), ...edit }), {
      selector: (w) => w.id,
      maxLength: 12,
    }),
  })

  test('nodes as points, ways as lines between the nodes that there are', async () => {
    await fc.assert(
      fc.asyncProperty(data, async ({ nodes, ways }) => {
        const known = ways.map((one) => ({ ...one, nodes: one.nodes.map((i) => nodes[i]?.id ?? 7e14 + i) }))
        // Keys of areas would make areas of closed ways.
        const plain = known.map((one) => ({ ...one, tags: { ...one.tags, area: 'no' } }))
        const { objects, report } = await readAll(fileOf(writePbf({ nodes, ways: plain, relations: [] })))
        const byId = <T extends { id: number }>(list: readonly T[]) => list.toSorted((a, b) => a.id - b.id)
        const places = new Map(nodes.map((one) => [one.id, [one.longitude / 1e7, one.latitude / 1e7]]))
        const points = byId(nodes)
          .filter((one) => Object.keys(one.tags).length > 0)
          .map((one) => ({
            id: `n${one.id}`,
            version: one.version,
            timestamp: one.timestamp,
            tags: one.tags,
            coordinates: places.get(one.id),
          }))
        const lines = byId(plain).flatMap((one) => {
          const line = one.nodes.map((ref) => places.get(ref))
          const steps = line.filter((place, i) => i === 0 || String(place) !== String(line[i - 1]))
          if (line.includes(undefined) || steps.length < 2) return []
          return [
            { id: `w${one.id}`, version: one.version, timestamp: one.timestamp, tags: one.tags, coordinates: steps },
          ]
        })
        // JSON distinguishes `__proto__` as a key from a prototype, and leaves out that -0 is 0.
        const got = objects.map(({ id, version, timestamp, tags, geometry }) => ({
          id,
          version,
          timestamp,
          tags,
          coordinates: geometry.coordinates,
        }))
        expect(JSON.stringify(got)).toBe(JSON.stringify([...points, ...lines]))
        expect(report.read).toEqual({ nodes: nodes.length, ways: ways.length, relations: 0 })
      }),
      { numRuns: 200 },
    )
  })
})
