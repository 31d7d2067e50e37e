import {
  type Box,
  boxCenter,
  boxContains,
  boxMetres,
  boxOf,
  type Config,
  coverOfBox,
  type FocusObject,
  type Geometry,
  linesOf,
  type MapTileRange,
  METRES_PER_DEGREE_LATITUDE,
  METRES_PER_DEGREE_LONGITUDE,
  mapTileBox,
  mapTileRange,
  type Position,
  radians,
  seededFraction,
  seededIndex,
} from '@skyscript/core'

export interface BoxSettings {
  readonly tiles: Config['tiles']
  readonly seed: number
}

/** A box of whole lattice pixels. */
export interface PixelBox {
  readonly box: Box
  readonly width: number
  readonly height: number
}

/** The pixels of a map tile at a GSD, counted from its south-west corner; the steps (degrees) are those at its centre. */
export interface Lattice {
  readonly west: number
  readonly south: number
  readonly stepX: number
  readonly stepY: number
}

/** @param gsd m/pixel */
export function latticeOf(tile: string, gsd: number): Lattice {
  const [west, south, , north] = mapTileBox(tile)
  return {
    west,
    south,
    stepX: gsd / (METRES_PER_DEGREE_LONGITUDE * Math.cos(radians((south + north) / 2))),
    stepY: gsd / METRES_PER_DEGREE_LATITUDE,
  }
}

/** Padding around an area, as a fraction of its box on each side. */
const PADDING = 0.1

/** Size in pixels of an area's image at a GSD; a side shorter than `minPixels` is padded up to it. */
export function areaPixels(
  box: Box,
  gsd: number,
  { minPixels, maxPixels }: Config['tiles'],
): { width: number; height: number } | 'too-small' | 'too-large' {
  const { width, height } = boxMetres(box)
  const side = (metres: number) => Math.ceil((metres * (1 + 2 * PADDING)) / gsd)
  const longer = Math.max(side(width), side(height))
  // An area that would fill less than half of the smallest image is too small to be its subject.
  if (longer < minPixels / 2) return 'too-small'
  if (longer > maxPixels) return 'too-large'
  return { width: Math.max(minPixels, side(width)), height: Math.max(minPixels, side(height)) }
}

/**
 * The box of an object's image (paper, section "Image selection"): a square around a point or around a random node of a
 * line, or the padded bounding box of an area. It is then shifted at random by up to `tiles.shift` of a side in each
 * direction. That is less than half a side, so a point stays inside; an area's shift is reduced until half of the area
 * is in view.
 *
 * The box snaps to the lattice of its map tile at the GSD, so that images of neighbours can be cut out of one larger
 * image. Near 180 degrees and the poles the box is moved to stay on the map; for an object on both sides of 180 degrees
 * it shows the larger part.
 *
 * @returns the box by GSD (m/pixel), with the same random shift at each; null if the image would be too small or too
 * large, or the map has no room for it
 */
export function boxesFor(
  focus: FocusObject,
  tile: string,
  { tiles, seed }: BoxSettings,
): (gsd: number) => PixelBox | null {
  const bounds = boxOf(focus.geometry)
  const isArea = focus.geometry.type === 'Polygon' || focus.geometry.type === 'MultiPolygon'
  const [x, y] = isArea ? boxCenter(bounds) : anchorOf(focus, tile, seed)
  const shift = (purpose: string) => (2 * seededFraction(seed, purpose, focus.id) - 1) * tiles.shift
  const [shiftX, shiftY] = [shift('shift-x'), shift('shift-y')]
  return (gsd) => {
    const size = isArea ? areaPixels(bounds, gsd, tiles) : { width: tiles.pointPixels, height: tiles.pointPixels }
    if (typeof size === 'string') return null
    const { west, south, stepX, stepY } = latticeOf(tile, gsd)
    const shiftedBy = (part: number): Box => {
      const column = within(
        Math.round((x - west) / stepX + size.width * (part * shiftX - 0.5)),
        (-180 - west) / stepX,
        (180 - west) / stepX - size.width,
      )
      const row = within(
        Math.round((y - south) / stepY + size.height * (part * shiftY - 0.5)),
        (-90 - south) / stepY,
        (90 - south) / stepY - size.height,
      )
      return [
        west + column * stepX,
        south + row * stepY,
        west + (column + size.width) * stepX,
        south + (row + size.height) * stepY,
      ]
    }
    const part = isArea ? PARTS_OF_SHIFT.find((each) => halfIsIn(focus.geometry, bounds, shiftedBy(each))) : 1
    const box = shiftedBy(part ?? 0)
    if (box[0] < -180 || box[2] > 180 || box[1] < -90 || box[3] > 90) return null
    return { box, ...size }
  }
}

/** `place` rounded to a whole number between `least` and `most`, even where rounding would exceed `most`. */
const within = (place: number, least: number, most: number): number =>
  Math.max(Math.ceil(least - 1e-9), Math.min(Math.floor(most - 1e-9), place))

/** An area that the shift would push mostly out of view is shifted by less; with no shift its whole box is in view. */
const PARTS_OF_SHIFT = [1, 0.5, 0.25, 0]

function halfIsIn(area: Geometry, bounds: Box, box: Box): boolean {
  if (boxContains(box, bounds)) return true
  const squareDegrees = ([w, s, e, n]: Box) => (e - w) * (n - s)
  return coverOfBox(area, box) * squareDegrees(box) >= 0.5 * coverOfBox(area, bounds) * squareDegrees(bounds)
}

const isIn = ([x, y]: Position, tile: MapTileRange): boolean => {
  const { west, south } = mapTileRange([x, y, x, y])
  return west === tile.west && south === tile.south
}

/**
 * The point itself; for a line one of its nodes, preferably one inside its map tile, because the known images are those
 * of the tile.
 */
function anchorOf(focus: FocusObject, tile: string, seed: number): Position {
  const { geometry } = focus
  if (geometry.type === 'Point') return geometry.coordinates
  const nodes = [...linesOf(geometry)].flat()
  const of = mapTileRange(boxOf({ type: 'Point', coordinates: boxCenter(mapTileBox(tile)) }))
  const here = nodes.filter((node) => isIn(node, of))
  const choice = here.length > 0 ? here : nodes
  return choice[seededIndex(seed, 'node-of-line', focus.id, choice.length)]!
}
