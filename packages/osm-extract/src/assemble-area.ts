import type { Geometry, Position } from '@skyscript/core'
import Flatbush from 'flatbush'

/** Why no area can be made; names as dropped.csv counts them. */
export type AreaFault = 'area-empty' | 'area-open-ring' | 'area-self-intersection'

/** A line as alternating longitude, latitude in 1e-7 degree. */
export type IntegerLine = readonly number[] | Int32Array

/** A directed edge between two vertices, by their index. */
interface Edge {
  readonly from: number
  readonly to: number
}

/**
 * Makes an area of the boundary lines of a closed way or of a multipolygon relation's members. Roles are not looked at:
 * they are often wrong, and the lines alone decide. As libosmium does it: a segment that occurs twice cancels itself,
 * segments may meet only at their ends, every ring must close; rings that touch at a vertex are taken apart there.
 *
 * @returns a Polygon or MultiPolygon in degrees, outer rings counter-clockwise; or the fault
 */
export function assembleArea(lines: readonly IntegerLine[]): Geometry | AreaFault {
  const simple = lines.length === 1 ? simpleRing(lines[0]!) : null
  if (simple) return simple
  const { xs, ys, segments } = oddSegments(lines)
  if (segments.length === 0) return 'area-empty'
  const degrees = new Map<number, number>()
  for (const { from, to } of segments) {
    degrees.set(from, (degrees.get(from) ?? 0) + 1)
    degrees.set(to, (degrees.get(to) ?? 0) + 1)
  }
  for (const degree of degrees.values()) if (degree % 2 === 1) return 'area-open-ring'
  if (anyCrossing(segments, xs, ys)) return 'area-self-intersection'
  const stars = new Stars(segments, xs, ys)
  return nest(traceRings(orient(segments, stars, xs, ys), stars), xs, ys)
}

/** A ring of more edges goes the general way, whose index is quicker then. */
const SIMPLE_RING = 40

/**
 * The area of one closed line that nothing is odd about, as nearly all buildings are: no place twice, no edges that
 * touch. The same ring, from the same vertex on, as the general way makes of it.
 *
 * @returns null where the general way must decide
 */
function simpleRing(line: IntegerLine): Geometry | null {
  const count = line.length / 2 - 1
  if (count < 3 || count > SIMPLE_RING || line[0] !== line[2 * count] || line[1] !== line[2 * count + 1]) return null
  let area = 0
  for (let i = 0; i < count; i++) {
    const [ax, ay, bx, by] = [line[2 * i]!, line[2 * i + 1]!, line[2 * i + 2]!, line[2 * i + 3]!]
    area += (ax - line[0]!) * (by - line[1]!) - (bx - line[0]!) * (ay - line[1]!)
    for (let j = i + 1; j < count; j++) {
      const [cx, cy, dx, dy] = [line[2 * j]!, line[2 * j + 1]!, line[2 * j + 2]!, line[2 * j + 3]!]
      if (ax === cx && ay === cy) return null
      if ((ax < cx && bx < cx && ax < dx && bx < dx) || (ax > cx && bx > cx && ax > dx && bx > dx)) continue
      if ((ay < cy && by < cy && ay < dy && by < dy) || (ay > cy && by > cy && ay > dy && by > dy)) continue
      const [c, d] = [turn(ax, ay, bx, by, cx, cy), turn(ax, ay, bx, by, dx, dy)]
      // Neighbours share an end; on one line they may go on or turn back.
      const isNext = j === i + 1 || (i === 0 && j === count - 1)
      if (isNext && (j === i + 1 ? d : c) !== 0) continue
      if (isNext || c === 0 || d === 0) return null
      const [a, b] = [turn(cx, cy, dx, dy, ax, ay), turn(cx, cy, dx, dy, bx, by)]
      if (c > 0 !== d > 0 && !((a > 0 && b > 0) || (a < 0 && b < 0))) return null
    }
  }
  if (area === 0) return null
  const ring: Position[] = []
  for (let i = 0; i <= count; i++) {
    const vertex = area > 0 ? i : (count + 1 - i) % count
    ring.push([line[2 * vertex]! / 1e7, line[2 * vertex + 1]! / 1e7])
  }
  return { type: 'Polygon', coordinates: [ring] }
}

