import type { Box, Geometry, Position } from './records.ts'

/**
 * Metres per degree as the pixel-size formula uses them: longitude at the equator (times cos latitude), latitude on
 * average. Good to 0.6 % anywhere, and the same for every reader of a box.
 */
export const METRES_PER_DEGREE_LONGITUDE = 111_320
export const METRES_PER_DEGREE_LATITUDE = 110_540

export const radians = (degrees: number): number => (degrees * Math.PI) / 180

/** Width and height in metres of a box, at its middle latitude. */
export function boxMetres([west, south, east, north]: Box): { width: number; height: number } {
  return {
    width: (east - west) * METRES_PER_DEGREE_LONGITUDE * Math.cos(radians((south + north) / 2)),
    height: (north - south) * METRES_PER_DEGREE_LATITUDE,
  }
}

export function boxCenter([west, south, east, north]: Box): Position {
  return [(west + east) / 2, (south + north) / 2]
}

/** Boxes that only touch intersect. */
export function boxesIntersect(a: Box, b: Box): boolean {
  return a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]
}

export function boxContains(outer: Box, inner: Box): boolean {
  return outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] && outer[3] >= inner[3]
}

/** The lines of a geometry: a point's position, a line, or every ring. */
export function* linesOf(geometry: Geometry): Generator<readonly Position[]> {
  if (geometry.type === 'Point') yield [geometry.coordinates]
  else if (geometry.type === 'LineString') yield geometry.coordinates
  else if (geometry.type !== 'MultiPolygon') yield* geometry.coordinates
  else for (const polygon of geometry.coordinates) yield* polygon
}

/**
 * Bounding box of a geometry; that of a point has no extent. Of an object on both sides of 180 degrees it is that of its
 * larger side, where its image is taken; see `boxesOf`.
 */
export function boxOf(geometry: Geometry): Box {
  return boxesOf(geometry)[0]!
}

/** Boxes that hold a geometry: one, or one on each side of 180 degrees, the larger first. None goes around the globe. */
export function boxesOf(geometry: Geometry): Box[] {
  const whole = boxOfLines(linesOf(geometry))
  if (whole[2] - whole[0] <= HALF_TURN) return [whole]
  return boxesBySide([...partsOf(geometry)].map((lines) => boxOfLines(lines)))
}

/** The widest box in degrees that is not taken for one around the globe. */
export const HALF_TURN = 180

/**
 * One box on each side of 0 degrees of longitude, the larger first.
 *
 * @param parts boxes of the parts of an object wider than half a turn, in degrees or any other unit
 */
export function boxesBySide(parts: readonly Box[]): Box[] {
  const union = (a: Box, b: Box): Box => [
    Math.min(a[0], b[0]),
    Math.min(a[1], b[1]),
    Math.max(a[2], b[2]),
    Math.max(a[3], b[3]),
  ]
  const size = ([west, south, east, north]: Box) => (east - west) * (north - south) || east - west + north - south
  const sides = [parts.filter((box) => box[0] + box[2] >= 0), parts.filter((box) => box[0] + box[2] < 0)]
  return sides
    .filter((side) => side.length > 0)
    .map((side) => side.reduce(union))
    .sort((a, b) => size(b) - size(a))
}

/** The lines of each part of a geometry. */
function* partsOf(geometry: Geometry): Generator<Iterable<readonly Position[]>> {
  if (geometry.type === 'MultiPolygon') yield* geometry.coordinates
  else if (geometry.type === 'MultiLineString') for (const line of geometry.coordinates) yield [line]
  else yield linesOf(geometry)
}

function boxOfLines(lines: Iterable<readonly Position[]>): Box {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const line of lines) {
    for (const [longitude, latitude] of line) {
      if (longitude < west) west = longitude
      if (longitude > east) east = longitude
      if (latitude < south) south = latitude
      if (latitude > north) north = latitude
    }
  }
  return [west, south, east, north]
}

/**
 * The map is worked on in tiles of 0.1 x 0.1 degree, about 11 km high: the densest cities have some 200,000 objects in
 * one, which fit in memory, and an image is rarely larger.
 */
export const MAP_TILE_DEGREES = 0.1
const TILES_PER_DEGREE = 10
const COLUMNS = 360 * TILES_PER_DEGREE
const ROWS = 180 * TILES_PER_DEGREE

const column = (longitude: number) =>
  Math.min(COLUMNS - 1, Math.max(0, Math.floor((longitude + 180) * TILES_PER_DEGREE)))
const row = (latitude: number) => Math.min(ROWS - 1, Math.max(0, Math.floor((latitude + 90) * TILES_PER_DEGREE)))
const tileName = (x: number, y: number) => `x${String(x).padStart(4, '0')}_y${String(y).padStart(4, '0')}`

/** Name of the map tile that holds a position, `x1815_y1325`: column from 180 W, row from 90 S, in tenths of a degree. */
export function mapTileAt([longitude, latitude]: Position): string {
  return tileName(column(longitude), row(latitude))
}

/** Columns and rows of map tiles, both ends included. */
export interface MapTileRange {
  readonly west: number
  readonly south: number
  readonly east: number
  readonly north: number
}

/** The map tiles that a box touches. */
export function mapTileRange([west, south, east, north]: Box): MapTileRange {
  return { west: column(west), south: row(south), east: column(east), north: row(north) }
}

/** Names of all map tiles that a box touches, west to east, then south to north. */
export const mapTilesOf = (box: Box): string[] => mapTilesIn(mapTileRange(box))

/** Names of all map tiles in a range, west to east, then south to north. */
export function mapTilesIn({ west, south, east, north }: MapTileRange): string[] {
  const tiles: string[] = []
  for (let y = south; y <= north; y++) for (let x = west; x <= east; x++) tiles.push(tileName(x, y))
  return tiles
}

/** The box around all map tiles in a range, in degrees. */
export const mapTileRangeBox = ({ west, south, east, north }: MapTileRange): Box => [
  west / TILES_PER_DEGREE - 180,
  south / TILES_PER_DEGREE - 90,
  (east + 1) / TILES_PER_DEGREE - 180,
  (north + 1) / TILES_PER_DEGREE - 90,
]

export function mapTileBox(tile: string): Box {
  const match = /^x(\d{4})_y(\d{4})$/.exec(tile)
  if (!match) throw new TypeError(`"${tile}" is not the name of a map tile.`)
  const [x, y] = [Number(match[1]), Number(match[2])]
  return mapTileRangeBox({ west: x, south: y, east: x, north: y })
}
