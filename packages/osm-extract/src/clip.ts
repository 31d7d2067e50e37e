import { type Box, boxesIntersect, boxOf, type Geometry, geometryMeetsBox } from '@skyscript/core'
import { booleanIntersects } from '@turf/boolean-intersects'
import type { Geometry as GeoJson } from 'geojson'

/** A test whether a geometry meets a box or polygons in degrees; null lets everything pass. */
export function clipTest(clip: Box | Geometry | null): (geometry: Geometry) => boolean {
  if (clip === null) return () => true
  if (Array.isArray(clip)) return (geometry) => geometryMeetsBox(geometry, clip as Box)
  const area = clip as Geometry
  const box = boxOf(area)
  // turf's answer is exact but slow, so the boxes are compared first.
  return (geometry) => boxesIntersect(boxOf(geometry), box) && booleanIntersects(geometry as GeoJson, area as GeoJson)
}
