import { boxesIntersect, boxOf, linesOf } from './geo.ts'
import type { Box, Geometry, Position } from './records.ts'

/** Whether any part of a geometry lies in a box or on its edge: a point in it, a line through it, an area over it. */
export function geometryMeetsBox(geometry: Geometry, box: Box): boolean {
  if (!boxesIntersect(boxOf(geometry), box)) return false
  for (const line of linesOf(geometry)) if (lineMeetsBox(line, box)) return true
  // No boundary comes near: either the whole box lies inside the area, or outside.
  const corner: Position = [box[0], box[1]]
  if (geometry.type === 'Polygon') return inPolygon(corner, geometry.coordinates)
  return geometry.type === 'MultiPolygon' && geometry.coordinates.some((rings) => inPolygon(corner, rings))
}

function inBox([x, y]: Position, [west, south, east, north]: Box): boolean {
  return x >= west && x <= east && y >= south && y <= north
}

function lineMeetsBox(line: readonly Position[], box: Box): boolean {
  if (line.length === 1) return inBox(line[0]!, box)
  for (let i = 1; i < line.length; i++) if (segmentMeetsBox(line[i - 1]!, line[i]!, box)) return true
  return false
}

/** They meet where their bounding boxes do and the corners of the box do not all lie on one side of the segment's line. */
function segmentMeetsBox(a: Position, b: Position, [west, south, east, north]: Box): boolean {
  const [x, y] = a
  if ((x < west && b[0] < west) || (x > east && b[0] > east)) return false
  if ((y < south && b[1] < south) || (y > north && b[1] > north)) return false
  const [dx, dy] = [b[0] - x, b[1] - y]
  const [atSouth, atNorth, atWest, atEast] = [dx * (south - y), dx * (north - y), dy * (west - x), dy * (east - x)]
  const least = Math.min(atSouth, atNorth) - Math.max(atWest, atEast)
  const most = Math.max(atSouth, atNorth) - Math.min(atWest, atEast)
  return least <= 0 && most >= 0
}

/** The part of a segment inside a box as a range of its parameter, by Liang and Barsky; null where it misses. */
export function clipSegment(
  [x0, y0]: Position,
  [x1, y1]: Position,
  [west, south, east, north]: Box,
): [number, number] | null {
  let [from, to] = [0, 1]
  const [dx, dy] = [x1 - x0, y1 - y0]
  for (const [step, gap] of [
    [-dx, x0 - west],
    [dx, east - x0],
    [-dy, y0 - south],
    [dy, north - y0],
  ] as const) {
    if (step === 0) {
      if (gap < 0) return null
      continue
    }
    const at = gap / step
    if (step < 0) from = Math.max(from, at)
    else to = Math.min(to, at)
    if (from > to) return null
  }
  return [from, to]
}

/** Even-odd over all rings of a polygon. */
function inPolygon([x, y]: Position, rings: readonly (readonly Position[])[]): boolean {
  let inside = false
  for (const ring of rings) {
    for (let i = 1; i < ring.length; i++) {
      const [[x0, y0], [x1, y1]] = [ring[i - 1]!, ring[i]!]
      if (y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) inside = !inside
    }
  }
  return inside
}
