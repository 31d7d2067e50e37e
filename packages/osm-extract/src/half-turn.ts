import { type AreaFault, assembleArea } from './assemble-area.ts'
import { MAX_LONGITUDE } from './limits.ts'
import type { IntegerLine } from './shape.ts'

/** Longitudes, in 1e-7 degree, as seen from 180 degrees, which becomes 0. */
const turned = (x: number): number => (x > 0 ? x - MAX_LONGITUDE : x + MAX_LONGITUDE)

/** Whether a step of a line goes over 180 degrees: the short way around the globe then is the other one. */
export function crossesHalfTurn(line: IntegerLine): boolean {
  for (let i = 2; i < line.length; i += 2) {
    const step = line[i]! - line[i - 2]!
    if (step > MAX_LONGITUDE || step < -MAX_LONGITUDE) return true
  }
  return false
}

const placeOn = (from: number, to: number, fromLatitude: number, toLatitude: number): number =>
  from === to ? fromLatitude : Math.round(fromLatitude + (from / (from - to)) * (toLatitude - fromLatitude))

/** The parts of a line on either side of 180 degrees, in its order; each has two places at least. */
export function cutLine(line: IntegerLine): number[][] {
  const parts: number[][] = [[line[0]!, line[1]!]]
  for (let i = 2; i < line.length; i += 2) {
    const [x0, y0, x1, y1] = [line[i - 2]!, line[i - 1]!, line[i]!, line[i + 1]!]
    if (Math.abs(x1 - x0) > MAX_LONGITUDE) {
      const side = x0 > 0 ? MAX_LONGITUDE : -MAX_LONGITUDE
      const y = placeOn(turned(x0), turned(x1), y0, y1)
      push(parts.at(-1)!, side, y)
      parts.push([-side, y])
    }
    push(parts.at(-1)!, x1, y1)
  }
  return parts.filter((part) => part.length > 2)
}

function push(line: number[], x: number, y: number): void {
  if (line.at(-2) !== x || line.at(-1) !== y) line.push(x, y)
}

/**
 * `assembleArea` on the globe: an area that crosses 180 degrees, or whose halves are drawn apart and meet there, becomes
 * polygons on either side.
 */
export function assembleOnGlobe(lines: readonly IntegerLine[]): IntegerLine[][] | AreaFault {
  if (lines.some(crossesHalfTurn)) return cutArea(lines)
  const polygons = sideBySide(lines) ?? assembleArea(lines)
  return polygons === 'area-open-ring' && isAtBothEdges(lines) ? cutArea(lines) : polygons
}

/**
 * The polygons of an area whose halves are drawn apart. Half a globe between them would leave the assembly, which looks at
 * strips of an area's box, with all edges in two strips.
 *
 * @returns null where it isn't drawn so
 */
function sideBySide(lines: readonly IntegerLine[]): IntegerLine[][] | null {
  let [least, most] = [0, 0]
  for (const line of lines) {
    const isWest = line[0]! < 0
    for (let i = 0; i < line.length; i += 2) {
      // Over 0 degrees one side could reach around the other.
      if (line[i]! < 0 !== isWest) return null
      least = Math.min(least, line[i]!)
      most = Math.max(most, line[i]!)
    }
  }
  if (least === 0 || most - least <= MAX_LONGITUDE) return null
  const [west, east] = [lines.filter((line) => line[0]! < 0), lines.filter((line) => line[0]! >= 0)]
  const sides = [assembleArea(west), assembleArea(east)]
  return sides.some((side) => typeof side === 'string') ? null : (sides as IntegerLine[][][]).flat()
}

function isAtBothEdges(lines: readonly IntegerLine[]): boolean {
  const touches = (edge: number) => lines.some((line) => line.some((x, i) => i % 2 === 0 && x === edge))
  return touches(MAX_LONGITUDE) && touches(-MAX_LONGITUDE)
}

/**
 * Cuts the boundary of an area at 180 degrees, closes each side there (where the boundary crosses, inside and outside
 * alternate) and assembles the sides.
 */
function cutArea(lines: readonly IntegerLine[]): IntegerLine[][] | AreaFault {
  const west: number[][] = []
  const east: number[][] = []
  const crossings: number[] = []
  const onEdge = new Set<number>()
  for (const line of lines) {
    let part: number[] = []
    for (let i = 0; i < line.length; i += 2) {
      const [x, y] = [turned(line[i]!), line[i + 1]!]
      if (x === 0) onEdge.add(y)
      if (i > 0) {
        const [x0, y0] = [turned(line[i - 2]!), line[i - 1]!]
        if (Math.abs(x - x0) > MAX_LONGITUDE) return 'around-the-globe'
        // What is on the edge belongs to the east.
        if (x0 < 0 !== x < 0) {
          const at = placeOn(x0, x, y0, y)
          crossings.push(at)
          onEdge.add(at)
          push(part, 0, at)
          if (x0 < 0) west.push(part)
          else east.push(part)
          part = [0, at]
        }
      }
      push(part, x, y)
    }
    if (turned(line[line.length - 2]!) < 0) west.push(part)
    else east.push(part)
  }
  const edge = edgesBetween(crossings, onEdge)
  const sides = [west, east].map((side) => assembleArea([...side, ...edge].filter((part) => part.length > 2)))
  const fault = sides.find((side) => typeof side === 'string' && side !== 'area-empty') as AreaFault | undefined
  if (fault !== undefined) return fault
  const [left, right] = sides.map((side) => (typeof side === 'string' ? [] : side)) as [
    IntegerLine[][],
    IntegerLine[][],
  ]
  if (left.length + right.length === 0) return 'area-empty'
  return [...turnedBack(left, MAX_LONGITUDE), ...turnedBack(right, -MAX_LONGITUDE)]
}

/** Along the edge from each first crossing to the next, with a vertex wherever the boundary has one. */
function edgesBetween(crossings: readonly number[], onEdge: ReadonlySet<number>): number[][] {
  const sorted = crossings.toSorted((a, b) => a - b)
  const vertices = [...onEdge].sort((a, b) => a - b)
  const edges: number[][] = []
  for (let i = 0; i + 1 < sorted.length; i += 2) {
    const inside = vertices.filter((y) => y >= sorted[i]! && y <= sorted[i + 1]!)
    edges.push(inside.flatMap((y) => [0, y]))
  }
  return edges
}

function turnedBack(polygons: readonly (readonly IntegerLine[])[], by: number): IntegerLine[][] {
  return polygons.map((rings) =>
    rings.map((ring) => Array.from(ring, (value, i) => (i % 2 === 0 ? value + by : value))),
  )
}
