import { type Box, boxesIntersect, linesOf, type Position } from '@skyscript/core'
import { boxRing } from '../catalogue/scene.ts'
import { badRequest } from './api-error.ts'
import type { GeometryValue, Shape, Value } from './values.ts'

/** Geometry on the flat longitude-latitude plane: footprints and boxes of a few degrees at most. */

/** The types of geometry that requests may hold. */
export const SHAPES = ['Point', 'MultiPoint', 'LineString', 'MultiLineString', 'Polygon', 'MultiPolygon'] as const

/** The value of a shape. */
export const geometry = (shape: Shape): GeometryValue => ({ kind: 'geometry', shape })

/** The geometry of a box. */
export const boxGeometry = (box: Box): GeometryValue => geometry({ type: 'Polygon', coordinates: [boxRing(box)] })

/** A shape of coordinates as they came in a request, checked. */
export function makeShape(type: string, coordinates: Value): Shape {
  const known = SHAPES.find((each) => each === type)
  if (known === undefined) throw badRequest(`Geometry type '${type}' is not supported.`)
  const depth =
    known === 'Point' ? 0 : known === 'MultiPoint' || known === 'LineString' ? 1 : known === 'MultiPolygon' ? 3 : 2
  let checked: unknown = positions(coordinates, depth, type)
  if (known === 'Polygon') checked = (checked as Position[][]).map(closed)
  if (known === 'MultiPolygon') checked = (checked as Position[][][]).map((rings) => rings.map(closed))
  return { type: known, coordinates: checked } as Shape
}

/** Clients may leave out a ring's last position where it repeats the first. */
function closed(ring: Position[]): Position[] {
  const [first, last] = [ring[0], ring.at(-1)]
  if (!first || !last || (first[0] === last[0] && first[1] === last[1])) return ring
  return [...ring, first]
}

function positions(value: Value, depth: number, type: string): unknown {
  if (!Array.isArray(value)) throw badRequest(`GeometryConstructors.${type}: Invalid GeoJSON coordinates.`)
  if (depth > 0) return value.map((item: Value) => positions(item, depth - 1, type))
  const [longitude, latitude] = value as Value[]
  if (typeof longitude !== 'number' || typeof latitude !== 'number')
    throw badRequest(`GeometryConstructors.${type}: Invalid GeoJSON coordinates.`)
  return [longitude, latitude]
}

/** Lists of positions: single points, lines, or rings. */
function linesOfShape(shape: Shape): readonly (readonly Position[])[] {
  if (shape.type === 'MultiPoint') return shape.coordinates.map((position) => [position])
  return [...linesOf(shape)]
}

/** The box of a shape. */
export const shapeBox = (shape: Shape): Box => boxOfShapes([shape])

/** The box around several shapes. */
export function boxOfShapes(shapes: readonly Shape[]): Box {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity]
  for (const line of shapes.flatMap(linesOfShape)) {
    for (const [x, y] of line) {
      box[0] = Math.min(box[0], x)
      box[1] = Math.min(box[1], y)
      box[2] = Math.max(box[2], x)
      box[3] = Math.max(box[3], y)
    }
  }
  return box
}

const isArea = (shape: Shape): boolean => shape.type === 'Polygon' || shape.type === 'MultiPolygon'

/** Whether an area holds a position: even-odd over all rings. */
export function shapeHolds(shape: Shape, [x, y]: Position): boolean {
  if (!isArea(shape)) return false
  let inside = false
  for (const ring of linesOfShape(shape)) {
    for (let i = 1; i < ring.length; i++) {
      const [[x0, y0], [x1, y1]] = [ring[i - 1]!, ring[i]!]
      if (y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) inside = !inside
    }
  }
  return inside
}

/** Whether two shapes share a position. Shapes that only touch intersect. */
export function shapesIntersect(a: Shape, b: Shape): boolean {
  if (!boxesIntersect(shapeBox(a), shapeBox(b))) return false
  const [linesA, linesB] = [linesOfShape(a), linesOfShape(b)]
  for (const line of linesA) if (line[0] && shapeHolds(b, line[0])) return true
  for (const line of linesB) if (line[0] && shapeHolds(a, line[0])) return true
  for (const lineA of linesA) for (const lineB of linesB) if (linesMeet(lineA, lineB)) return true
  return false
}

function linesMeet(a: readonly Position[], b: readonly Position[]): boolean {
  const ends = (line: readonly Position[], i: number): [Position, Position] => [
    line[i]!,
    line[Math.min(i + 1, line.length - 1)]!,
  ]
  for (let i = 0; i < Math.max(1, a.length - 1); i++) {
    for (let j = 0; j < Math.max(1, b.length - 1); j++) if (segmentsMeet(...ends(a, i), ...ends(b, j))) return true
  }
  return false
}

const turn = (a: Position, b: Position, c: Position) =>
  Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))

const between = (a: Position, b: Position, c: Position) =>
  Math.min(a[0], b[0]) <= c[0] &&
  c[0] <= Math.max(a[0], b[0]) &&
  Math.min(a[1], b[1]) <= c[1] &&
  c[1] <= Math.max(a[1], b[1])

function segmentsMeet(a: Position, b: Position, c: Position, d: Position): boolean {
  const [abc, abd, cda, cdb] = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)]
  if (abc !== abd && cda !== cdb) return true
  return (
    (abc === 0 && between(a, b, c)) ||
    (abd === 0 && between(a, b, d)) ||
    (cda === 0 && between(c, d, a)) ||
    (cdb === 0 && between(c, d, b))
  )
}
