import {
  type Box,
  clipSegment,
  type Geometry,
  linesOf,
  type Position,
  type SegmentIndex,
  segmentIndexOf,
} from '@skyscript/core'

/**
 * The middle of what a box shows of a geometry: a point itself, the mean of a line by length, of an area by area. Plane
 * geometry in degrees, which a box of a few kilometres allows.
 *
 * @returns null where the box shows nothing of it, or nothing that has a length or an area
 */
export function meanPoint(geometry: Geometry, box: Box): Position | null {
  if (geometry.type === 'Point') return geometry.coordinates
  const sum = { x: 0, y: 0, weight: 0 }
  const index = segmentIndexOf(geometry)
  const isArea = geometry.type === 'Polygon' || geometry.type === 'MultiPolygon'
  if (index !== null && isArea) for (const ring of ringsNear(index, box)) addRing(sum, ring, box)
  else if (index !== null) {
    index.search(box, (line, from, to) => addLine(sum, index.lines[line]!.positions, from, to, box))
  } else {
    for (const line of linesOf(geometry)) {
      if (isArea) addRing(sum, line.slice(0, -1), box)
      else addLine(sum, line, 1, line.length, box)
    }
  }
  return sum.weight > 0 ? [box[0] + sum.x / sum.weight, box[1] + sum.y / sum.weight] : null
}

/** Moments from the box's south-west corner, where numbers are small and keep their digits. */
interface Moments {
  x: number
  y: number
  weight: number
}

/** Of segments [first, end). */
function addLine(sum: Moments, line: readonly Position[], first: number, end: number, box: Box): void {
  for (let i = first; i < end; i++) {
    const [a, b] = [line[i - 1]!, line[i]!]
    const inside = clipSegment(a, b, box)
    if (inside === null) continue
    const length = (inside[1] - inside[0]) * Math.hypot(b[0] - a[0], b[1] - a[1])
    const middle = (inside[0] + inside[1]) / 2
    sum.x += length * (a[0] + middle * (b[0] - a[0]) - box[0])
    sum.y += length * (a[1] + middle * (b[1] - a[1]) - box[1])
    sum.weight += length
  }
}

/** Rings run the other way around in holes, so signed areas take them off. @param ring without its closing position */
function addRing(sum: Moments, ring: readonly Position[], box: Box): void {
  const clipped = clipRing(ring, box)
  for (let i = 0; i < clipped.length; i++) {
    const [ax, ay] = clipped[i]!
    const [bx, by] = clipped[(i + 1) % clipped.length]!
    const [x0, y0, x1, y1] = [ax - box[0], ay - box[1], bx - box[0], by - box[1]]
    const cross = x0 * y1 - x1 * y0
    sum.x += ((x0 + x1) * cross) / 6
    sum.y += ((y0 + y1) * cross) / 6
    sum.weight += cross / 2
  }
}

/**
 * The rings of a large area without the parts to the west or east of a box: between two of their segments there a ring
 * stays on one side, where its way makes no difference to what `clipRing` leaves of it, to the last bit.
 */
function ringsNear(index: SegmentIndex, [west, , east]: Box): Position[][] {
  const places = new Map<number, Set<number>>()
  index.search([west, -Infinity, east, Infinity], (line, from, to) => {
    const near = places.get(line) ?? new Set()
    places.set(line, near)
    // The last position of a ring is its first.
    const last = index.lines[line]!.positions.length - 1
    for (let i = from - 1; i < to; i++) near.add(i === last ? 0 : i)
  })
  return [...places].map(([line, near]) => [...near].sort((a, b) => a - b).map((i) => index.lines[line]!.positions[i]!))
}

/** Sutherland and Hodgman: one side of the box after the other cuts the ring. Bridges along the sides have no area. */
function clipRing(ring: readonly Position[], [west, south, east, north]: Box): readonly Position[] {
  let points = ring
  for (const [axis, limit, sign] of [
    [0, west, 1],
    [0, east, -1],
    [1, south, 1],
    [1, north, -1],
  ] as const) {
    const kept: Position[] = []
    for (const [i, to] of points.entries()) {
      const from = points.at(i - 1)!
      const [before, after] = [sign * (from[axis] - limit), sign * (to[axis] - limit)]
      if (before < 0 !== after < 0) {
        const at = before / (before - after)
        kept.push([from[0] + at * (to[0] - from[0]), from[1] + at * (to[1] - from[1])])
      }
      if (after >= 0) kept.push(to)
    }
    points = kept
  }
  return points
}
