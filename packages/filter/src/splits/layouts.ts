import {
  type Box,
  type Config,
  METRES_PER_DEGREE_LATITUDE,
  METRES_PER_DEGREE_LONGITUDE,
  radians,
} from '@skyscript/core'
import { edgeGround } from './edge.ts'
import type { Shares } from './lattice.ts'
import { type Layout, relativeLongitude } from './splitter.ts'

/** What decides how a region's ground is divided, in addition to the settings and the seed. */
export interface Region {
  /** Degrees; east may exceed 180 if the region crosses that meridian. */
  readonly extent: Box
  /** Side of a typical image of a point or line, metres. */
  readonly imageSide: number
}

/** Number of lattice cells along the square root of a region's area. */
const CELLS_ACROSS = 6
/** Maximum side of a lattice cell, metres: the held-out rectangles of a country must not take whole cities. */
const LARGEST_CELL = 20_000
/**
 * Minimum area of a lattice cell, in images: with 1 % val and 3 % test, about 2.5 % of images then overlap the edges of
 * held-out ground.
 */
const IMAGES_PER_CELL = 45
/** Number of lattice draws to try. */
const LATTICE_DRAWS = 8

/** The settings' percentages as shares; 0 for a part without pairs. */
export const sharesOf = ({ split, val, test }: Pick<Config['filter'], 'split' | 'val' | 'test'>): Shares => ({
  val: val === 0 ? 0 : split.val / 100,
  test: test === 0 ? 0 : split.test / 100,
})

/**
 * The layouts to try for `filter.split`, best first: the first under which val and test both have images is used. They
 * depend only on the settings, the region and the seed, so data added later moves no pair, as long as the first layout
 * already had images for both.
 *
 * With `degrees: auto`, a lattice of small rectangles is used if images are small compared with the region. If they are
 * large, many images overlap each inner side of held-out ground; then val and test are next to each other at one edge of
 * the region and extend beyond it.
 */
export function layoutsFor(
  filter: Pick<Config['filter'], 'split' | 'val' | 'test'>,
  region: Region,
  seed: number,
): Layout[] {
  const { by, degrees } = filter.split
  const shares = sharesOf(filter)
  if (by === 'image') return [{ kind: 'image', ...shares }]
  if (degrees !== 'auto') return [{ kind: 'blocks', degrees, ...shares }]

  const [west, south, east, north] = region.extent
  const meridian = relativeLongitude((west + east) / 2, 0)
  // The region's west, relative to its central meridian.
  const left = (west - east) / 2
  const metresEast = METRES_PER_DEGREE_LONGITUDE * Math.max(0.01, Math.cos(radians((south + north) / 2)))
  const [width, height] = [(east - west) * metresEast, (north - south) * METRES_PER_DEGREE_LATITUDE]
  const across = Math.sqrt(width * height)
  const cell = Math.max(IMAGES_PER_CELL * region.imageSide, Math.min(across / CELLS_ACROSS, LARGEST_CELL))
  if (2 * cell <= across) {
    const columns = Math.max(1, Math.round(width / cell))
    const rows = Math.max(1, Math.round(height / cell))
    const lattice = { west: left, south, width: (east - west) / columns, height: (north - south) / rows }
    return Array.from({ length: LATTICE_DRAWS }, (_, draw) => ({
      kind: 'lattice',
      meridian,
      ...lattice,
      ...shares,
      draw,
    }))
  }
  const toDegrees = ([x0, y0, x1, y1]: Box): Box => [
    left + x0 / metresEast,
    south + y0 / METRES_PER_DEGREE_LATITUDE,
    left + x1 / metresEast,
    south + y1 / METRES_PER_DEGREE_LATITUDE,
  ]
  return edgeGround([width, height], region.imageSide, shares, seed).map((rectangles) => ({
    kind: 'edge',
    meridian,
    rectangles: rectangles.map(({ part, box }) => ({ part, box: toDegrees(box) })),
  }))
}
