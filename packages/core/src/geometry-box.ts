import { boxContains, boxesIntersect, boxesOf, linesOf } from './geo.ts'
import type { Box, Geometry, Position } from './records.ts'
import { type SegmentIndex, segmentIndexOf } from './segment-index.ts'

/** Whether a geometry intersects a box, its edge included: a point in it, a line through it, an area over it. */
export function geometryMeetsBox(geometry: Geometry, box: Box): boolean {
  const segments = segmentIndexOf(geometry)
  const own = segments?.boxes ?? knownBoxesOf(geometry)
  let isNear = false
  for (let i = 0; i < own.length; i++) {
    if (!boxesIntersect(own[i]!, box)) continue
    if (boxContains(box, own[i]!)) return true
    isNear = true
  }
  if (!isNear) return false
  if (segments !== null) return indexedMeetsBox(geometry, segments, box)
  if (geometry.type === 'Polygon') {
    for (const ring of geometry.coordinates) if (lineMeetsBox(ring, box)) return true
  } else for (const line of linesOf(geometry)) if (lineMeetsBox(line, box)) return true
  // No boundary is near: the whole box is either inside the area or outside.
  const corner: Position = [box[0], box[1]]
  if (geometry.type === 'Polygon') return inPolygon(corner, geometry.coordinates)
  return geometry.type === 'MultiPolygon' && geometry.coordinates.some((rings) => inPolygon(corner, rings))
}

/** The same of a large geometry, by the segments near the box and those at the height of its corner. */
function indexedMeetsBox({ type }: Geometry, { lines, search }: SegmentIndex, box: Box): boolean {
  const meets = search(box, (line, from, to) => {
    const { positions } = lines[line]!
    for (let i = from; i < to; i++) if (segmentMeetsBox(positions[i - 1]!, positions[i]!, box)) return true
    return false
  })
  if (meets || (type !== 'Polygon' && type !== 'MultiPolygon')) return meets
  const corner: Position = [box[0], box[1]]
  const inside = new Set<number>()
  search([-Infinity, box[1], Infinity, box[1]], (line, from, to) => {
    const { positions, part } = lines[line]!
    if (!crossesOddly(corner, positions, from, to)) return
    if (!inside.delete(part)) inside.add(part)
  })
  return inside.size > 0
}

/** An object is in many images. */
const boxes = new WeakMap<Geometry, readonly Box[]>()

function knownBoxesOf(geometry: Geometry): readonly Box[] {
  const known = boxes.get(geometry)
  if (known) return known
  const found = boxesOf(geometry)
  boxes.set(geometry, found)
  return found
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
function segmentMeetsBox(a: Position, b: Position, box: Box): boolean {
  // Read by index: most of the time of captions is spent here.
  const x = a[0]
  const y = a[1]
  const west = box[0]
  const south = box[1]
  const east = box[2]
  const north = box[3]
  if ((x < west && b[0] < west) || (x > east && b[0] > east)) return false
  if ((y < south && b[1] < south) || (y > north && b[1] > north)) return false
  const dx = b[0] - x
  const dy = b[1] - y
  const atSouth = dx * (south - y)
  const atNorth = dx * (north - y)
  const atWest = dy * (west - x)
  const atEast = dy * (east - x)
  const least = Math.min(atSouth, atNorth) - Math.max(atWest, atEast)
  const most = Math.max(atSouth, atNorth) - Math.min(atWest, atEast)
  return least <= 0 && most >= 0
}

/** The part of a segment inside a box as a range of its parameter, by Liang and Barsky; null where it misses. */
export function clipSegment(a: Position, b: Position, [west, south, east, north]: Box): [number, number] | null {
  const [x, y] = a
  const dx = b[0] - x
  const dy = b[1] - y
  let from = 0
  let to = 1
  if (dx === 0) {
    if (x < west || x > east) return null
  } else {
    const atWest = (west - x) / dx
    const atEast = (east - x) / dx
    from = Math.max(from, Math.min(atWest, atEast))
    to = Math.min(to, Math.max(atWest, atEast))
  }
  if (dy === 0) {
    if (y < south || y > north) return null
  } else {
    const atSouth = (south - y) / dy
    const atNorth = (north - y) / dy
    from = Math.max(from, Math.min(atSouth, atNorth))
    to = Math.min(to, Math.max(atSouth, atNorth))
  }
  return from <= to ? [from, to] : null
}

/** Even-odd over all rings of a polygon. */
function inPolygon(position: Position, rings: readonly (readonly Position[])[]): boolean {
  let inside = false
  for (const ring of rings) if (crossesOddly(position, ring, 1, ring.length)) inside = !inside
  return inside
}

/** Whether an odd number of a ring's segments [from, to) lie to the east of a position. */
function crossesOddly([x, y]: Position, ring: readonly Position[], from: number, to: number): boolean {
  let odd = false
  for (let i = from; i < to; i++) {
    const [x0, y0] = ring[i - 1]!
    const [x1, y1] = ring[i]!
    if (y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) odd = !odd
  }
  return odd
}
