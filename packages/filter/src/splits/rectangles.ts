import {
  type Box,
  type Config,
  METRES_PER_DEGREE_LATITUDE,
  METRES_PER_DEGREE_LONGITUDE,
  radians,
} from '@skyscript/core'
import type { HeldOut, Part, Region, Splitter } from './criterion.ts'

/** Longitudes are counted from here, -180 to 180, so that a region may cross 180 degrees. */
export interface Meridian {
  readonly meridian: number
}

/** A rectangle of held-out ground, degrees; may be unbounded. Longitudes are relative to a meridian. */
export interface Rectangle {
  readonly part: HeldOut
  readonly box: Box
}

/**
 * An overlap of an image and ground that is thinner than this (degrees) is a rounding error: the edges of boxes and of
 * ground are rounded separately. Two such slivers together are thinner than a tenth of a millimetre.
 */
export const SLIVER = 4e-10
/** Number of lattice cells along the square root of a region's area. */
const CELLS_ACROSS = 6
/** Maximum side of a lattice cell, metres: the held-out rectangles of a country must not take whole cities. */
const LARGEST_CELL = 20_000
/**
 * Minimum area of a lattice cell, in images: with 1 % val and 3 % test, about 2.5 % of images then overlap the edges of
 * held-out ground.
 */
const IMAGES_PER_CELL = 45
/** Maximum percentage of a part that has rectangles in a lattice: each must fit into a quarter of its cell. */
const LARGEST_SHARE = 25

/** A region's ground for `filter.split.degrees: auto`, measured. */
export interface Ground extends Meridian {
  /** The region's west, degrees relative to its central meridian. */
  readonly left: number
  readonly south: number
  readonly metresPerDegreeEast: number
  /** Metres. */
  readonly size: readonly [width: number, height: number]
  /** The side of a lattice cell in metres; null if held-out rectangles would not fit, or too many images would overlap them. */
  readonly cell: number | null
}

/** Null if the settings ask for something else than ground that fits the region. */
export function autoGround(
  { by, degrees, benchmark = 0 }: Config['filter']['split'],
  { extent: [west, south, east, north], imageSide }: Region,
): Ground | null {
  if (by !== 'block' || degrees !== 'auto') return null
  const metresPerDegreeEast = METRES_PER_DEGREE_LONGITUDE * Math.max(0.01, Math.cos(radians((south + north) / 2)))
  const [width, height] = [(east - west) * metresPerDegreeEast, (north - south) * METRES_PER_DEGREE_LATITUDE]
  const across = Math.sqrt(width * height)
  const cell = Math.max(IMAGES_PER_CELL * imageSide, Math.min(across / CELLS_ACROSS, LARGEST_CELL))
  return {
    ...{ meridian: relativeLongitude((west + east) / 2, 0), left: (west - east) / 2, south },
    ...{
      metresPerDegreeEast,
      size: [width, height],
      cell: 2 * cell <= across && benchmark <= LARGEST_SHARE ? cell : null,
    },
  }
}

/** @param near held-out rectangles that may overlap a box */
export function rectangleSplitter(meridian: number, near: (box: Box) => readonly Rectangle[]): Splitter {
  return (_id, [west, south, east, north]) => {
    const left = relativeLongitude(west, meridian)
    const box: Box = [left, south, left + (east - west), north]
    let part: Part = 'train'
    for (const rectangle of near(box)) {
      if (!overlaps(box, rectangle.box)) continue
      if (part !== 'train' || !contains(rectangle.box, box)) return 'straddling'
      part = rectangle.part
    }
    return part
  }
}

/** Degrees east of a meridian, at least -180 and below 180. */
const relativeLongitude = (longitude: number, meridian: number): number =>
  ((((longitude - meridian + 180) % 360) + 360) % 360) - 180

const overlaps = (a: Box, b: Box): boolean =>
  Math.min(a[2], b[2]) - Math.max(a[0], b[0]) > SLIVER && Math.min(a[3], b[3]) - Math.max(a[1], b[1]) > SLIVER

const contains = (outer: Box, inner: Box): boolean =>
  inner[0] >= outer[0] - SLIVER &&
  inner[1] >= outer[1] - SLIVER &&
  inner[2] <= outer[2] + SLIVER &&
  inner[3] <= outer[3] + SLIVER
