// @module-tag slow
import type { OsmObject } from '@skyscript/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PbfOptions } from '../../../examples/demo/src/pbf-writer.ts'
import { drawn, fileOf, type OsmData, type Read, readAll, writePbf } from './files.ts'

const [OLD, NEW] = ['2020-02-01T00:00:00Z', '2024-02-01T00:00:00Z']
const EMPTY: OsmData = { nodes: [], ways: [], relations: [] }

const file = (data: Partial<OsmData>, options?: PbfOptions): string => fileOf(writePbf({ ...EMPTY, ...data }, options))

/** A node on the grid that `drawn` uses. */
const node = (id: number, x: number, y: number, tags: Record<string, string> = {}, version = 1) => ({
  id,
  longitude: x * 10_000,
  latitude: y * 10_000,
  tags,
  version,
  timestamp: OLD,
})
const way = (id: number, nodes: number[], tags: Record<string, string> = {}, version = 1) => ({
  id,
  nodes,
  tags,
  version,
  timestamp: OLD,
})
const relation = (id: number, ways: number[], tags: Record<string, string> = {}, version = 1) => ({
  id,
  members: ways.map((ref) => ({ type: 'way' as const, ref, role: '' })),
  tags: { type: 'multipolygon', ...tags },
  version,
  timestamp: OLD,
})

const SQUARE = [1, 2, 3, 4, 1]
const squareAt = (y: number, version: number) => [
  node(1, 0, y, {}, version),
  node(2, 4, y, {}, version),
  node(3, 4, y + 4, {}, version),
  node(4, 0, y + 4, {}, version),
]
const places = ({ objects }: Read) => Object.fromEntries(objects.map(({ id, geometry }) => [id, drawn(geometry)]))

describe('an object of several files is taken once', () => {
  test('in its newest version, whichever file has it and whatever the order of the files', async () => {
    const old = file({ nodes: [node(1, 0, 0, { tourism: 'artwork' })] }, { replicationTimestamp: NEW })
    const moved = file({ nodes: [node(1, 500, 500, { tourism: 'artwork' }, 2)] }, { replicationTimestamp: OLD })
    for (const paths of [
      [old, moved],
      [moved, old],
    ]) {
      const read = await readAll(paths)
      expect([places(read), read.dropped]).toEqual([{ n1: '500,500' }, { 'in-several-extracts': 1 }])
      expect(read.report.tagged).toBe(2)
    }
  })

  test('of equal versions as the newest extract has it, whatever the order of the files', async () => {
    const of = (y: number, version: number, replicationTimestamp: string) =>
      file({ nodes: squareAt(y, version), ways: [way(1, SQUARE, { building: 'yes' }, 3)] }, { replicationTimestamp })
    const [old, moved] = [of(0, 1, OLD), of(5, 2, NEW)]
    for (const paths of [
      [old, moved],
      [moved, old],
    ])
      expect(places(await readAll(paths))).toEqual({ a1: ['0,5 4,5 4,9 0,9 0,5'] })
    // Files without history have no versions.
    const [bare, bareMoved] = [of(0, 0, OLD), of(5, 0, NEW)]
    for (const paths of [
      [bare, bareMoved],
      [bareMoved, bare],
    ])
      expect(places(await readAll(paths))).toEqual({ a1: ['0,5 4,5 4,9 0,9 0,5'] })
  })

  test('as the later file of the list has it if no header has a time', async () => {
    const [a, b] = [0, 5].map((y) => file({ nodes: [node(1, 0, y, { tourism: 'artwork' })] }))
    expect(places(await readAll([a!, b!]))).toEqual({ n1: '0,5' })
    expect(places(await readAll([b!, a!]))).toEqual({ n1: '0,0' })
    const dated = file({ nodes: [node(1, 0, 9, { tourism: 'artwork' })] }, { replicationTimestamp: OLD })
    expect(places(await readAll([dated, a!]))).toEqual({ n1: '0,9' })
  })

  test('not at all where its newest version has lost its tags or was deleted', async () => {
    const old = file({ nodes: squareAt(0, 1), ways: [way(1, SQUARE, { building: 'yes' })] })
    const plain = file({ ways: [way(1, SQUARE, {}, 2)] })
    const read = await readAll([plain, old])
    expect([read.objects, read.dropped]).toEqual([[], { 'in-several-extracts': 1 }])
  })

  test('a way is drawn through nodes, and an area made of ways, that are spread over the files', async () => {
    const north = file({
      nodes: [node(1, 0, 0), node(2, 4, 0)],
      ways: [way(1, [1, 2, 3]), way(3, [1, 2, 3, 4, 1], { building: 'yes' })],
      relations: [relation(1, [1, 2], { landuse: 'forest' })],
    })
    const south = file({
      nodes: [node(3, 4, 4), node(4, 0, 4)],
      ways: [way(2, [3, 4, 1])],
      relations: [relation(1, [1, 2], { landuse: 'forest' })],
    })
    for (const paths of [
      [north, south],
      [south, north],
    ]) {
      const read = await readAll(paths)
      const square = ['0,0 4,0 4,4 0,4 0,0']
      expect(places(read)).toEqual({ a3: square, a3600000001: square })
      expect(read.dropped).toEqual({ 'in-several-extracts': 1 })
    }
  })

  test('a relation is made of the newest versions of its ways', async () => {
    const old = file({
      nodes: [...squareAt(0, 1), node(5, 9, 9)],
      ways: [way(1, SQUARE)],
      relations: [relation(1, [1], { landuse: 'forest' })],
    })
    const wider = file({ ways: [way(1, [1, 2, 5, 4, 1], {}, 2)] })
    expect(places(await readAll([wider, old]))).toEqual({ a3600000001: ['0,0 4,0 9,9 0,4 0,0'] })
  })
})

