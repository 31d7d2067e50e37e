import { type Box, boxesIntersect, boxesOf, type Geometry, geometryMeetsBox, InputError } from '@skyscript/core'
import { booleanIntersects } from '@turf/boolean-intersects'
import type { Geometry as GeoJson } from 'geojson'
import { assembleOnGlobe, crossesHalfTurn } from './half-turn.ts'
import { MAX_LONGITUDE } from './limits.ts'
import { type Shape, toGeometry } from './shape.ts'

/** What objects must meet: one of some boxes, or polygons; nothing of it crosses 180 degrees. null: anything. */
export type Clip = readonly Box[] | Geometry | null

/**
 * @param clip a box in degrees, which crosses 180 degrees where west > east, or polygons, which may cross it in any way:
 * cut there, stepping from one side to the other, or with longitudes beyond it
 * @throws InputError `bad-clip` where a polygon that crosses it is none
 */
export function clipOf(clip: Box | Geometry | null): Clip {
  if (clip === null) return null
  if (isBox(clip)) {
    const [west, south, east, north] = clip
    if (west <= east) return [clip]
    const sides: Box[] = [
      [west, south, 180, north],
      [-180, south, east, north],
    ]
    return sides.filter((side) => side[0] < side[2])
  }
  if (clip.type !== 'Polygon' && clip.type !== 'MultiPolygon') return clip
  const polygons = clip.type === 'Polygon' ? [clip.coordinates] : clip.coordinates
  return { type: 'MultiPolygon', coordinates: polygons.flatMap(onGlobe) }
}

const isBox = (clip: Box | Geometry): clip is Box => Array.isArray(clip)

type Rings = Extract<Geometry, { type: 'Polygon' }>['coordinates']

function onGlobe(rings: Rings): readonly Rings[] {
  const lines = rings.map((ring) => ring.flatMap(([x, y]) => [wrapped(Math.round(x * 1e7)), Math.round(y * 1e7)]))
  const isBeyond = rings.some((ring) => ring.some(([x]) => Math.abs(x) > 180))
  if (!isBeyond && !lines.some(crossesHalfTurn)) return [rings]
  const polygons = assembleOnGlobe(lines)
  if (typeof polygons === 'string')
    throw new InputError(
      'bad-clip',
      'osm.clip: a polygon crosses 180 degrees, and can not be cut there; cut it in two.',
    )
  const cut = toGeometry({ type: 'Area', polygons })
  return cut.type === 'MultiPolygon' ? cut.coordinates : [cut.coordinates as Rings]
}

/** A longitude in 1e-7 degree within half a turn. */
function wrapped(x: number): number {
  return x > MAX_LONGITUDE ? x - 2 * MAX_LONGITUDE : x < -MAX_LONGITUDE ? x + 2 * MAX_LONGITUDE : x
}

/** A test whether a shape meets a clip. @returns a function of the shape and its boxes in 1e-7 degree */
export function clipTest(clip: Clip): (shape: Shape, boxes: readonly Box[]) => boolean {
  if (clip === null) return () => true
  const area = Array.isArray(clip) ? null : (clip as Geometry)
  const clipBoxes = area === null ? (clip as readonly Box[]) : boxesOf(area)
  // Exact answers are slow, so the boxes are compared first.
  return (shape, boxes) => {
    const isNear = boxes.some(([west, south, east, north]) =>
      clipBoxes.some((box) => boxesIntersect([west / 1e7, south / 1e7, east / 1e7, north / 1e7], box)),
    )
    if (!isNear) return false
    const geometry = toGeometry(shape)
    return area === null
      ? clipBoxes.some((box) => geometryMeetsBox(geometry, box))
      : booleanIntersects(geometry as GeoJson, area as GeoJson)
  }
}
