import { type Box, boxesIntersect, boxMetres, boxOf, type Geometry, linesOf, METRES_PER_DEGREE_LATITUDE, METRES_PER_DEGREE_LONGITUDE, type Position, radians, type Tags } from '@skyscript/core'

/** Whether any part of a geometry lies in a box or on its edge: a point in it, a line through it, an area over it. */
export function geometryMeetsBox(geometry: Geometry, box: Box): boolean {
  if (!boxesIntersect(boxOf(geometry), box)) return false
  for (const line of linesOf(geometry)) if (lineMeetsBox(line, box)) return true
  // No boundary comes near: either the whole box lies inside the area, or outside.
  const corner: Position = [box[0], box[1]]
  if (geometry.type === 'Polygon') return inPolygon(corner, geometry.coordinates)
  return geometry.type === 'MultiPolygon' && geometry.coordinates.some((rings) => inPolygon(corner, rings))
}

/** Metres across, for the share that a line takes of an image; middle values of what each class has. */
const LINE_WIDTHS: Readonly<Record<string, number>> = {
  motorway: 12, trunk: 10, primary: 8, secondary: 7, tertiary: 6, residential: 6, unclassified: 5, service: 4, track: 3,
  runway: 45, taxiway: 20, river: 20, canal: 12, stream: 2, rail: 4,
}
const LINE_WIDTH = 2
/** Square metres that a point is taken to cover: a crown, a mast with its shadow. */
const POINT_AREA = 10

/**
 * The share of a box that an object takes, for ordering what surrounds a focus object: areas by their part inside the
 * box, lines by length inside times a width typical of their kind, points by a small constant.
 */
export function shareOfBox(geometry: Geometry, tags: Tags, box: Box): number {
  const { width, height } = boxMetres(box)
  const total = width * height
  if (geometry.type === 'Point') return POINT_AREA / total
  if (geometry.type === 'LineString') {
    const kind = tags.highway ?? tags.waterway ?? tags.railway ?? tags.aeroway ?? ''
    return (lengthInBox(geometry.coordinates, box) * (Object.hasOwn(LINE_WIDTHS, kind) ? LINE_WIDTHS[kind]! : LINE_WIDTH)) / total
  }
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates
  const area = polygons.flat().reduce((sum, ring) => sum + ringAreaInBox(ring, box), 0)
  // Outer rings run counter-clockwise and inner ones clockwise, so holes subtract themselves.
  return Math.max(0, area) / ((box[2] - box[0]) * (box[3] - box[1]))
}

function inBox([x, y]: Position, [west, south, east, north]: Box): boolean {
  return x >= west && x <= east && y >= south && y <= north
}

function lineMeetsBox(line: readonly Position[], box: Box): boolean {
  if (line.length === 1) return inBox(line[0]!, box)
  for (let i = 1; i < line.length; i++) if (clipSegment(line[i - 1]!, line[i]!, box)) return true
  return false
}

/** The part of a segment inside a box as a range of its parameter, by Liang and Barsky; null where it misses. */
function clipSegment([x0, y0]: Position, [x1, y1]: Position, [west, south, east, north]: Box): [number, number] | null {
  let [from, to] = [0, 1]
  const [dx, dy] = [x1 - x0, y1 - y0]
  for (const [step, gap] of [[-dx, x0 - west], [dx, east - x0], [-dy, y0 - south], [dy, north - y0]] as const) {
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

function lengthInBox(line: readonly Position[], box: Box): number {
  const perLongitude = METRES_PER_DEGREE_LONGITUDE * Math.cos(radians((box[1] + box[3]) / 2))
  let length = 0
  for (let i = 1; i < line.length; i++) {
    const [a, b] = [line[i - 1]!, line[i]!]
    const part = clipSegment(a, b, box)
    if (part) length += (part[1] - part[0]) * Math.hypot((b[0] - a[0]) * perLongitude, (b[1] - a[1]) * METRES_PER_DEGREE_LATITUDE)
  }
  return length
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

/** Signed area in square degrees of a ring's part inside a box (Sutherland and Hodgman); counter-clockwise is positive. */
function ringAreaInBox(ring: readonly Position[], [west, south, east, north]: Box): number {
  let points: Position[] = ring.slice(0, -1) as Position[]
  for (const [axis, limit, side] of [[0, west, 1], [0, east, -1], [1, south, 1], [1, north, -1]] as const) {
    const within = (point: Position) => (point[axis] - limit) * side >= 0
    points = points.flatMap((point, i) => {
      const before = points.at(i - 1)!
      if (within(before) === within(point)) return within(point) ? [point] : []
      const t = (limit - before[axis]) / (point[axis] - before[axis])
      const cut: Position = [before[0] + t * (point[0] - before[0]), before[1] + t * (point[1] - before[1])]
      return within(point) ? [cut, point] : [cut]
    })
    if (points.length === 0) return 0
  }
  // Relative to the box's corner: degrees squared are tiny beside their own rounding otherwise.
  return points.reduce((sum, [x1, y1], i) => {
    const [x0, y0] = points.at(i - 1)!
    return sum + ((x0 - west) * (y1 - south) - (x1 - west) * (y0 - south)) / 2
  }, 0)
}
