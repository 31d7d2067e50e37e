// @module-tag slow
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Box, Geometry, OsmObject, Position } from '@skyscript/core'
import { describe, expect, test } from 'vitest'
import { extract, type TagRules } from '../src/index.ts'
import { fileOf, fileOfBlocks, type OsmData, readAll, Sketch, writePbf } from './files.ts'

const TOWN = fileURLToPath(new URL('../../../examples/demo/town.osm.pbf', import.meta.url))

/** In the grid of a sketch, 0.001 degree. */
const box = (west: number, south: number, east: number, north: number): Box => [
  west / 1000,
  south / 1000,
  east / 1000,
  north / 1000,
]
const polygon = (...rings: [number, number][][]): Geometry => ({
  type: 'Polygon',
  coordinates: rings.map((ring) => ring.map(([x, y]): Position => [x / 1000, y / 1000])),
})
const square = (west: number, south: number, east: number, north: number): [number, number][] => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
  [west, south],
]

/** A tree, a road from west to east, a square of wood with a square lake in it, all in 0..100. */
function land() {
  const sketch = new Sketch()
  const tree = `n${sketch.node('10,10', { natural: 'tree' })}`
  const road = `w${sketch.way('0,50 100,50', { highway: 'path' })}`
  const hole = sketch.way('40,60 60,60 60,80 40,80 40,60')
  sketch.relation([sketch.way('20,55 80,55 80,95 20,95 20,55'), hole], { natural: 'wood' })
  return { sketch, tree, road, wood: 'a3600000001' }
}

describe('a clip keeps what meets it, whole, and drops and counts the rest', () => {
  const { sketch, tree, road, wood } = land()
  const corner = [tree]
  test.each<[string, Box | Geometry | null, string[]]>([
    ['nothing', null, [tree, road, wood]],
    ['a box around all', box(-5, -5, 105, 105), [tree, road, wood]],
    ['a box at the tree', box(9, 9, 11, 11), corner],
    ['a box with the tree on its edge', box(10, 5, 20, 10), corner],
    ['a box on the road, far from its nodes', box(45, 49, 46, 51), [road]],
    ['a box within the wood', box(25, 60, 30, 65), [wood]],
    ['a box within the lake in the wood', box(45, 65, 50, 70), []],
    ['a box far away', box(1000, 1000, 1001, 1001), []],
    ['a polygon around all', polygon(square(-5, -5, 105, 105)), [tree, road, wood]],
    ['a polygon at the tree', polygon(square(9, 9, 11, 11)), corner],
    [
      'a triangle whose box holds the tree, but not itself',
      polygon([
        [5, 5],
        [40, 5],
        [40, 30],
        [5, 5],
      ]),
      [],
    ],
    ['a polygon on the road, far from its nodes', polygon(square(45, 49, 46, 51)), [road]],
    ['a polygon within the wood', polygon(square(25, 60, 30, 65)), [wood]],
    ['a polygon within the lake in the wood', polygon(square(45, 65, 50, 70)), []],
    ['a polygon with a hole around the wood', polygon(square(-5, -5, 105, 105), square(15, 52, 90, 99)), [tree, road]],
    [
      'two polygons',
      {
        type: 'MultiPolygon',
        coordinates: [square(9, 9, 11, 11), square(25, 60, 30, 65)].map((ring) => [
          ring.map(([x, y]): Position => [x / 1000, y / 1000]),
        ]),
      },
      [tree, wood],
    ],
  ])('%s', async (_, clip, ids) => {
    const { objects, dropped, report } = await sketch.read({ clip })
    expect(objects.map(({ id }) => id)).toEqual(ids)
    expect(dropped).toEqual(ids.length === 3 ? {} : { 'outside-clip': 3 - ids.length })
    expect(report.tagged).toBe(3)
    if (ids.includes(road)) expect(objects.find(({ id }) => id === road)!.geometry.coordinates).toHaveLength(2)
  })
})

const EDIT = { version: 1, timestamp: '2024-05-01T12:00:00Z' }

/** Some blobs of each kind. */
function large(): OsmData {
  const nodes = Array.from({ length: 30_000 }, (_, i) => ({
    id: i + 1,
    longitude: (i % 200) * 10_000,
    latitude: Math.floor(i / 200) * 10_000,
    tags: i % 3 === 0 ? { natural: 'tree' } : {},
    ...EDIT,
  }))
  const ways = Array.from({ length: 20_000 }, (_, i) => ({
    id: i + 1,
    nodes: [i + 1, i + 2],
    tags: { highway: 'path' },
    ...EDIT,
  }))
  return { nodes, ways, relations: [] }
}