/** Vertices by position, and the segments that occur an odd number of times, each from its lower-left end. */
function oddSegments(lines: readonly IntegerLine[]): { xs: number[]; ys: number[]; segments: Edge[] } {
  const xs: number[] = []
  const ys: number[] = []
  /** Columns of vertices by longitude, so that keys stay exact: a longitude and a latitude together exceed 53 bits. */
  const columns = new Map<number, Map<number, number>>()
  const vertexAt = (x: number, y: number): number => {
    let column = columns.get(x)
    if (column === undefined) columns.set(x, (column = new Map()))
    let vertex = column.get(y)
    if (vertex === undefined) {
      column.set(y, (vertex = xs.length))
      xs.push(x)
      ys.push(y)
    }
    return vertex
  }
  const counts = new Map<number, Edge & { count: number }>()
  for (const line of lines) {
    let before = -1
    for (let i = 0; i < line.length; i += 2) {
      const vertex = vertexAt(line[i]!, line[i + 1]!)
      if (before !== -1 && before !== vertex) {
        const forward = xs[before]! < xs[vertex]! || (xs[before] === xs[vertex] && ys[before]! < ys[vertex]!)
        const [from, to] = forward ? [before, vertex] : [vertex, before]
        const key = from * 67_108_864 + to
        const known = counts.get(key)
        if (known) known.count++
        else counts.set(key, { from, to, count: 1 })
      }
      before = vertex
    }
  }
  return { xs, ys, segments: [...counts.values()].filter(({ count }) => count % 2 === 1) }
}

