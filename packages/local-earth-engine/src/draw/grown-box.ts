import { type Box, METRES_PER_DEGREE_LATITUDE, radians } from '@skyscript/core'

/** A box in degrees, grown by at least this many metres on each side. */
export function grownBox([west, south, east, north]: Box, metres: number): Box {
  const latitude = metres / METRES_PER_DEGREE_LATITUDE
  const farthest = Math.max(Math.abs(south), Math.abs(north)) + latitude
  const longitude = latitude / Math.max(0.01, Math.cos(radians(Math.min(90, farthest))))
  return [west - longitude, south - latitude, east + longitude, north + latitude]
}
