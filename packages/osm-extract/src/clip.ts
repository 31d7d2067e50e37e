import { type Box, boxesIntersect, boxOf, type Geometry, geometryMeetsBox } from '@skyscript/core'
import { booleanIntersects } from '@turf/boolean-intersects'
import type { Geometry as GeoJson } from 'geojson'
import { boxOfShape, type Shape, toGeometry } from './shape.ts'

/** A test whether a shape meets a box or polygons in degrees; null lets everything pass. */
export function clipTest(clip: Box | Geometry | null): (shape: Shape) => boolean {
  if (clip === null) return () => true
  const area = Array.isArray(clip) ? null : (clip as Geometry)
  const box = area === null ? (clip as Box) : boxOf(area)
  // Exact answers are slow, so the boxes are compared first.
  return (shape) => {
    const [west, south, east, north] = boxOfShape(shape)
    if (!boxesIntersect([west / 1e7, south / 1e7, east / 1e7, north / 1e7], box)) return false
    const geometry = toGeometry(shape)
    return area === null ? geometryMeetsBox(geometry, box) : booleanIntersects(geometry as GeoJson, area as GeoJson)
  }
}
