import type { Box, Geometry, Position } from '@skyscript/core'

/** A line as alternating longitude, latitude in 1e-7 degree, OSM's own precision. */
export type IntegerLine = readonly number[] | Int32Array

/** A geometry of integers: one line for points and lines, for areas the closed rings of each polygon, outer ring first. */
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
  if (type === 'LineString') return { type, coordinates: lines[0]![0]! }
  return lines.length === 1 ? { type: 'Polygon', coordinates: lines[0]! } : { type: 'MultiPolygon', coordinates: lines }
}

/** West, south, east, north in 1e-7 degree. */
export function boxOfShape({ polygons }: Shape): Box {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const [outer] of polygons) {
    const line = outer!
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
