import { boxesOf, type MapTileRange, mapTileRange, mapTileRangeBox, mapTilesIn } from './geo.ts'
import { geometryMeetsBox } from './geometry-box.ts'
import type { Geometry } from './records.ts'
import { segmentIndexOf } from './segment-index.ts'

/** Degrees by which tiles are grown, so that rounding at their edges leaves none out: a hundredth of OSM's precision. */
const EDGE = 1e-9

/**
 * Names of the map tiles that any part of a geometry meets, sorted. A diagonal line meets few of the tiles that its box
 * touches, so the box is quartered, and each quarter that the geometry meets is quartered again.
 */
export function mapTilesMet(geometry: Geometry): string[] {
  const tiles = new Set<string>()
  const look = (range: MapTileRange): void => {
    const [west, south, east, north] = mapTileRangeBox(range)
    if (!geometryMeetsBox(geometry, [west - EDGE, south - EDGE, east + EDGE, north + EDGE])) return
    const [x, y] = [(range.west + range.east) >> 1, (range.south + range.north) >> 1]
    if (range.west === range.east && range.south === range.north) tiles.add(mapTilesIn(range)[0]!)
    else {
      const columns = range.west === range.east ? [[x, x]] : [[range.west, x], [x + 1, range.east]] // biome-ignore format: one line
      const rows = range.south === range.north ? [[y, y]] : [[range.south, y], [y + 1, range.north]] // biome-ignore format: one line
      for (const [bottom, top] of rows)
        for (const [left, right] of columns) look({ west: left!, south: bottom!, east: right!, north: top! })
    }
  }
  for (const box of segmentIndexOf(geometry)?.boxes ?? boxesOf(geometry)) look(mapTileRange(box))
  return [...tiles].sort()
}
