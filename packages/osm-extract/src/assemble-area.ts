import { anyCrossing, type Edge, oddSegments, turn } from './segments.ts'
import type { IntegerLine } from './shape.ts'

/** Why no area can be made; names as dropped.csv counts them. */
export type AreaFault = 'around-the-globe' | 'area-empty' | 'area-open-ring' | 'area-self-intersection'

/**
 * Makes an area of the boundary lines of a closed way or of a multipolygon relation's members. Roles are not looked at:
 * they are often wrong, and only the lines decide. As libosmium does it: a segment that occurs twice cancels itself,
 * segments may meet only at their ends, every ring must close; rings that touch at a vertex are taken apart there.
 *
 * @returns the closed rings of each polygon, the outer one first, counter-clockwise; or the fault
 */
export function assembleArea(lines: readonly IntegerLine[]): IntegerLine[][] | AreaFault {
  const simple = lines.length === 1 ? simpleRing(lines[0]!) : null
  if (simple) return [[simple]]
  const { xs, ys, segments } = oddSegments(lines)
  if (segments.length === 0) return 'area-empty'
  const isOdd = new Uint8Array(xs.length)
  for (const { from, to } of segments) {
    isOdd[from]! ^= 1
    isOdd[to]! ^= 1
  }
  if (isOdd.includes(1)) return 'area-open-ring'
  if (anyCrossing(segments, xs, ys)) return 'area-self-intersection'
  const vertices = lines[0]!.length / 2 - 1
  if (lines.length === 1 && segments.length === vertices && xs.length === vertices)
    return [[counterClockwise(lines[0]!)]]
  const stars = new Stars(segments, xs, ys)
  return nest(traceRings(orient(segments, stars, xs, ys), stars), xs, ys)
}

/** Of a ring of more edges not all can be compared with all. */
const SIMPLE_RING = 40

/**
 * The area of one closed line that nothing is odd about, as nearly all buildings are: no place twice, no edges that
 * touch. The same ring, from the same vertex on, as the general way makes of it.
 *
 * @returns null where the general way must decide
 */
function simpleRing(line: IntegerLine): IntegerLine | null {
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
      // Neighbours share an end; on one line they may continue or turn back.
      const isNext = j === i + 1 || (i === 0 && j === count - 1)
      if (isNext && (j === i + 1 ? d : c) !== 0) continue
      if (isNext || c === 0 || d === 0) return null
      const [a, b] = [turn(cx, cy, dx, dy, ax, ay), turn(cx, cy, dx, dy, bx, by)]
      if (c > 0 !== d > 0 && !((a > 0 && b > 0) || (a < 0 && b < 0))) return null
    }
  }
  return area === 0 ? null : area > 0 ? line : reversed(line)
}

/** A ring that doesn't come back to any place. */
function counterClockwise(ring: IntegerLine): IntegerLine {
  const [x, y] = [ring[0]!, ring[1]!]
  let area = 0
  for (let i = 2; i + 3 < ring.length; i += 2)
    area += (ring[i]! - x) * (ring[i + 3]! - y) - (ring[i + 2]! - x) * (ring[i + 1]! - y)
  return area > 0 ? ring : reversed(ring)
}

/** From its second vertex on, where the tracing of rings begins too. */
function reversed(ring: IntegerLine): IntegerLine {
  const count = ring.length / 2 - 1
  const back: number[] = []
  for (let i = 0; i <= count; i++) {
    const vertex = (count + 1 - i) % count
    back.push(ring[2 * vertex]!, ring[2 * vertex + 1]!)
  }
  return back
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
 * Directs every segment so that the inside (even-odd) is on its left. Inside and outside alternate round a vertex,
 * and so do the segments that leave it and those that arrive; so one segment decides all that are connected with it.
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

/** The segments by strip of one axis (some hundred strips), so that a ray needs to look only at one strip. */
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
      // Clockwise from an arriving edge comes the inside, on its left, and after that the leaving edge.
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
function nest(rings: readonly number[][], xs: readonly number[], ys: readonly number[]): IntegerLine[][] | AreaFault {
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
  const closed = ({ vertices }: Ring): IntegerLine =>
    [...vertices, vertices[0]!].flatMap((vertex) => [xs[vertex]!, ys[vertex]!])
  return outers.map((outer) => [outer, ...holes.get(outer)!].map(closed))
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
