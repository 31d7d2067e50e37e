import {
  type Box,
  METRES_PER_DEGREE_LATITUDE,
  METRES_PER_DEGREE_LONGITUDE,
  mapTileBox,
  type Position,
  radians,
} from '@skyscript/core'

/** A coordinate system whose axes follow the meridians and parallels. */
export interface GridSystem {
  readonly crs: 'EPSG:4326' | 'EPSG:3857'
  /** Degrees (WGS84) to the system's own units and back. */
  forward(position: Position): Position
  inverse(position: Position): Position
  /** What the system can show, in its own units. */
  readonly bounds: Box
}

export const DEGREES: GridSystem = {
  crs: 'EPSG:4326',
  forward: (each) => each,
  inverse: (each) => each,
  bounds: [-180, -90, 180, 90],
}

const EARTH_RADIUS = 6_378_137
const HALF_WORLD = Math.PI * EARTH_RADIUS

/** https://epsg.io/3857: metres at the equator; the poles are out of it. */
export const WEB_MERCATOR: GridSystem = {
  crs: 'EPSG:3857',
  forward: ([longitude, latitude]) => [
    EARTH_RADIUS * radians(longitude),
    EARTH_RADIUS * Math.asinh(Math.tan(radians(latitude))),
  ],
  inverse: ([x, y]) => [(x / EARTH_RADIUS) * (180 / Math.PI), Math.atan(Math.sinh(y / EARTH_RADIUS)) * (180 / Math.PI)],
  bounds: [-HALF_WORLD, -HALF_WORLD, HALF_WORLD, HALF_WORLD],
}

/** The pixels that images are cut from, counted from a corner in the south-west; the steps are in the system's units. */
export interface Lattice {
  readonly system: GridSystem
  readonly west: number
  readonly south: number
  readonly stepX: number
  readonly stepY: number
}

/**
 * The pixels of a map tile at a GSD, for sources that answer on any grid: the steps are those at the tile's centre.
 *
 * @param gsd m/pixel
 */
export function latticeOf(tile: string, gsd: number): Lattice {
  const [west, south, , north] = mapTileBox(tile)
  return {
    system: DEGREES,
    west,
    south,
    stepX: gsd / (METRES_PER_DEGREE_LONGITUDE * Math.cos(radians((south + north) / 2))),
    stepY: gsd / METRES_PER_DEGREE_LATITUDE,
  }
}

/** Metres of web mercator per pixel of a zoom level. */
export const mercatorStep = (zoom: number, tileSize: number): number => (2 * HALF_WORLD) / (tileSize * 2 ** zoom)

/** The pixels of a zoom level of the usual tiles, the same all over the world. */
export function mercatorLattice(zoom: number, tileSize: number): Lattice {
  const step = mercatorStep(zoom, tileSize)
  return { system: WEB_MERCATOR, west: -HALF_WORLD, south: -HALF_WORLD, stepX: step, stepY: step }
}

/** A rectangle of lattice pixels, counted from the south-west corner. */
export interface PixelRect {
  readonly column: number
  readonly row: number
  readonly width: number
  readonly height: number
}

/** The box of a rectangle in degrees (WGS84). */
export function boxOfRect({ system, west, south, stepX, stepY }: Lattice, rect: PixelRect): Box {
  const [w, s] = system.inverse([west + rect.column * stepX, south + rect.row * stepY])
  const [e, n] = system.inverse([west + (rect.column + rect.width) * stepX, south + (rect.row + rect.height) * stepY])
  return [w!, s!, e!, n!]
}
