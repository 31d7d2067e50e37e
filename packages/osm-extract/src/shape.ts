import { type Box, boxesBySide, type Geometry, type Position } from '@skyscript/core'
import { MAX_LONGITUDE } from './limits.ts'

/** A line as alternating longitude, latitude in 1e-7 degree, OSM's own precision. */
export type IntegerLine = readonly number[] | Int32Array

/**
 * A geometry of integers: one line for points, for lines those of its parts, as one polygon; for areas the closed rings of
 * each polygon, outer ring first. No line goes over 180 degrees.
 */
export interface Shape {
  readonly type: 'Point' | 'LineString' | 'Area'
  readonly polygons: readonly (readonly IntegerLine[])[]
}

/** GeoJSON in degrees. */
export function toGeometry({ type, polygons }: Shape): Geometry {
  const positions = (line: IntegerLine): Position[] => {
    const list: Position[] = []
    for (let i = 0; i < line.length; i += 2) list.push([line[i]! / 1e7, line[i + 1]! / 1e7])
    return list
  }
  const lines = polygons.map((polygon) => polygon.map(positions))
  if (type === 'Point') return { type, coordinates: lines[0]![0]![0]! }
  if (type === 'LineString')
    return lines[0]!.length === 1
      ? { type, coordinates: lines[0]![0]! }
      : { type: 'MultiLineString', coordinates: lines[0]! }
  return lines.length === 1 ? { type: 'Polygon', coordinates: lines[0]! } : { type: 'MultiPolygon', coordinates: lines }
}

/**
 * West, south, east, north in 1e-7 degree: one box, or one on each side of 180 degrees, as `boxesOf` of the core package
 * has them.
 */
export function boxesOfShape({ type, polygons }: Shape): Box[] {
  const outer = type === 'LineString' ? polygons[0]! : polygons.map(([ring]) => ring!)
  const whole = boxOfLines(outer)
  if (whole[2] - whole[0] <= MAX_LONGITUDE) return [whole]
  return boxesBySide(outer.map((line) => boxOfLines([line])))
}

function boxOfLines(lines: readonly IntegerLine[]): Box {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const line of lines) {
    for (let i = 0; i < line.length; i += 2) {
      const [x, y] = [line[i]!, line[i + 1]!]
      if (x < west) west = x
      if (x > east) east = x
      if (y < south) south = y
      if (y > north) north = y
    }
  }
  return [west, south, east, north]
}
