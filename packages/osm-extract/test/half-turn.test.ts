import type { Box, Geometry } from '@skyscript/core'
import { boxesOf, boxOf } from '@skyscript/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fileOf, type OsmData, readAll, writePbf } from './files.ts'

const EDIT = { version: 1, timestamp: '2024-05-01T12:00:00Z' }
/** Longitude in degrees, latitude in degrees; beyond 180 it comes in on the other side. */
type Place = readonly [number, number]
const wrap = (x: number) => (x > 180 ? x - 360 : x < -180 ? x + 360 : x)

/** A map of one way along places; equal places are one node. */
function mapOf(
  ways: readonly { places: readonly Place[]; tags?: Record<string, string> }[],
  relation?: boolean,
): OsmData {
  const nodes = new Map<string, OsmData['nodes'][number]>()
  const idOf = ([x, y]: Place) => {
    const key = `${x},${y}`
    const known = nodes.get(key)
    if (known) return known.id
    const id = nodes.size + 1
    nodes.set(key, { id, longitude: Math.round(wrap(x) * 1e7), latitude: Math.round(y * 1e7), tags: {}, ...EDIT })
    return id
  }
  const made = ways.map(({ places, tags = {} }, i) => ({ id: i + 1, nodes: places.map(idOf), tags, ...EDIT }))
  const members = made.map(({ id }) => ({ type: 'way' as const, ref: id, role: 'outer' }))
  return {
    nodes: [...nodes.values()],
    ways: made,
    relations: relation ? [{ id: 1, members, tags: { type: 'multipolygon', natural: 'wood' }, ...EDIT }] : [],
  }
}

const read = (data: OsmData, clip: Box | Geometry | null = null) => readAll(fileOf(writePbf(data)), { clip })
const ringOf = (west: number, south: number, east: number, north: number): Place[] => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
  [west, south],
]
const area = (geometry: Geometry) => {
  const polygons =
    geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : []
  return polygons.flat().reduce((sum, ring) => {
    const [x0, y0] = ring[0]!
    return ring
      .slice(1)
      .reduce((part, [x, y], i) => part + ((ring[i]![0] - x0) * (y - y0) - (x - x0) * (ring[i]![1] - y0)) / 2, sum)
  }, 0)
}

