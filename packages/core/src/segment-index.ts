import { boxesOf, linesOf } from './geo.ts'
import type { Box, Geometry, Position } from './records.ts'

/** Smaller geometries are scanned faster than indexed. */
const INDEXED_POSITIONS = 256
/** Segments in a run of the lowest level, and runs in one of the next. */
const FAN_OUT = 16

/**
 * The segments of a large geometry in their order, found by box: which of a lake's 60,000 segments are near an image
 * is answered in microseconds. Memory: about 6 bytes per position, in addition to the geometry.
 */
export interface SegmentIndex {
  readonly boxes: readonly Box[]
  /** Every ring or line, part after part. */
  readonly lines: readonly {
    readonly positions: readonly Position[]
    /** Number of the polygon or line of a multi-geometry; 0 otherwise. */
    readonly part: number
    /** Whether it is the first ring of its part. */
    readonly isOuter: boolean
  }[]
  /**
   * Calls `visit` with the ranges of segments near a box, in the order of the geometry: all that meet the box are among
   * them, and few others. Segment `i` goes from position `i - 1` to position `i` of its line.
   *
   * @param visit given the number of the line and its segments [from, to); true ends the search
   * @returns whether the search was ended
   */
  search(box: Box, visit: (line: number, from: number, to: number) => unknown): boolean
  /** By number of line, what `add` makes of 0 and of the segments [from, to) near a box, one range after the other. */
  sums(box: Box, add: (sum: number, line: readonly Position[], from: number, to: number) => number): Map<number, number>
}

const known = new WeakMap<Geometry, SegmentIndex>()

/** The index of a large geometry, made once; null for geometries that need none. */
export function segmentIndexOf(geometry: Geometry): SegmentIndex | null {
  if (!isLarge(geometry)) return null
  let index = known.get(geometry)
  if (index === undefined) known.set(geometry, (index = indexSegments(geometry)))
  return index
}

function isLarge(geometry: Geometry): boolean {
  switch (geometry.type) {
    case 'Point':
      return false
    case 'LineString':
      return geometry.coordinates.length >= INDEXED_POSITIONS
    case 'MultiPolygon': {
      let positions = 0
      for (const rings of geometry.coordinates) {
        for (const ring of rings) positions += ring.length
        if (positions >= INDEXED_POSITIONS) return true
      }
      return false
    }
    default: {
      let positions = 0
      for (const line of geometry.coordinates) positions += line.length
      return positions >= INDEXED_POSITIONS
    }
  }
}

function indexSegments(geometry: Geometry): SegmentIndex {
  const lines = [...partsOf(geometry)].flatMap((part, number) =>
    part.map((positions, ring) => ({ positions, part: number, isOuter: ring === 0 })),
  )
  // Runs of the lowest level: consecutive segments of one line.
  const runs: { line: number; from: number; to: number }[] = []
  for (const [line, { positions }] of lines.entries()) {
    for (let from = 1; from < positions.length; from += FAN_OUT)
      runs.push({ line, from, to: Math.min(positions.length, from + FAN_OUT) })
  }
  const levels = [boxesOfRuns(runs, lines)]
  while (levels.at(-1)!.length > 4) levels.push(boxesOfGroups(levels.at(-1)!))
  return {
    boxes: boxesOf(geometry),
    lines,
    search,
    sums(box, add) {
      const sums = new Map<number, number>()
      search(box, (line, from, to) => {
        sums.set(line, add(sums.get(line) ?? 0, lines[line]!.positions, from, to))
      })
      return sums
    },
  }

  function search([west, south, east, north]: Box, visit: Parameters<SegmentIndex['search']>[1]): boolean {
    /** Segments of neighbouring runs are passed on together. */
    let open: { line: number; from: number; to: number } | null = null
    const descend = (level: number, at: number): boolean => {
      const boxes = levels[level]!
      const i = 4 * at
      if (boxes[i]! > east || boxes[i + 2]! < west || boxes[i + 1]! > north || boxes[i + 3]! < south) return false
      if (level > 0) {
        const end = Math.min((at + 1) * FAN_OUT, levels[level - 1]!.length / 4)
        for (let child = at * FAN_OUT; child < end; child++) if (descend(level - 1, child)) return true
        return false
      }
      const run = runs[at]!
      if (open !== null && open.line === run.line && open.to === run.from) {
        open.to = run.to
        return false
      }
      const before = open
      open = { ...run }
      return before !== null && visit(before.line, before.from, before.to) === true
    }
    if (runs.length === 0) return false
    if (descend(levels.length - 1, 0)) return true
    const last = open as { line: number; from: number; to: number } | null
    return last !== null && visit(last.line, last.from, last.to) === true
  }
}

function partsOf(geometry: Geometry): readonly (readonly (readonly Position[])[])[] {
  switch (geometry.type) {
    case 'MultiPolygon':
      return geometry.coordinates
    case 'MultiLineString':
      return geometry.coordinates.map((line) => [line])
    default:
      return [[...linesOf(geometry)]]
  }
}

/** West, south, east, north of each run. */
function boxesOfRuns(
  runs: readonly { line: number; from: number; to: number }[],
  lines: readonly { readonly positions: readonly Position[] }[],
): Float64Array {
  const boxes = new Float64Array(runs.length * 4)
  for (const [i, { line, from, to }] of runs.entries()) {
    const { positions } = lines[line]!
    let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity]
    for (let at = from - 1; at < to; at++) {
      const [x, y] = positions[at]!
      if (x < west) west = x
      if (x > east) east = x
      if (y < south) south = y
      if (y > north) north = y
    }
    boxes.set([west, south, east, north], i * 4)
  }
  return boxes
}

function boxesOfGroups(below: Float64Array): Float64Array {
  const groups = Math.ceil(below.length / 4 / FAN_OUT)
  const boxes = new Float64Array(groups * 4)
  for (let group = 0; group < groups; group++) {
    let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity]
    const end = Math.min(below.length, (group + 1) * FAN_OUT * 4)
    for (let i = group * FAN_OUT * 4; i < end; i += 4) {
      west = Math.min(west, below[i]!)
      south = Math.min(south, below[i + 1]!)
      east = Math.max(east, below[i + 2]!)
      north = Math.max(north, below[i + 3]!)
    }
    boxes.set([west, south, east, north], group * 4)
  }
  return boxes
}
