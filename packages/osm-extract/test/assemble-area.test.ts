import type { Geometry, Position } from '@skyscript/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AreaFault, assembleArea, type IntegerLine, toGeometry } from '../src/index.ts'

function areaOf(lines: readonly IntegerLine[]): Geometry | AreaFault {
  const polygons = assembleArea(lines)
  return typeof polygons === 'string' ? polygons : toGeometry({ type: 'Area', polygons })
}

const UNIT = 1000

const rings = (geometry: Geometry): readonly (readonly (readonly Position[])[])[] =>
  geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : []

/** Twice the signed area in whole 1e-7 degrees. */
function doubleArea(ring: readonly Position[]): number {
  let area = 0
  for (let i = 1; i < ring.length; i++) {
    const [[x0, y0], [x1, y1]] = [ring[i - 1]!, ring[i]!]
    area += Math.round(x0 * 1e7) * Math.round(y1 * 1e7) - Math.round(x1 * 1e7) * Math.round(y0 * 1e7)
  }
  return area
}

/** Which cells of a grid, by their middles, lie in a ring. */
function inRing(ring: readonly Position[], x: number, y: number): boolean {
  let inside = false
  for (let i = 1; i < ring.length; i++) {
    const [[x0, y0], [x1, y1]] = [ring[i - 1]!, ring[i]!].map(([a, b]) => [a * 1e7, b * 1e7]) as [Position, Position]
    if (y0 > y !== y1 > y && x < x0 + ((x1 - x0) * (y - y0)) / (y1 - y0)) inside = !inside
  }
  return inside
}

/** Chosen cells of a grid, and a turn and shear that keep straight lines straight. */
const cells = fc.record({
  size: fc.integer({ min: 1, max: 9 }),
  chosen: fc.array(fc.boolean(), { minLength: 81, maxLength: 81 }),
  shear: fc.constantFrom([1, 0, 0, 1], [1, 1, 0, 1], [2, 1, -1, 1], [0, -1, 1, 0], [1, 3, -2, 1]),
  order: fc.array(fc.nat(1e6), { minLength: 200, maxLength: 200 }),
})

