import { type Box, clipSegment, type Geometry, type Position } from '@skyscript/core'

/**
 * The middle of what a box shows of a geometry: a point itself, the mean of a line by length, of an area by area. Plane
 * geometry in degrees, which a box of a few kilometres allows.
 *
 * @returns null where the box shows nothing of it, or nothing that has a length or an area
 */
export function meanPoint(geometry: Geometry, box: Box): Position | null {
  const sum = { x: 0, y: 0, weight: 0 }
  switch (geometry.type) {
    case 'Point':
      return geometry.coordinates
    case 'LineString':
      addLine(sum, geometry.coordinates, box)
      break
    case 'MultiLineString':
      for (const line of geometry.coordinates) addLine(sum, line, box)
      break
    case 'Polygon':
      addPolygon(sum, geometry.coordinates, box)
      break
    case 'MultiPolygon':
      for (const rings of geometry.coordinates) addPolygon(sum, rings, box)
  }
  return sum.weight > 0 ? [box[0] + sum.x / sum.weight, box[1] + sum.y / sum.weight] : null
}

/** Moments from the box's south-west corner, where numbers are small and keep their digits. */
interface Moments {
  x: number
  y: number
  weight: number
}

function addLine(sum: Moments, line: readonly Position[], box: Box): void {
  for (let i = 1; i < line.length; i++) {
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

/** Rings run the other way around in holes, so signed areas take them off. */
function addPolygon(sum: Moments, rings: readonly (readonly Position[])[], box: Box): void {
  for (const ring of rings) {
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
}

/** Sutherland and Hodgman: one side of the box after the other cuts the ring. Bridges along the sides have no area. */
function clipRing(ring: readonly Position[], [west, south, east, north]: Box): readonly Position[] {
  let points: readonly Position[] = ring.slice(0, -1)
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
