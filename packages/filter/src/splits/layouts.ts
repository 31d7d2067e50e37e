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

/** What decides how a region's ground is divided, beside the settings and the seed. */
export interface Region {
  /** Degrees; its east may be above 180 where it crosses that meridian. */
  readonly extent: Box
  /** Side of a typical image of a point or line, metres. */
  readonly imageSide: number
}

/** Lattice cells along the square root of a region's area. */
const CELLS_ACROSS = 6
/** A lattice cell is no larger, metres: held-out rectangles of a country must not take whole cities. */
const LARGEST_CELL = 20_000
/**
 * A lattice cell is no smaller than this many images: with 1 % val and 3 % test, about 2.5 % of images then overlap the
 * edges of held-out ground.
 */
const IMAGES_PER_CELL = 45
/** Draws of a lattice to try. */
const LATTICE_DRAWS = 8

/** The settings' percentages as shares; none for a part of which no pairs are wanted. */
export const sharesOf = ({ split, val, test }: Pick<Config['filter'], 'split' | 'val' | 'test'>): Shares => ({
  val: val === 0 ? 0 : split.val / 100,
  test: test === 0 ? 0 : split.test / 100,
})

/**
 * The layouts to try for `filter.split`, best first: the first under which val and test both have images is taken. They
 * depend on the settings, the region and the seed only, so data that is added later moves no pair, as long as the first
 * layout had images for both before.
 *
 * With `degrees: auto`, a lattice of small rectangles is laid over a region whose images are small against it. Where they
 * are large, each inner side of held-out ground costs many images that overlap it; there val and test are side by side
 * at one edge of the region and extend beyond it.
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
  // The region's west, relative to the meridian in its middle.
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
