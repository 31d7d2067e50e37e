import { type Box, boxMetres, type Geometry } from '@skyscript/core'
import { meanPoint } from '../mean-point.ts'
import { DIRECTIONS, type Direction, type SurroundingRule } from './surrounding.ts'

/** Nearer than this part of the image's shorter side an object is around the focus object, not on a side of it. */
const AROUND = 0.1

/** An extra: each object is said to lie north, northeast ... of the focus object, by the mean points of what the image shows. */
export const directions: SurroundingRule = {
  name: 'directions',
  apply(objects, { focus, box }) {
    if (box === null || focus.geometry === null) return objects
    const center = focus.geometry
    return objects.map((object) => ({ ...object, direction: directionOf(object.geometry, center, box) }))
  },
}

/** null for an object around the focus object, or of which the image shows nothing that has a middle. */
function directionOf(geometry: Geometry | null, focus: Geometry, box: Box): Direction | null {
  const from = meanPoint(focus, box)
  const to = geometry === null ? null : meanPoint(geometry, box)
  if (from === null || to === null) return null
  const { width, height } = boxMetres(box)
  const east = ((to[0] - from[0]) / (box[2] - box[0])) * width
  const north = ((to[1] - from[1]) / (box[3] - box[1])) * height
  if (Math.hypot(east, north) < AROUND * Math.min(width, height)) return null
  const eighth = Math.round(Math.atan2(north, east) / (Math.PI / 4))
  return DIRECTIONS[(eighth + 8) % 8]!
}
