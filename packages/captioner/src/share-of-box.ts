import {
  type Box,
  boxMetres,
  clipSegment,
  type Geometry,
  METRES_PER_DEGREE_LATITUDE,
  METRES_PER_DEGREE_LONGITUDE,
  type Position,
  radians,
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
    case 'LineString': {
      const { width, height } = boxMetres(box)
      const kind = tags.highway ?? tags.waterway ?? tags.railway ?? tags.aeroway ?? ''
      return Math.min(
        1,
        (lengthInBox(geometry.coordinates, box) * (LINE_WIDTHS.get(kind) ?? NARROW)) / (width * height),
      )
    }
    case 'Polygon':
      return areaInBox(geometry.coordinates, box)
    case 'MultiPolygon':
      return geometry.coordinates.reduce((sum, rings) => sum + areaInBox(rings, box), 0)
  }
}

/** Metres of a line inside a box. */
function lengthInBox(line: readonly Position[], box: Box): number {
  const perLongitude = METRES_PER_DEGREE_LONGITUDE * Math.cos(radians((box[1] + box[3]) / 2))
  let length = 0
  for (let i = 1; i < line.length; i++) {
    const [a, b] = [line[i - 1]!, line[i]!]
    const metres = Math.hypot((b[0] - a[0]) * perLongitude, (b[1] - a[1]) * METRES_PER_DEGREE_LATITUDE)
    const inside = clipSegment(a, b, box)
    if (inside) length += (inside[1] - inside[0]) * metres
  }
  return length
}

/** The area of a polygon inside a box as a share of the box; holes take off. */
function areaInBox(rings: readonly (readonly Position[])[], [west, south, east, north]: Box): number {
  // In units of the box, where every number is near 1: square degrees would drown in their own rounding.
  const [width, height] = [east - west, north - south]
  let area = 0
  for (const [i, ring] of rings.entries()) {
    const xs: number[] = []
    const ys: number[] = []
    for (let j = 1; j < ring.length; j++) {
      xs.push((ring[j]![0] - west) / width)
      ys.push((ring[j]![1] - south) / height)
    }
    const inside = Math.abs(ringAreaInUnitSquare(xs, ys))
    area += i === 0 ? inside : -inside
  }
  return Math.max(0, area)
}

function ringAreaInUnitSquare(xs: number[], ys: number[]): number {
  let [u, v] = [xs, ys]
  if (u.some((x) => x < 0)) [u, v] = keepAtLeastZero(u, v)
  if (u.some((x) => x > 1)) [u, v] = mirrored(...keepAtLeastZero(...mirrored(u, v)))
  if (v.some((y) => y < 0)) [v, u] = keepAtLeastZero(v, u)
  if (v.some((y) => y > 1)) [v, u] = mirrored(...keepAtLeastZero(...mirrored(v, u)))
  let doubled = 0
  for (let i = 0, before = u.length - 1; i < u.length; before = i++) doubled += u[before]! * v[i]! - u[i]! * v[before]!
  return doubled / 2
}

const mirrored = (u: number[], v: number[]): [number[], number[]] => [u.map((x) => 1 - x), v]

/** One step of Sutherland and Hodgman's clipping: the part of a ring where `u` >= 0. */
function keepAtLeastZero(u: readonly number[], v: readonly number[]): [number[], number[]] {
  const [keptU, keptV]: [number[], number[]] = [[], []]
  for (let i = 0, before = u.length - 1; i < u.length; before = i++) {
    const [u0, u1] = [u[before]!, u[i]!]
    if (u0 >= 0 !== u1 >= 0) {
      keptU.push(0)
      keptV.push(v[before]! + (u0 / (u0 - u1)) * (v[i]! - v[before]!))
    }
    if (u1 >= 0) {
      keptU.push(u1)
      keptV.push(v[i]!)
    }
  }
  return [keptU, keptV]
}
