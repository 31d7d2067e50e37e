import {
  type Box,
  boxMetres,
  clipSegment,
  coverOfBox,
  type Geometry,
  linesOf,
  METRES_PER_DEGREE_LATITUDE,
  METRES_PER_DEGREE_LONGITUDE,
  type Position,
  radians,
  segmentIndexOf,
  type Tags,
} from '@skyscript/core'

/** Metres across, for the share that a line takes of an image; middle values of what each class has. */
const LINE_WIDTHS: ReadonlyMap<string, number> = new Map([
  ['motorway', 12],
  ['trunk', 10],
  ['primary', 8],
  ['secondary', 7],
  ['tertiary', 6],
  ['residential', 6],
  ['unclassified', 5],
  ['service', 4],
  ['track', 3],
  ['runway', 45],
  ['taxiway', 20],
  ['river', 20],
  ['canal', 12],
  ['rail', 4],
])
const NARROW = 2

/**
 * The share of a box that an object takes, from 0 to 1, for ordering what surrounds a focus object: areas by their
 * part inside the box, lines by length inside times a width typical of their kind, points none, so that they come
 * last. Plane geometry in degrees, which a box of a few kilometres allows.
 */
export function shareOfBox(geometry: Geometry, tags: Tags, box: Box): number {
  switch (geometry.type) {
    case 'Point':
      return 0
    case 'LineString':
    case 'MultiLineString': {
      const { width, height } = boxMetres(box)
      const kind = tags.highway ?? tags.waterway ?? tags.railway ?? tags.aeroway ?? ''
      return Math.min(1, (lengthInBox(geometry, box) * (LINE_WIDTHS.get(kind) ?? NARROW)) / (width * height))
    }
    default:
      return coverOfBox(geometry, box)
  }
}

/** Metres of lines inside a box. */
function lengthInBox(geometry: Geometry, box: Box): number {
  let length = 0
  const index = segmentIndexOf(geometry)
  if (index === null) for (const line of linesOf(geometry)) length += addLength(0, line, 1, line.length, box)
  else {
    const lengths = index.sums(box, (sum, line, from, to) => addLength(sum, line, from, to, box))
    for (const each of lengths.values()) length += each
  }
  return length
}

/** Adds those of a line's segments [first, end). */
function addLength(before: number, line: readonly Position[], first: number, end: number, box: Box): number {
  const [west, south, east, north] = box
  const perLongitude = METRES_PER_DEGREE_LONGITUDE * Math.cos(radians((south + north) / 2))
  let length = before
  for (let i = first; i < end; i++) {
    const a = line[i - 1]!
    const b = line[i]!
    // Most segments of a long line lie beside the box, and most of the others inside.
    if (Math.max(a[0], b[0]) < west || Math.min(a[0], b[0]) > east) continue
    if (Math.max(a[1], b[1]) < south || Math.min(a[1], b[1]) > north) continue
    const x = (b[0] - a[0]) * perLongitude
    const y = (b[1] - a[1]) * METRES_PER_DEGREE_LATITUDE
    const inside = clipSegment(a, b, box)
    if (inside) length += (inside[1] - inside[0]) * Math.sqrt(x * x + y * y)
  }
  return length
}
