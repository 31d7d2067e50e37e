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
  const { xs, ys, segments } = oddSegments(lines)
  if (segments.length === 0) return 'area-empty'
  const degrees = new Map<number, number>()
  for (const { from, to } of segments) {
    degrees.set(from, (degrees.get(from) ?? 0) + 1)
    degrees.set(to, (degrees.get(to) ?? 0) + 1)
  }
  for (const degree of degrees.values()) if (degree % 2 === 1) return 'area-open-ring'
  if (anyCrossing(segments, xs, ys)) return 'area-self-intersection'
  const rings = traceRings(orient(segments, xs, ys), xs, ys)
  return nest(rings, xs, ys)
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

/** Directs every segment so that the inside (even-odd) lies on its left. */
function orient(segments: readonly Edge[], xs: readonly number[], ys: readonly number[]): Edge[] {
  const bySlab = slabs(segments, xs)
  return segments.map((segment) => {
    const { from, to } = segment
    const vertical = xs[from] === xs[to]
    // A ray from the segment's middle, downwards, or to the left for a vertical one; counts what lies beyond it.
    const middleX = (xs[from]! + xs[to]!) / 2
    const middleY = (ys[from]! + ys[to]!) / 2
    let beyond = 0
    if (vertical) {
      for (const other of segments) {
        if (other === segment) continue
        const [y0, y1] = [ys[other.from]!, ys[other.to]!]
        if (y0 > middleY === y1 > middleY) continue
        const x = xs[other.from]! + ((xs[other.to]! - xs[other.from]!) * (middleY - y0)) / (y1 - y0)
        if (x < middleX) beyond++
      }
      // from is the lower end: going up, the left side is the one that was counted.
      return beyond % 2 === 1 ? { from, to } : { from: to, to: from }
    }
    for (const other of bySlab(middleX)) {
      if (other === segment) continue
      const [x0, x1] = [xs[other.from]!, xs[other.to]!]
      if (x0 > middleX === x1 > middleX) continue
      const y = ys[other.from]! + ((ys[other.to]! - ys[other.from]!) * (middleX - x0)) / (x1 - x0)
      if (y < middleY) beyond++
    }
    // Going right, the left side is above; an odd count means that below is inside.
    return beyond % 2 === 1 ? { from: to, to: from } : { from, to }
  })
}

/** The segments over each of some hundred strips of longitude, so that a ray needs to look at one strip alone. */
function slabs(segments: readonly Edge[], xs: readonly number[]): (x: number) => readonly Edge[] {
  let [west, east] = [Infinity, -Infinity]
  for (const { from, to } of segments) {
    west = Math.min(west, xs[from]!)
    east = Math.max(east, xs[to]!)
  }
  const count = Math.max(1, Math.ceil(Math.sqrt(segments.length)))
  const width = Math.max(1, (east - west) / count)
  const strips: Edge[][] = Array.from({ length: count + 1 }, () => [])
  const strip = (x: number) => Math.min(count, Math.floor((x - west) / width))
  for (const segment of segments) {
    for (let i = strip(xs[segment.from]!); i <= strip(xs[segment.to]!); i++) strips[i]!.push(segment)
  }
  return (x) => strips[strip(x)]!
}

/** Closed rings, as vertices without the repeated first; at a vertex of several rings the leftmost way on is taken. */
function traceRings(edges: readonly Edge[], xs: readonly number[], ys: readonly number[]): number[][] {
  const leaving = new Map<number, Edge[]>()
  for (const edge of edges) {
    const list = leaving.get(edge.from)
    if (list) list.push(edge)
    else leaving.set(edge.from, [edge])
  }
  const rings: number[][] = []
  const used = new Set<Edge>()
  for (const start of edges) {
    if (used.has(start)) continue
    const path: number[] = [start.from]
    const placeOf = new Map<number, number>([[start.from, 0]])
    let edge: Edge | undefined = start
    while (edge !== undefined) {
      used.add(edge)
      const vertex: number = edge.to
      const place = placeOf.get(vertex)
      if (place === undefined) {
        placeOf.set(vertex, path.length)
        path.push(vertex)
      } else {
        // The path came back to itself: what it went round is a ring of its own.
        const ring = path.splice(place + 1)
        for (const passed of ring) placeOf.delete(passed)
        rings.push([vertex, ...ring])
        if (path.length === 1 && place === 0 && !leaving.get(vertex)!.some((next) => !used.has(next))) break
      }
      edge = leftmost(
        edge,
        leaving.get(vertex)!.filter((next) => !used.has(next)),
        xs,
        ys,
      )
    }
  }
  return rings
}

function leftmost(
  edge: Edge,
  choices: readonly Edge[],
  xs: readonly number[],
  ys: readonly number[],
): Edge | undefined {
  if (choices.length < 2) return choices[0]
  const heading = Math.atan2(ys[edge.to]! - ys[edge.from]!, xs[edge.to]! - xs[edge.from]!)
  let [best, bestTurn] = [choices[0]!, -Infinity]
  for (const choice of choices) {
    let left = Math.atan2(ys[choice.to]! - ys[choice.from]!, xs[choice.to]! - xs[choice.from]!) - heading
    if (left > Math.PI) left -= 2 * Math.PI
    if (left <= -Math.PI) left += 2 * Math.PI
    if (left > bestTurn) [best, bestTurn] = [choice, left]
  }
  return best
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