const LARGE = fileOf(writePbf(large()))
const openFiles = () => readdirSync('/proc/self/fd').length
const countsFiles = process.platform === 'linux'

describe('an abort', () => {
  test('before the start ends the reading before anything is read', async () => {
    const reason = new Error('enough')
    await expect(readAll(LARGE, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  test('in the middle ends it with its reason, within the blob, and closes the file', async () => {
    const before = countsFiles ? openFiles() : 0
    const controller = new AbortController()
    let objects = 0
    const reason = new Error('enough')
    const read = async () => {
      for await (const _ of extract(LARGE, { wanted: 'all', signal: controller.signal })) {
        if (++objects === 100) controller.abort(reason)
      }
    }
    await expect(read()).rejects.toBe(reason)
    expect(objects).toBeGreaterThanOrEqual(100)
    expect(objects).toBeLessThan(8000)
    if (countsFiles) expect(openFiles()).toBe(before)
  })

  test('between areas ends it too', async () => {
    const sketch = new Sketch()
    for (const x of [0, 20, 40]) sketch.relation([sketch.way(`${x},0 ${x + 9},0 ${x + 9},9 ${x},0`)])
    const controller = new AbortController()
    const read = async () => {
      for await (const _ of extract(fileOf(sketch.bytes()), { wanted: 'all', signal: controller.signal }))
        controller.abort()
    }
    await expect(read()).rejects.toMatchObject({ name: 'AbortError' })
  })
})

test('who stops asking leaves no file open', async () => {
  const before = countsFiles ? openFiles() : 0
  for await (const { id } of extract(LARGE, { wanted: 'all' })) {
    expect(id).toBe('n1')
    break
  }
  if (countsFiles) expect(openFiles()).toBe(before)
})

test('progress only grows, in steps, from the first blob to the whole file', async () => {
  const told: number[] = []
  let total = 0
  await readAll(LARGE, {
    progress: {
      update: (done, all) => {
        told.push(done)
        total = all!
      },
    },
  })
  expect(told.length).toBeGreaterThan(3)
  expect(told).toEqual(told.toSorted((a, b) => a - b))
  expect(told[0]).toBeGreaterThan(0)
  expect(told[0]).toBeLessThan(total * 0.7)
  expect(told.at(-1)).toBe(total)
})

test('the report is refused before the reading begins, and starts anew with each', async () => {
  const extraction = extract(LARGE, { wanted: 'all' })
  expect(() => extraction.report()).toThrow(TypeError)
  for (let time = 0; time < 2; time++) {
    for await (const _ of extraction) {
    }
    expect(extraction.report()).toMatchObject({
      read: { nodes: 30_000, ways: 20_000 },
      emitted: { points: 10_000, lines: 20_000 },
    })
  }
})

test('elements in any order of blobs make the same objects; a file that says it is sorted, and is not, is refused', async () => {
  const { nodes, ways } = large()
  const [first, second] = [
    { nodes: [], ways, relations: [] },
    { nodes, ways: [], relations: [] },
  ].map((data) => {
    const bytes = Buffer.from(writePbf(data))
    // Before the first data: 4 bytes of size and the start of the blob's header.
    const start = bytes.indexOf('OSMData') - 6
    return { header: bytes.subarray(0, start), blobs: bytes.subarray(start) }
  })
  const unsorted = fileOfBlocks()
  const whole = await readAll(LARGE)
  const { objects, report } = await readAll(fileOf(Buffer.concat([unsorted, first!.blobs, second!.blobs])))
  expect(objects.map((object) => JSON.stringify(object))).toEqual(whole.objects.map((object) => JSON.stringify(object)))
  expect(report.read).toEqual(whole.report.read)
  const claims = fileOf(Buffer.concat([first!.header, first!.blobs, second!.blobs]))
  await expect(readAll(claims)).rejects.toMatchObject({ code: 'pbf-not-sorted' })
})

test('rules choose the objects that a look at all tags would choose', async () => {
  const rules: TagRules = new Map<string, true | ReadonlySet<string>>([
    ['highway', true],
    ['natural', new Set(['tree'])],
    ['landuse', new Set(['forest'])],
  ])
  const meansTag = ([key, value]: [string, string]) => {
    const values = rules.get(key)
    return values === true || values?.has(value)
  }
  for (const path of [LARGE, TOWN]) {
    const meant = ({ tags }: OsmObject) => Object.entries(tags).some(meansTag)
    const [chosen, all] = [await readAll(path, { wanted: rules }), await readAll(path)]
    expect(chosen.objects.length).toBeGreaterThan(50)
    expect(chosen.objects).toEqual(all.objects.filter(meant))
    expect(chosen.report.tagged).toBe(all.report.tagged)
    expect(chosen.report.read).toEqual(all.report.read)
  }
})
