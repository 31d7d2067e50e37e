/** How far from an object its picture may extend, and so which ground decides what a box shows. Loads no drawing. */
import { type Box, METRES_PER_DEGREE_LATITUDE, radians } from '@skyscript/core'

/** Raise it when the same features give another picture, so that images drawn before are drawn again. */
export const DRAWING_VERSION = 2

/** Metres of shadow per metre of height when the sun is lowest. */
export const LONGEST_SHADOW = 2.2
/**
 * Metres that anything may be drawn beside the road it belongs to, or that a part of it rises above its style's height:
 * the widest road is 40 m, and a steeple casts the longest shadow, 26 m x LONGEST_SHADOW.
 */
const MARGIN = 64
/** The widest and the highest that any style may be, in metres. */
export const MOST_METRES = { width: 200, height: 150 } as const

/** Sea is told from land by the nearest coastline on the same parallel, if it is within this many degrees. */
export const COAST_REACH = 0.25
/** Degrees of longitude from a pixel at which a coastline may still decide about it. */
export const SEA_REACH = 2 * COAST_REACH

/** How far from an object's geometry its picture may extend, shadow included, in metres. */
export const reachOf = ({ width, height }: { readonly width: number; readonly height: number }): number =>
  width + height * LONGEST_SHADOW + MARGIN

/** A box in degrees, grown by at least this many metres on each side. */
export function grownBox([west, south, east, north]: Box, metres: number): Box {
  const latitude = metres / METRES_PER_DEGREE_LATITUDE
  const farthest = Math.max(Math.abs(south), Math.abs(north)) + latitude
  const longitude = latitude / Math.max(0.01, Math.cos(radians(Math.min(90, farthest))))
  return [west - longitude, south - latitude, east + longitude, north + latitude]
}

/** The box of all features that can change what is drawn in a box, or in images that extend `metres` beyond it. */
export function groundAround(box: Box, metres = 0): Box {
  const [west, south, east, north] = grownBox(box, metres + reachOf(MOST_METRES))
  return [west - SEA_REACH, south, east + SEA_REACH, north]
}