describe('what crosses 180 degrees is two parts, each where it is', () => {
  test('a line', async () => {
    const { objects } = await read(
      mapOf([
        {
          places: [
            [179.9, 1],
            [180.1, 2],
            [180.2, 2],
          ],
          tags: { highway: 'track' },
        },
      ]),
    )
    expect(objects[0]!.geometry).toEqual({
      type: 'MultiLineString',
      coordinates: [
        [
          [179.9, 1],
          [180, 1.5],
        ],
        [
          [-180, 1.5],
          [-179.9, 2],
          [-179.8, 2],
        ],
      ],
    })
    expect(boxesOf(objects[0]!.geometry)).toEqual([
      [-180, 1.5, -179.8, 2],
      [179.9, 1, 180, 1.5],
    ])
  })

  test('a line that crosses back and forth, and one that only touches', async () => {
    const { objects } = await read(
      mapOf([
        {
          places: [
            [179, 1],
            [181, 1],
            [181, 3],
            [179, 3],
          ],
          tags: { highway: 'track' },
        },
        {
          places: [
            [179, 1],
            [180, 2],
            [179, 3],
          ],
          tags: { highway: 'path' },
        },
      ]),
    )
    expect(objects.map(({ geometry }) => geometry.coordinates)).toEqual([
      [
        [
          [179, 1],
          [180, 1],
        ],
        [
          [-180, 1],
          [-179, 1],
          [-179, 3],
          [-180, 3],
        ],
        [
          [180, 3],
          [179, 3],
        ],
      ],
      [
        [179, 1],
        [180, 2],
        [179, 3],
      ],
    ])
  })

  test('a closed way that is an area, with a node on the line or none', async () => {
    for (const places of [
      ringOf(179.9, 0, 180.3, 1),
      [...ringOf(179.9, 0, 180.3, 1).slice(0, 1), [180, 0] as const, ...ringOf(179.9, 0, 180.3, 1).slice(1)],
    ]) {
      const { objects } = await read(mapOf([{ places, tags: { landuse: 'forest' } }]))
      const [{ id, geometry }] = objects as [(typeof objects)[number]]
      expect([id, geometry.type]).toEqual(['a1', 'MultiPolygon'])
      expect(boxesOf(geometry)).toEqual([
        [-180, 0, -179.7, 1],
        [179.9, 0, 180, 1],
      ])
      expect(area(geometry)).toBeCloseTo(0.4, 6)
    }
  })

  test('a relation with a hole over the line, and one whose halves meet there without an edge', async () => {
    const hole = await read(mapOf([{ places: ringOf(179, 0, 182, 3) }, { places: ringOf(179.5, 1, 181, 2) }], true))
    expect(area(hole.objects[0]!.geometry)).toBeCloseTo(9 - 1.5, 6)
    // Each half's boundary ends at 180 degrees, the one at 180, the other at -180.
    const nodes = [
      [180, 0],
      [179, 0],
      [179, 2],
      [180, 2],
      [-180, 2],
      [-178, 2],
      [-178, 0],
      [-180, 0],
    ].map(([x, y], i) => ({ id: i + 1, longitude: x! * 1e7, latitude: y! * 1e7, tags: {}, ...EDIT }))
    const ways = [
      { id: 1, nodes: [1, 2, 3, 4], tags: {}, ...EDIT },
      { id: 2, nodes: [5, 6, 7, 8], tags: {}, ...EDIT },
    ]
    const { relations } = mapOf([{ places: [] }, { places: [] }], true)
    const { objects } = await read({ nodes, ways, relations })
    expect(area(objects[0]!.geometry)).toBeCloseTo(6, 6)
    expect(boxOf(objects[0]!.geometry)).toEqual([-180, 0, -178, 2])
  })

  test('an island of two halves, each closed along the line, as it is', async () => {
    const { objects } = await read(
      mapOf([{ places: ringOf(179, 0, 180, 3) }, { places: ringOf(-180, 0, -179.5, 2) }], true),
    )
    expect(boxesOf(objects[0]!.geometry)).toEqual([
      [179, 0, 180, 3],
      [-180, 0, -179.5, 2],
    ])
  })

  test('what is wider than half the globe is dropped by name', async () => {
    const { objects, dropped } = await read(
      mapOf([
        {
          places: [
            [-120, 0],
            [0, 10],
            [120, 0],
            [0, -10],
            [-120, 0],
          ],
          tags: { natural: 'water' },
        },
      ]),
    )
    expect([objects, dropped]).toEqual([[], { 'around-the-globe': 1 }])
  })

  test('any star around a place on the line keeps its area, each part on its side', async () => {
    const radius = fc.integer({ min: 1000, max: 900_000 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(radius, { minLength: 3, maxLength: 12 }),
        fc.integer({ min: -9, max: 9 }),
        async (radii, shift) => {
          const places = radii.map((r, i): Place => {
            const angle = (2 * Math.PI * i) / radii.length
            const at = (value: number) => Math.round(value) / 1e7
            return [180 + at(shift * 10_000 + r * Math.cos(angle)), at(r * Math.sin(angle))]
          })
          const ring = [...places, places[0]!]
          const expected = Math.abs(area({ type: 'Polygon', coordinates: [ring.map(([x, y]) => [x, y])] }))
          const { objects } = await read(mapOf([{ places: ring, tags: { landuse: 'forest' } }]))
          const boxes = boxesOf(objects[0]!.geometry)
          expect(boxes.every(([west, , east]) => east - west < 1)).toBe(true)
          expect(Math.abs(area(objects[0]!.geometry) - expected)).toBeLessThan(1e-7)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('a clip that crosses 180 degrees', () => {
  const data = mapOf(
    [-170.5, -169.5, 0, 169.5, 170.5, 179].map((x) => ({
      places: ringOf(x, -5, x + 0.2, -4),
      tags: { landuse: 'forest' },
    })),
  )
  const inside = ['a1', 'a5', 'a6']
  const ids = async (clip: Box | Geometry) => (await read(data, clip)).objects.map(({ id }) => id)

  test('as a box', async () => {
    expect(await ids([170, -20, -170, 0])).toEqual(inside)
    expect(await ids([-170, -20, 170, 0])).toEqual(['a2', 'a3', 'a4'])
  })

  test.each<[string, [number, number][]]>([
    [
      'stepping over it',
      [
        [170, -20],
        [-170, -20],
        [-170, 0],
        [170, 0],
        [170, -20],
      ],
    ],
    [
      'with longitudes above 180',
      [
        [170, -20],
        [190, -20],
        [190, 0],
        [170, 0],
        [170, -20],
      ],
    ],
    [
      'with longitudes below -180',
      [
        [-190, -20],
        [-170, -20],
        [-170, 0],
        [-190, 0],
        [-190, -20],
      ],
    ],
  ])('as a polygon %s', async (_, ring) => {
    expect(await ids({ type: 'Polygon', coordinates: [ring] })).toEqual(inside)
  })

  test('as polygons that are cut there already', async () => {
    const side = (west: number, east: number): [number, number][] => ringOf(west, -20, east, 0).map(([x, y]) => [x, y])
    expect(await ids({ type: 'MultiPolygon', coordinates: [[side(170, 180)], [side(-180, -170)]] })).toEqual(inside)
  })
})

test('an area over 0 degrees keeps the hole that is on the other side of it', async () => {
  const { objects } = await read(mapOf([{ places: ringOf(-80, 0, 90, 9) }, { places: ringOf(50, 1, 60, 2) }], true))
  expect(area(objects[0]!.geometry)).toBeCloseTo(170 * 9 - 10, 6)
})