/** Twice the signed area of a triangle: positive where c lies left of a -> b. Exact: factors stay below 2^32. */
function turn(ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number {
  const left = (bx - ax) * (cy - ay)
  const right = (by - ay) * (cx - ax)
  // Near zero the doubles' rounding could hide on which side c lies, so the exact product decides.
  if (Math.abs(left - right) > 2048 || (Math.abs(left) < 2 ** 52 && Math.abs(right) < 2 ** 52)) return left - right
  const exact = BigInt(bx - ax) * BigInt(cy - ay) - BigInt(by - ay) * BigInt(cx - ax)
  return exact > 0n ? 1 : exact < 0n ? -1 : 0
}

/** Below this many segments comparing all with all is faster than building an index. */
const INDEXED = 48

/** Whether two segments meet other than end to end. */
function anyCrossing(segments: readonly Edge[], xs: readonly number[], ys: readonly number[]): boolean {
  if (segments.length < INDEXED) return segments.some((a, i) => segments.some((b, j) => j > i && cross(a, b, xs, ys)))
  const index = new Flatbush(segments.length)
  const boxes = segments.map(
    ({ from, to }) => [xs[from]!, Math.min(ys[from]!, ys[to]!), xs[to]!, Math.max(ys[from]!, ys[to]!)] as const,
  )
  for (const box of boxes) index.add(...box)
  index.finish()
  let found = false
  for (const [i, segment] of segments.entries()) {
    index.search(...boxes[i]!, (j) => {
      if (!found && j > i && cross(segment, segments[j]!, xs, ys)) found = true
      return false
    })
    if (found) return true
  }
  return false
}

function cross(a: Edge, b: Edge, xs: readonly number[], ys: readonly number[]): boolean {
  const [ax0, ay0, ax1, ay1] = [xs[a.from]!, ys[a.from]!, xs[a.to]!, ys[a.to]!]
  const [bx0, by0, bx1, by1] = [xs[b.from]!, ys[b.from]!, xs[b.to]!, ys[b.to]!]
  if (Math.max(ay0, ay1) < Math.min(by0, by1) || Math.max(by0, by1) < Math.min(ay0, ay1)) return false
  const [a0, a1] = [turn(bx0, by0, bx1, by1, ax0, ay0), turn(bx0, by0, bx1, by1, ax1, ay1)]
  const [b0, b1] = [turn(ax0, ay0, ax1, ay1, bx0, by0), turn(ax0, ay0, ax1, ay1, bx1, by1)]
  const shared = a.from === b.from || a.from === b.to || a.to === b.from || a.to === b.to
  if (a0 === 0 && a1 === 0) {
    // On one line: they may touch end to end, but not overlap. Sorted ends make that a matter of which comes first.
    const before = (x0: number, y0: number, x1: number, y1: number) => x0 < x1 || (x0 === x1 && y0 < y1)
    return before(bx0, by0, ax1, ay1) && before(ax0, ay0, bx1, by1)
  }
  if (shared) return false
  return Math.sign(a0) * Math.sign(a1) <= 0 && Math.sign(b0) * Math.sign(b1) <= 0
}

/** The segments that meet at each vertex, by their index. */
class Stars {
  /** Counter-clockwise, by vertex. */
  readonly around: readonly (readonly number[])[]
  readonly #segments: readonly Edge[]
  /** Places of each segment in the stars of its two ends. */
  readonly #atFrom: Int32Array
  readonly #atTo: Int32Array

  constructor(segments: readonly Edge[], xs: readonly number[], ys: readonly number[]) {
    const around: number[][] = xs.map(() => [])
    for (const [i, { from, to }] of segments.entries()) {
      around[from]!.push(i)
      around[to]!.push(i)
    }
    const farEnd = (i: number, vertex: number) => (segments[i]!.from === vertex ? segments[i]!.to : segments[i]!.from)
    for (const [vertex, star] of around.entries()) {
      if (star.length < 3) continue
      const [x, y] = [xs[vertex]!, ys[vertex]!]
      const isUpper = (end: number) => ys[end]! > y || (ys[end] === y && xs[end]! > x)
      star.sort((i, j) => {
        const [a, b] = [farEnd(i, vertex), farEnd(j, vertex)]
        if (isUpper(a) !== isUpper(b)) return isUpper(a) ? -1 : 1
        return -turn(x, y, xs[a]!, ys[a]!, xs[b]!, ys[b]!)
      })
    }
    this.around = around
    this.#segments = segments
    this.#atFrom = new Int32Array(segments.length)
    this.#atTo = new Int32Array(segments.length)
    for (const [vertex, star] of around.entries()) {
      for (const [place, i] of star.entries()) {
        const places = segments[i]!.from === vertex ? this.#atFrom : this.#atTo
        places[i] = place
      }
    }
  }

  /** The place of segment `i` among those round one of its ends. */
  placeOf(i: number, vertex: number): number {
    return (this.#segments[i]!.from === vertex ? this.#atFrom : this.#atTo)[i]!
  }
}

/**
 * Directs every segment so that the inside (even-odd) lies on its left. Inside and outside alternate round a vertex,
 * and so do the segments that leave it and those that arrive; so one segment tells of all that hang together with it.
 */
function orient(segments: readonly Edge[], stars: Stars, xs: readonly number[], ys: readonly number[]): Edge[] {
  const byRay = rays(segments, xs, ys)
  const directed: (Edge | undefined)[] = segments.map(() => undefined)
  for (const [first, segment] of segments.entries()) {
    if (directed[first]) continue
    directed[first] = byRay(segment)
    const waiting = [segment.from, segment.to]
    const done = new Set<number>()
    for (let vertex = waiting.pop(); vertex !== undefined; vertex = waiting.pop()) {
      if (done.has(vertex)) continue
      done.add(vertex)
      const star = stars.around[vertex]!
      const known = star.findIndex((i) => directed[i] !== undefined)
      const leaves = directed[star[known]!]!.from === vertex
      for (const [place, i] of star.entries()) {
        const { from, to } = segments[i]!
        const end = from === vertex ? to : from
        const leaving = (place - known) % 2 === 0 ? leaves : !leaves
        directed[i] ??= leaving ? { from: vertex, to: end } : { from: end, to: vertex }
        if (!done.has(end)) waiting.push(end)
      }
    }
  }
  return directed as Edge[]
}

/** Directs one segment by what a ray from its middle crosses: downwards, or to the left from a vertical one. */
function rays(segments: readonly Edge[], xs: readonly number[], ys: readonly number[]): (segment: Edge) => Edge {
  const byLongitude = slabs(segments, xs)
  const byLatitude = slabs(segments, ys)
  return (segment) => {
    const { from, to } = segment
    const vertical = xs[from] === xs[to]
    const [along, across] = vertical ? [ys, xs] : [xs, ys]
    const start = (along[from]! + along[to]!) / 2
    const level = (across[from]! + across[to]!) / 2
    let beyond = 0
    for (const other of (vertical ? byLatitude : byLongitude)(start)) {
      if (other === segment) continue
      const [a0, a1] = [along[other.from]!, along[other.to]!]
      if (a0 > start === a1 > start) continue
      const [c0, c1] = [across[other.from]!, across[other.to]!]
      if (c0 + ((c1 - c0) * (start - a0)) / (a1 - a0) < level) beyond++
    }
    // `from` is the lower-left end. An odd count means that the side that was counted is inside: going up, it is the
    // left one; going right, the right one.
    return (beyond % 2 === 1) === vertical ? { from, to } : { from: to, to: from }
  }
}

/** The segments over each of some hundred strips of one axis, so that a ray needs to look at one strip alone. */
function slabs(segments: readonly Edge[], places: readonly number[]): (place: number) => readonly Edge[] {
  let [least, most] = [Infinity, -Infinity]
  for (const { from, to } of segments) {
    least = Math.min(least, places[from]!, places[to]!)
    most = Math.max(most, places[from]!, places[to]!)
  }
  const count = Math.max(1, Math.ceil(Math.sqrt(segments.length)))
  const width = Math.max(1, (most - least) / count)
  const strips: Edge[][] = Array.from({ length: count + 1 }, () => [])
  const strip = (place: number) => Math.min(count, Math.floor((place - least) / width))
  for (const segment of segments) {
    const [a, b] = [strip(places[segment.from]!), strip(places[segment.to]!)]
    for (let i = Math.min(a, b); i <= Math.max(a, b); i++) strips[i]!.push(segment)
  }
  return (place) => strips[strip(place)]!
}

/** Closed rings, as vertices without the repeated first; none comes back to one of its vertices. */
function traceRings(edges: readonly Edge[], stars: Stars): number[][] {
  const rings: number[][] = []
  const used = new Uint8Array(edges.length)
  for (const [first, start] of edges.entries()) {
    if (used[first] === 1) continue
    const path: number[] = [start.from]
    const placeOf = new Map<number, number>([[start.from, 0]])
    let i = first
    while (used[i] === 0) {
      used[i] = 1
      const vertex = edges[i]!.to
      const place = placeOf.get(vertex)
      if (place === undefined) {
        placeOf.set(vertex, path.length)
        path.push(vertex)
      } else {
        // The path came back to itself: what it went round is a ring of its own.
        const ring = path.splice(place + 1)
        for (const passed of ring) placeOf.delete(passed)
        rings.push([vertex, ...ring])
      }
      // Clockwise from an arriving edge lies the inside on its left, and the leaving edge at the other side of that.
      const star = stars.around[vertex]!
      i = star.at(stars.placeOf(i, vertex) - 1)!
    }
  }
  return rings
}

interface Ring {
  readonly vertices: readonly number[]
  /** Twice the signed area. */
  readonly area: number
}

/** Inner rings go into the smallest outer ring around them. */
function nest(rings: readonly number[][], xs: readonly number[], ys: readonly number[]): Geometry | AreaFault {
  const measured = rings.map((vertices): Ring => ({ vertices, area: ringArea(vertices, xs, ys) }))
  const outers = measured.filter(({ area }) => area > 0).sort((a, b) => a.area - b.area)
  if (outers.length === 0) return 'area-empty'
  const holes = new Map<Ring, Ring[]>(outers.map((outer) => [outer, []]))
  for (const inner of measured) {
    if (inner.area >= 0) continue
    const outer =
      outers.length === 1
        ? outers[0]!
        : outers.find((each) => each.area > -inner.area && contains(each.vertices, inner.vertices, xs, ys))
    if (outer === undefined) return 'area-self-intersection'
    holes.get(outer)!.push(inner)
  }
  const degrees = ({ vertices }: Ring): Position[] =>
    [...vertices, vertices[0]!].map((vertex) => [xs[vertex]! / 1e7, ys[vertex]! / 1e7])
  const polygons = outers.map((outer) => [outer, ...holes.get(outer)!].map(degrees))
  return polygons.length === 1
    ? { type: 'Polygon', coordinates: polygons[0]! }
    : { type: 'MultiPolygon', coordinates: polygons }
}

function ringArea(vertices: readonly number[], xs: readonly number[], ys: readonly number[]): number {
  const [x0, y0] = [xs[vertices[0]!]!, ys[vertices[0]!]!]
  let area = 0
  for (let i = 1; i + 1 < vertices.length; i++) {
    const [a, b] = [vertices[i]!, vertices[i + 1]!]
    area += (xs[a]! - x0) * (ys[b]! - y0) - (xs[b]! - x0) * (ys[a]! - y0)
  }
  return area
}

/** Whether a ring holds another that may touch it but not cross it: the middle of an edge that both don't share decides. */
function contains(
  outer: readonly number[],
  inner: readonly number[],
  xs: readonly number[],
  ys: readonly number[],
): boolean {
  const x = (xs[inner[0]!]! + xs[inner[1]!]!) / 2
  const y = (ys[inner[0]!]! + ys[inner[1]!]!) / 2
  let inside = false
  for (let i = 0; i < outer.length; i++) {
    const [a, b] = [outer.at(i - 1)!, outer[i]!]
    const [y0, y1] = [ys[a]!, ys[b]!]
    if (y0 > y !== y1 > y && x < xs[a]! + ((xs[b]! - xs[a]!) * (y - y0)) / (y1 - y0)) inside = !inside
  }
  return inside
}