describe('the same id twice in one file', () => {
  test.each<[string, PbfOptions]>([
    ['sorted', {}],
    ['sorted, in blocks of one element', { blockElements: 1 }],
    ['one list after the other', { sorted: false, blockElements: 3 }],
  ])('the newest version counts: %s', async (_, options) => {
    const path = file(
      {
        nodes: [
          ...squareAt(5, 2),
          node(9, 7, 7, { tourism: 'artwork' }, 2),
          ...squareAt(0, 1),
          node(9, 0, 0, { tourism: 'artwork' }),
        ],
        ways: [way(1, SQUARE, { building: 'house' }, 2), way(1, SQUARE, { building: 'yes' })],
        relations: [relation(1, [1], { landuse: 'grass' }, 2), relation(1, [1], { landuse: 'forest' })],
      },
      options,
    )
    for (const threads of [1, 3]) {
      const read = await readAll(path, { threads })
      const square = ['0,5 4,5 4,9 0,9 0,5']
      expect(places(read)).toEqual({ n9: '7,7', a1: square, a3600000001: square })
      expect(read.objects.map(({ tags }) => tags.building ?? tags.landuse ?? tags.tourism)).toEqual([
        'artwork',
        'house',
        'grass',
      ])
      expect(read.dropped).toEqual({ 'in-several-extracts': 3 })
    }
  })

  test('nodes that come twice far into a sorted file are found before they are passed on', async () => {
    const nodes = Array.from({ length: 400 }, (_, i) =>
      node(i + 1, i, 0, { tourism: 'artwork', ref: 'x'.repeat(9000) }),
    )
    const twice = [...nodes, node(300, 0, 9, { tourism: 'artwork' }, 2), node(301, 0, 9, { tourism: 'artwork' }, 2)]
    const path = file({ nodes: twice }, { blockElements: 1 })
    for (const threads of [1, 2]) {
      const read = await readAll(path, { threads })
      expect(read.objects.map(({ id }) => id)).toEqual(nodes.map(({ id }) => `n${id}`))
      expect([places(read).n300, places(read).n301]).toEqual(['0,9', '0,9'])
      expect(read.dropped).toEqual({ 'in-several-extracts': 2 })
      expect(read.report.read.nodes).toBe(402)
    }
  })
})

test('files read as one give what one file of the newest elements gives, however they are spread and ordered', async () => {
  const tags = fc.constantFrom<Record<string, string>>({}, { building: 'yes' }, { landuse: 'forest' })
  const version = fc.integer({ min: 1, max: 3 })
  const nodeElement = fc.tuple(fc.integer({ min: 1, max: 9 }), version, fc.nat(9), fc.nat(9), tags)
  const wayElement = fc.tuple(
    fc.integer({ min: 1, max: 5 }),
    version,
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 5 }),
    tags,
  )
  const relationElement = fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    version,
    fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
    tags,
  )
  const part = fc.record({
    nodes: fc.array(
      nodeElement.map(([id, v, x, y, t]) => node(id, x, y, t, v)),
      { maxLength: 12 },
    ),
    ways: fc.array(
      wayElement.map(([id, v, nodes, t]) => way(id, [...nodes, nodes[0]!], t, v)),
      { maxLength: 6 },
    ),
    relations: fc.array(
      relationElement.map(([id, v, ways, t]) => relation(id, ways, t, v)),
      { maxLength: 3 },
    ),
  })
  /** Of elements in the order of their files the newest of each id; of equal versions the last. */
  const newest = <T extends { id: number; version: number }>(all: readonly T[]): T[] => {
    const best = new Map<number, T>()
    for (const each of all) if (each.version >= (best.get(each.id)?.version ?? 0)) best.set(each.id, each)
    return [...best.values()]
  }
  const byId = (objects: readonly OsmObject[]) => objects.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 1, max: 4 }),
      async (parts, sorted, isOneFile, blockElements) => {
        const joined = {
          nodes: parts.flatMap(({ nodes }) => nodes),
          ways: parts.flatMap(({ ways }) => ways),
          relations: parts.flatMap(({ relations }) => relations),
        }
        const expected = await readAll(
          file({ nodes: newest(joined.nodes), ways: newest(joined.ways), relations: newest(joined.relations) }),
        )
        const options = { sorted, blockElements }
        const paths = isOneFile ? [file(joined, options)] : parts.map((each) => file(each, options))
        const { objects, report } = await readAll(paths)
        expect(byId(objects)).toEqual(byId(expected.objects))
        const dropped = [...report.dropped.values()].reduce((sum, n) => sum + n, 0)
        expect(dropped + objects.length).toBe(report.tagged)
      },
    ),
    { numRuns: 60 },
  )
})