describe('the lines round any set of cells of a grid', () => {
  test('make an area of exactly those cells, in whatever pieces, order and direction they come', () => {
    fc.assert(
      fc.property(cells, ({ size, chosen, shear: [a, b, c, d], order }) => {
        const isIn = (x: number, y: number) => x >= 0 && y >= 0 && x < size && y < size && chosen[y * size + x]!
        const at = (x: number, y: number): [number, number] => [(a! * x + b! * y) * UNIT, (c! * x + d! * y) * UNIT]
        const sides: number[][] = []
        for (let y = 0; y <= size; y++) {
          for (let x = 0; x <= size; x++) {
            if (isIn(x, y) !== isIn(x - 1, y)) sides.push([...at(x, y), ...at(x, y + 1)])
            if (isIn(x, y) !== isIn(x, y - 1)) sides.push([...at(x, y), ...at(x + 1, y)])
          }
        }
        const key = (i: number) => order[i % order.length]! * 1000 + i
        const lines = sides
          .map((side, i) => ({
            side: order[i % order.length]! % 2 ? [...side.slice(2), ...side.slice(0, 2)] : side,
            i,
          }))
          .sort((one, other) => key(one.i) - key(other.i))
          .map(({ side }) => side)
        const geometry = areaOf(lines)
        const wanted = chosen.slice(0, size * size).filter(Boolean).length
        if (wanted === 0) {
          expect(geometry).toBe('area-empty')
          return
        }
        const polygons = rings(geometry as Geometry)
        const area = polygons.flat().reduce((sum, ring) => sum + doubleArea(ring), 0)
        expect(area).toBe(2 * wanted * UNIT * UNIT * Math.abs(a! * d! - b! * c!))
        for (const polygon of polygons) {
          for (const [i, ring] of polygon.entries()) {
            expect(ring[0]).toEqual(ring.at(-1))
            expect(Math.sign(doubleArea(ring))).toBe(i === 0 ? 1 : -1)
            // No ring comes back to one of its places.
            expect(new Set(ring.map(String)).size).toBe(ring.length - 1)
          }
        }
        for (let y = 0; y < size; y++) {
          for (let x = 0; x < size; x++) {
            const middle = at(x + 0.5, y + 0.5)
            const holding = polygons.filter(
              ([outer, ...holes]) => inRing(outer!, ...middle) && !holes.some((hole) => inRing(hole, ...middle)),
            )
            expect(holding.length).toBe(isIn(x, y) ? 1 : 0)
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})

test('any lines at all make an area or a named fault, and the same one in any order', () => {
  const line = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 0, maxLength: 12 })
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
      const whole = lines.map((values) => values.slice(0, values.length - (values.length % 2)))
      const result = areaOf(whole)
      const backwards = areaOf(
        whole.toReversed().map((values) => {
          const reversed: number[] = []
          for (let i = values.length - 2; i >= 0; i -= 2) reversed.push(values[i]!, values[i + 1]!)
          return reversed
        }),
      )
      if (typeof result === 'string') {
        expect(['area-empty', 'area-open-ring', 'area-self-intersection']).toContain(result)
        expect(backwards).toBe(result)
      } else {
        const area = (geometry: Geometry) =>
          rings(geometry)
            .flat()
            .reduce((sum, ring) => sum + doubleArea(ring), 0)
        expect(area(result)).toBeGreaterThan(0)
        expect(area(backwards as Geometry)).toBe(area(result))
      }
    }),
    { numRuns: 2000 },
  )
})

test('a place on the far side of a long edge is told from one on it to the last digit', () => {
  const [far, high] = [1_800_000_000, 900_000_000]
  const triangle = [-far, -high, far, high, -far, high, -far, -high]
  const spike = (dx: number): IntegerLine => [
    far / 2,
    high / 2 + dx,
    0,
    high / 2,
    0,
    high / 2 + 5,
    far / 2,
    high / 2 + dx,
  ]
  expect(areaOf([triangle, spike(0)])).toBe('area-self-intersection')
  expect(areaOf([triangle, spike(-1)])).toBe('area-self-intersection')
  expect(areaOf([triangle, spike(1)])).toMatchObject({ type: 'Polygon' })
})

describe('a ring of 100,000 edges is made in seconds', () => {
  const EDGES = 100_000
  const shapes: Record<string, () => number[]> = {
    'a circle': () => {
      const ring: number[] = []
      for (let i = 0; i < EDGES; i++) {
        const angle = (2 * Math.PI * i) / EDGES
        ring.push(Math.round(1e9 * Math.cos(angle)), Math.round(5e8 * Math.sin(angle)))
      }
      return ring
    },
    'a staircase': () => {
      const ring: number[] = []
      for (let i = 0; i < EDGES / 2; i++) ring.push(i * 100, i * 100, (i + 1) * 100, i * 100)
      return [...ring, EDGES * 50, EDGES * 50 + 100, 0, EDGES * 50 + 100]
    },
    'a comb': () => {
      const ring: number[] = []
      for (let i = 0; i < EDGES / 4; i++) ring.push(i * 4, 0, i * 4, 1000, i * 4 + 2, 1000, i * 4 + 2, 0)
      return [...ring, EDGES, -10, 0, -10]
    },
  }
  test.each(Object.keys(shapes))('%s', { timeout: 10_000 }, (name) => {
    const ring = shapes[name]!()
    const started = performance.now()
    const area = areaOf([[...ring, ring[0]!, ring[1]!]])
    expect(area).toMatchObject({ type: 'Polygon' })
    expect(performance.now() - started).toBeLessThan(6000)
  })
})

test('a thousand rings that meet in one place stay a thousand rings', () => {
  const petals = 1000
  const ring: number[] = []
  const tip = (turn: number) => [Math.round(8e8 * Math.cos(turn)), Math.round(8e8 * Math.sin(turn))]
  for (let i = 0; i < petals; i++) {
    const angle = (2 * Math.PI * i) / petals
    ring.push(0, 0, ...tip(angle), ...tip(angle + Math.PI / petals))
  }
  const area = areaOf([[...ring, 0, 0]]) as Geometry
  expect(rings(area).map((polygon) => polygon.map((each) => each.length))).toEqual(new Array(petals).fill([4]))
})

test('a ring in one piece gives what the same ring in two pieces gives, odd rings too', () => {
  const vertex = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }))
  let areas = 0
  fc.assert(
    fc.property(fc.array(vertex, { minLength: 3, maxLength: 9 }), fc.nat(), (vertices, at) => {
      const ring = [...vertices, vertices[0]!].flat()
      const cut = 2 * (1 + (at % (vertices.length - 1)))
      const whole = areaOf([ring])
      if (typeof whole !== 'string') areas++
      expect(whole).toEqual(areaOf([ring.slice(0, cut + 2), ring.slice(cut)]))
    }),
    { numRuns: 3000 },
  )
  expect(areas).toBeGreaterThan(300)
})
