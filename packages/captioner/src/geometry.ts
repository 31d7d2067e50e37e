import { type Box, boxMetres, clipSegment, type Geometry, METRES_PER_DEGREE_LATITUDE, METRES_PER_DEGREE_LONGITUDE, type Position, radians, type Tags } from '@skyscript/core'

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
