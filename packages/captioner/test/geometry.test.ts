import { geometryMeetsBox } from '@skyscript/captioner'
import type { Box, Geometry, Position } from '@skyscript/core'
import { booleanIntersects } from '@turf/boolean-intersects'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shareOfBox } from '../src/share-of-box.ts'

const BOX: Box = [10, 45, 10.01, 45.01]
const polygonOf = ([w, s, e, n]: Box): Geometry => ({
  type: 'Polygon',
  coordinates: [
    [
      [w, s],
      [e, s],
      [e, n],
      [w, n],
      [w, s],
    ],
  ],
})

/** Positions on a lattice around the box, whose steps fall beside its edges: touching only by rounding is no test. */
const position = fc
  .tuple(fc.integer({ min: -13, max: 13 }), fc.integer({ min: -13, max: 13 }))
  .map(([x, y]): Position => [10.005 + x * 0.00091, 45.005 + y * 0.00083])
const around = (x: number, y: number, radius: number): Position[] => {
  const ring = Array.from({ length: 9 }, (_, i): Position => {
    const angle = (i * Math.PI * 2) / 9
    return [x + radius * Math.cos(angle) * (i % 2 ? 1 : 0.6), y + radius * Math.sin(angle)]
  })
  return [...ring, ring[0]!]
}
const star = fc
  .tuple(position, fc.double({ min: 0.0005, max: 0.03, noNaN: true }))
  .map(([[x, y], radius]) => ({ x, y, radius }))
const geometry: fc.Arbitrary<Geometry> = fc.oneof(
  position.map((coordinates): Geometry => ({ type: 'Point', coordinates })),
  // No vertex twice in a row: the reader leaves such out, and turf loses lines with them.
  fc
    .array(position, { minLength: 2, maxLength: 5 })
    .filter((line) => line.every(([x, y], i) => i === 0 || x !== line[i - 1]![0] || y !== line[i - 1]![1]))
    .map((coordinates): Geometry => ({ type: 'LineString', coordinates })),
  star.map(({ x, y, radius }): Geometry => ({ type: 'Polygon', coordinates: [around(x, y, radius)] })),
  star.map(
    ({ x, y, radius }): Geometry => ({
      type: 'Polygon',
      coordinates: [around(x, y, radius), around(x, y, radius / 2).reverse()],
    }),
  ),
  fc.array(star, { minLength: 1, maxLength: 3 }).map(
    (stars): Geometry => ({
      type: 'MultiPolygon',
      coordinates: stars.map(({ x, y, radius }) => [around(x, y, radius)]),
    }),
  ),
)

test('a geometry meets a box exactly where @turf/boolean-intersects says so', () => {
  let meets = 0
  fc.assert(
    fc.property(geometry, (each) => {
      const ours = geometryMeetsBox(each, BOX)
      meets += ours ? 1 : 0
      expect(ours).toBe(booleanIntersects(each as GeoJSON.Geometry, polygonOf(BOX) as GeoJSON.Geometry))
    }),
    { numRuns: 2000 },
  )
  expect(meets).toBeGreaterThan(300)
})

test('a box in the hole of an area is not met by it; one that overlaps the rim is', () => {
  const ring = (side: number): Position[] => [
    [10.005 - side, 45.005 - side],
    [10.005 + side, 45.005 - side],
    [10.005 + side, 45.005 + side],
    [10.005 - side, 45.005 + side],
    [10.005 - side, 45.005 - side],
  ]
  const holed = (hole: number): Geometry => ({ type: 'Polygon', coordinates: [ring(0.1), ring(hole).reverse()] })
  expect(geometryMeetsBox(holed(0.02), BOX)).toBe(false)
  expect(geometryMeetsBox(holed(0.004), BOX)).toBe(true)
  expect(shareOfBox(holed(0.02), {}, BOX)).toBe(0)
  expect(shareOfBox(holed(0.004), {}, BOX)).toBeCloseTo(1 - 0.8 ** 2, 9)
})

test('the share of an area is the part of the box that it covers, found also by sampling', () => {
  const inside = (point: Position, each: Geometry) => geometryMeetsBox(each, [...point, ...point] as Box)
  const area = geometry.filter(({ type }) => type === 'Polygon')
  fc.assert(
    fc.property(area, (each) => {
      const side = 40
      let hits = 0
      for (let i = 0; i < side; i++) {
        for (let j = 0; j < side; j++) {
          hits += inside([10 + ((i + 0.5) / side) * 0.01, 45 + ((j + 0.5) / side) * 0.01], each) ? 1 : 0
        }
      }
      expect(Math.abs(shareOfBox(each, {}, BOX) - hits / side ** 2)).toBeLessThan(0.03)
    }),
    { numRuns: 60 },
  )
})

test('shares go from 0 to 1, and a point has none', () => {
  fc.assert(
    fc.property(geometry, (each) => {
      const share = shareOfBox(each, { highway: 'motorway' }, BOX)
      expect(share).toBeGreaterThanOrEqual(0)
      if (each.type !== 'MultiPolygon') expect(share).toBeLessThanOrEqual(1 + 1e-9)
      if (!geometryMeetsBox(each, BOX)) expect(share).toBeLessThan(1e-9)
      if (each.type === 'Point') expect(share).toBe(0)
    }),
  )
})

test('a line counts by its length inside times the width of its kind', () => {
  // Across the whole box from west to east: its share is the width over the height of the box in metres.
  const line: Geometry = {
    type: 'LineString',
    coordinates: [
      [9, 45.005],
      [11, 45.005],
    ],
  }
  expect(shareOfBox(line, { highway: 'motorway' }, BOX)).toBeCloseTo(12 / 1105.4, 6)
  expect(shareOfBox(line, { highway: 'footway' }, BOX)).toBeCloseTo(2 / 1105.4, 6)
  expect(shareOfBox(line, { highway: 'constructor' }, BOX)).toBeCloseTo(2 / 1105.4, 6)
})
