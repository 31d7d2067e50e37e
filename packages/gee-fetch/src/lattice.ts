import {
  type Box,
  METRES_PER_DEGREE_LATITUDE,
  METRES_PER_DEGREE_LONGITUDE,
  mapTileBox,
  type Position,
  radians,
} from '@skyscript/core'
import { DEGREES, type GridSystem, HALF_WORLD, isInDegrees, WEB_MERCATOR } from './crs/grid-system.ts'

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

/**
 * The pixels of a GSD in a system, counted from its origin, which is where national orthophotos begin to count. In web
 * mercator and in degrees the steps are those in the middle of the map tile.
 */
export function systemLattice(system: GridSystem, gsd: number, tile: string): Lattice {
  const origin = { system, west: 0, south: 0 }
  const [, south, , north] = mapTileBox(tile)
  const cosine = Math.cos(radians((south + north) / 2))
  if (isInDegrees(system))
    return {
      ...origin,
      stepX: gsd / (METRES_PER_DEGREE_LONGITUDE * cosine),
      stepY: gsd / METRES_PER_DEGREE_LATITUDE,
    }
  const step = system === WEB_MERCATOR ? gsd / cosine : gsd / system.unit
  return { ...origin, stepX: step, stepY: step }
}

/** A rectangle of lattice pixels, counted from the south-west corner. */
export interface PixelRect {
  readonly column: number
  readonly row: number
  readonly width: number
  readonly height: number
}

/** The box of a rectangle in degrees (WGS84), through the middles of its sides where these don't follow the meridians. */
export function boxOfRect({ system, west, south, stepX, stepY }: Lattice, rect: PixelRect): Box {
  const [w, s] = [west + rect.column * stepX, south + rect.row * stepY]
  const [e, n] = [west + (rect.column + rect.width) * stepX, south + (rect.row + rect.height) * stepY]
  const [x, y] = [(w + e) / 2, (s + n) / 2]
  return [
    system.inverse([w, y])[0]!,
    system.inverse([x, s])[1]!,
    system.inverse([e, y])[0]!,
    system.inverse([x, n])[1]!,
  ]
}

/** How often a guess is corrected: each time what is left is a hundredth of it, or less. */
const CORRECTIONS = 5

/** The rectangle of a size whose box this is; null if it isn't one of this lattice's. */
export function rectOfBox(
  lattice: Lattice,
  box: Box,
  { width, height }: { readonly width: number; readonly height: number },
): PixelRect | null {
  const { system, west, south, stepX, stepY } = lattice
  const middleOf = ([w, s, e, n]: Box): Position => {
    const [x, y] = system.forward([(w + e) / 2, (s + n) / 2])
    return [(x! - west) / stepX - width / 2, (y! - south) / stepY - height / 2]
  }
  const [aimX, aimY] = middleOf(box)
  let [column, row] = [Math.round(aimX), Math.round(aimY)]
  let own = boxOfRect(lattice, { column, row, width, height })
  for (let i = 0; i < CORRECTIONS; i++) {
    // The middle of a box is not that of its rectangle, but is as far from it in both boxes.
    const [x, y] = middleOf(own)
    const [moreX, moreY] = [Math.round(aimX - x), Math.round(aimY - y)]
    if (moreX === 0 && moreY === 0) break
    column += moreX
    row += moreY
    own = boxOfRect(lattice, { column, row, width, height })
  }
  const [pixelX, pixelY] = [(box[2] - box[0]) / width, (box[3] - box[1]) / height]
  const isOn = own.every((side, i) => Math.abs(side - box[i]!) / (i % 2 === 0 ? pixelX : pixelY) < ON_LATTICE)
  return isOn ? { column, row, width, height } : null
}

/** Of a pixel: what rounding may move a side. */
const ON_LATTICE = 1e-3
