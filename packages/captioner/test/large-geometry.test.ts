/** Large geometries are asked by an index of their segments; these compare it with going through all of them, to the last bit. */
import {
  type Box,
  coverOfBox,
  type Geometry,
  geometryMeetsBox,
  linesOf,
  type Position,
  segmentIndexOf,
} from '@skyscript/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { meanPoint } from '../src/mean-point.ts'
import { shareOfBox } from '../src/share-of-box.ts'

/** A closed ring about a centre whose radius wanders, in OSM's steps of 1e-7 degree; it may cross itself. */
function ringOf(center: Position, radius: number, count: number, draw: () => number): Position[] {
  const ring = Array.from({ length: count }, (_, i): Position => {
    const angle = (i / count) * 2 * Math.PI + 0.02 * draw()
    const reach = radius * (0.6 + 0.4 * draw())
    const units = (value: number) => Math.round(value * 1e7) / 1e7
    return [units(center[0] + reach * Math.cos(angle)), units(center[1] + reach * Math.sin(angle))]
  })
  return [...ring, ring[0]!]
}

/** Numbers in [0, 1) that a seed decides. */
function drawer(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

const KINDS = ['Polygon', 'MultiPolygon', 'LineString', 'MultiLineString'] as const

/** A lake of several thousand positions with islands, the same in several parts, its shore, or many short lines. */
function large(kind: (typeof KINDS)[number], seed: number): Geometry {
  const draw = drawer(seed)
  const lake = (x: number, y: number, radius: number, count: number) => [
    ringOf([x, y], radius, count, draw),
    ...Array.from({ length: 20 }, () =>
      ringOf(
        [x + (draw() - 0.5) * radius, y + (draw() - 0.5) * radius],
        radius / 30,
        4 + Math.floor(draw() * 60),
        draw,
      ).reverse(),
    ),
  ]
  switch (kind) {
    case 'Polygon':
      return { type: kind, coordinates: lake(10, 45, 1, 3000) }
    case 'MultiPolygon': {
      const small = Array.from({ length: 60 }, () => [ringOf([9 + 2 * draw(), 44 + 2 * draw()], 0.1 * draw(), 8, draw)])
      return { type: kind, coordinates: [lake(9.5, 45, 0.5, 800), ...small, lake(10.5, 45, 0.5, 800)] }
    }
    case 'LineString':
      return { type: kind, coordinates: ringOf([10, 45], 1, 3000, draw).slice(0, -1) }
    default:
      return {
        type: kind,
        coordinates: Array.from({ length: 80 }, () =>
          ringOf([9 + 2 * draw(), 44 + 2 * draw()], 0.3 * draw(), 12, draw).slice(draw() < 0.5 ? 1 : 0),
        ),
      }
  }
}

const geometry = fc.tuple(fc.constantFrom(...KINDS), fc.nat()).map(([kind, seed]) => large(kind, seed))
const side = fc.constantFrom(0.0005, 0.004, 0.05, 0.6, 3)
/** Boxes anywhere, and boxes about one of the positions, where most of what matters is. */
const box = (of: Geometry): fc.Arbitrary<Box> => {
  const positions = [...linesOf(of)].flat()
  const place = fc.oneof(
    fc.tuple(fc.double({ min: 8.5, max: 11.5, noNaN: true }), fc.double({ min: 43.5, max: 46.5, noNaN: true })),
    fc.nat(positions.length - 1).map((i) => positions[i]!),
  )
  return fc
    .tuple(place, side, side)
    .map(([[x, y], width, height]): Box => [x - width / 3, y - height / 3, x + width, y + height])
}
const cases = geometry.chain((each) => fc.tuple(fc.constant(each), box(each)))

/** Parts of a geometry so small that they have no index: the same functions, all segments. */
const alone = (line: readonly Position[]): Geometry[] =>
  Array.from({ length: Math.ceil((line.length - 1) / 100) }, (_, i) => ({
    type: 'LineString',
    coordinates: line.slice(i * 100, i * 100 + 101),
  }))

function meetsByAll(of: Geometry, each: Box): boolean {
  for (const line of linesOf(of)) if (alone(line).some((part) => geometryMeetsBox(part, each))) return true
  const [x, y] = each
  const inside = (rings: readonly (readonly Position[])[]) => {
    let odd = false
    for (const ring of rings)
      for (let i = 1; i < ring.length; i++) {
        const [[x0, y0], [x1, y1]] = [ring[i - 1]!, ring[i]!]
        if (y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) odd = !odd
      }
    return odd
  }
  if (of.type === 'Polygon') return inside(of.coordinates)
  return of.type === 'MultiPolygon' && of.coordinates.some(inside)
}

test('a large geometry meets a box where one of its segments or its inside does', () => {
  let meets = 0
  fc.assert(
    fc.property(cases, ([of, each]) => {
      expect(segmentIndexOf(of)).not.toBeNull()
      const expected = meetsByAll(of, each)
      if (expected) meets++
      expect(geometryMeetsBox(of, each)).toBe(expected)
    }),
    { numRuns: 400 },
  )
  expect(meets).toBeGreaterThan(100)
})

/** Of the part of a box that one ring covers: the area of the ring that is left of it when it is cut at the four sides. */
function areaByClipping(ring: readonly Position[], [west, south, east, north]: Box): number {
  let points: Position[] = ring.slice(0, -1)
  const cuts = [[0, west, 1], [0, east, -1], [1, south, 1], [1, north, -1]] as const // biome-ignore format: one line
  for (const [axis, limit, sign] of cuts) {
    const kept: Position[] = []
    for (const [i, to] of points.entries()) {
      const from = points.at(i - 1)!
      const [before, after] = [sign * (from[axis] - limit), sign * (to[axis] - limit)]
      if (before < 0 !== after < 0) {
        const part = before / (before - after)
        kept.push([from[0] + part * (to[0] - from[0]), from[1] + part * (to[1] - from[1])])
      }
      if (after >= 0) kept.push(to)
    }
    points = kept
  }
  let doubled = 0
  for (const [i, [x1, y1]] of points.entries()) {
    const [x0, y0] = points.at(i - 1)!
    doubled += (x0 - west) * (y1 - south) - (x1 - west) * (y0 - south)
  }
  return doubled / 2 / ((east - west) * (north - south))
}

test('a large area covers the part of a box that its cut rings have', () => {
  let partly = 0
  fc.assert(
    fc.property(cases, ([of, each]) => {
      const areas = of.type === 'Polygon' ? [of.coordinates] : of.type === 'MultiPolygon' ? of.coordinates : []
      const partOf = (rings: readonly (readonly Position[])[]) =>
        rings.reduce((sum, ring, i) => sum + (i === 0 ? 1 : -1) * Math.abs(areaByClipping(ring, each)), 0)
      const expected = areas.reduce((sum, rings) => sum + Math.max(0, partOf(rings)), 0)
      if (expected > 0.01 && expected < 0.99) partly++
      expect(coverOfBox(of, each)).toBeCloseTo(expected, 7)
    }),
    { numRuns: 400 },
  )
  expect(partly).toBeGreaterThan(40)
})

/** Asks once as it is, and once with an index that leaves nothing out. */
function sameBits(of: Geometry, ask: (each: Geometry) => unknown): void {
  const index = segmentIndexOf(of)!
  const { search } = index
  const all: typeof search = (_box, visit) =>
    index.lines.some(({ positions }, line) => visit(line, 1, positions.length) === true)
  const quick = ask(of)
  Object.assign(index, {
    search: all,
    sums: (_box: Box, add: (sum: number, line: readonly Position[], from: number, to: number) => number) =>
      new Map(index.lines.map(({ positions }, line) => [line, add(0, positions, 1, positions.length)])),
  })
  expect(ask(of)).toEqual(quick)
}

test('what is left out of a large geometry changes no bit of cover, share or mean point', () => {
  fc.assert(
    fc.property(cases, ([of, each]) => {
      sameBits(of, (whole) => [
        coverOfBox(whole, each),
        shareOfBox(whole, { highway: 'primary' }, each),
        meanPoint(whole, each),
        geometryMeetsBox(whole, each),
      ])
    }),
    { numRuns: 600 },
  )
})

test('an index looks at few segments of a lake of 60,000 for an image', () => {
  const lake: Geometry = { type: 'Polygon', coordinates: [ringOf([10, 45], 2, 60_000, () => 0.5)] }
  const [x, y] = lake.coordinates[0]![12_345] as Position
  let seen = 0
  const index = segmentIndexOf(lake)!
  index.search([x - 0.002, -Infinity, x + 0.002, Infinity], (_line, from, to) => {
    seen += to - from
  })
  expect(seen).toBeGreaterThan(0)
  expect(seen).toBeLessThan(600)
  seen = 0
  index.search([x - 0.002, y - 0.002, x + 0.002, y + 0.002], (_line, from, to) => {
    seen += to - from
  })
  expect(seen).toBeLessThan(200)
})
