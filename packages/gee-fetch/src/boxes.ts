import {
  type Box,
  boxCenter,
  boxContains,
  boxMetres,
  boxOf,
  type Config,
  coverOfBox,
  type FocusObject,
  linesOf,
  type MapTileRange,
  mapTileBox,
  mapTileRange,
  once,
  type Position,
  seededFraction,
  seededIndex,
} from '@skyscript/core'
import { boxOfRect, type Lattice, latticeOf } from './lattice.ts'
import { gsdOf, type Source } from './sources/source.ts'

export interface BoxSettings {
  readonly tiles: Config['tiles']
  readonly seed: number
}

/** A source as boxes see it: its GSD and, where images are cut from pixels of its own, those. */
export type PixelSource = Pick<Source, 'gsd' | 'latticeIn' | 'gsdAt'>

/** A box of whole lattice pixels, and their GSD on the ground (m/pixel). */
export interface PixelBox {
  readonly gsd: number
  readonly box: Box
  readonly width: number
  readonly height: number
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
 * @returns by object and source the box, with the same random shift at each; null if the image would be too small or too
 * large, or the map has no room for it
 */
export function boxesIn(
  tile: string,
  { tiles, seed }: BoxSettings,
): (focus: FocusObject) => (source: PixelSource) => PixelBox | null {
  const lattices = new Map<PixelSource, Lattice>()
  const latticeFor = (source: PixelSource, gsd: number) => {
    const lattice = lattices.get(source) ?? source.latticeIn?.(tile) ?? latticeOf(tile, gsd)
    lattices.set(source, lattice)
    return lattice
  }
  const latitude = boxCenter(mapTileBox(tile))[1]
  const range = mapTileRange(boxOf({ type: 'Point', coordinates: boxCenter(mapTileBox(tile)) }))
  return (focus) => {
    const { id, box: bounds, isArea } = focus
    const [x, y] = isArea ? boxCenter(bounds) : anchorOf(focus, range, seed)
    const shift = (purpose: string) => (2 * seededFraction(seed, purpose, id) - 1) * tiles.shift
    const [shiftX, shiftY] = [shift('shift-x'), shift('shift-y')]
    const halfIsIn = once(() => halfOf(focus))
    const isInView = (box: Box) => !isArea || boxContains(box, bounds) || halfIsIn()(box)
    return (source) => {
      const gsd = gsdOf(source, latitude)
      const size = isArea ? areaPixels(bounds, gsd, tiles) : { width: tiles.pointPixels, height: tiles.pointPixels }
      if (typeof size === 'string') return null
      const lattice = latticeFor(source, gsd)
      const { system, west, south, stepX, stepY } = lattice
      const [leastX, leastY, mostX, mostY] = system.bounds
      const [middleX, middleY] = system.forward([x, y])
      const shiftedBy = (part: number): Box => {
        const column = within(
          Math.round((middleX! - west) / stepX + size.width * (part * shiftX - 0.5)),
          (leastX - west) / stepX,
          (mostX - west) / stepX - size.width,
        )
        const row = within(
          Math.round((middleY! - south) / stepY + size.height * (part * shiftY - 0.5)),
          (leastY - south) / stepY,
          (mostY - south) / stepY - size.height,
        )
        return boxOfRect(lattice, { column, row, ...size })
      }
      let box = shiftedBy(1)
      for (let i = 0; i < SMALLER_SHIFTS.length && !isInView(box); i++) box = shiftedBy(SMALLER_SHIFTS[i]!)
      // Systems of metres have ground on both sides of 180 degrees; a box can't.
      if (box[0] >= box[2] || box[0] < -180 || box[2] > 180 || box[1] < -90 || box[3] > 90) return null
      return { gsd, box, ...size }
    }
  }
}

/** `place` rounded to a whole number between `least` and `most`, even where rounding would exceed `most`. */
const within = (place: number, least: number, most: number): number =>
  Math.max(Math.ceil(least - 1e-9), Math.min(Math.floor(most - 1e-9), place))

/** An area that the shift would push mostly out of view is shifted by less; with no shift its whole box is in view. */
const SMALLER_SHIFTS = [0.5, 0.25, 0]

/** Whether a box shows half of an area. */
function halfOf({ geometry, box: bounds }: FocusObject): (box: Box) => boolean {
  const area = geometry()
  const shownBy = (box: Box) => coverOfBox(area, box) * ((box[2] - box[0]) * (box[3] - box[1]))
  const whole = shownBy(bounds)
  return (box) => shownBy(box) >= 0.5 * whole
}

const isIn = ([x, y]: Position, tile: MapTileRange): boolean => {
  const { west, south } = mapTileRange([x, y, x, y])
  return west === tile.west && south === tile.south
}

/**
 * The point itself; for a line one of its nodes, preferably one inside its map tile, because the known images are those
 * of the tile.
 */
function anchorOf(
  { id, box: [west, south, east, north], geometry }: FocusObject,
  tile: MapTileRange,
  seed: number,
): Position {
  if (west === east && south === north) return [west, south]
  const nodes = [...linesOf(geometry())].flat()
  const here = nodes.filter((node) => isIn(node, tile))
  const choice = here.length > 0 ? here : nodes
  return choice[seededIndex(seed, 'node-of-line', id, choice.length)]!
}
