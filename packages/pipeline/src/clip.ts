import { readFile } from 'node:fs/promises'
import { type Box, type Config, type Geometry, InputError, systemReason } from '@skyscript/core'
import { z } from 'zod'

const position = z.tuple([z.number().min(-360).max(360), z.number().min(-90).max(90)]).rest(z.number())
const ring = z.array(position).min(4)
const polygon = z.object({ type: z.literal('Polygon'), coordinates: z.array(ring).min(1) })
const multiPolygon = z.object({ type: z.literal('MultiPolygon'), coordinates: z.array(z.array(ring).min(1)).min(1) })
const geometry = z.union([polygon, multiPolygon])
const feature = z.object({ type: z.literal('Feature'), geometry })
const collection = z.object({ type: z.literal('FeatureCollection'), features: z.array(feature).min(1) })

/**
 * The area to keep objects of: null for all, a box (which crosses 180 degrees if west > east), or the polygons of a GeoJSON file (geometry, feature or collection).
 *
 * @param setting what names it, for messages
 * @throws InputError `bad-clip`
 */
export async function readClip(clip: Config['osm']['clip'], setting = 'osm.clip'): Promise<Box | Geometry | null> {
  if (typeof clip !== 'string') return clip
  let json: unknown
  try {
    json = JSON.parse(await readFile(clip, 'utf8'))
  } catch (error) {
    throw new InputError(
      'bad-clip',
      `${setting}: ${clip} can't be read as GeoJSON (${error instanceof SyntaxError ? 'it is not JSON' : systemReason(error)}).`,
    )
  }
  const parsed = z.union([geometry, feature, collection]).safeParse(json)
  if (!parsed.success)
    throw new InputError('bad-clip', `${setting}: ${clip} must hold a GeoJSON Polygon or MultiPolygon in degrees.`)
  const shapes =
    parsed.data.type === 'FeatureCollection'
      ? parsed.data.features.map((each) => each.geometry)
      : [parsed.data.type === 'Feature' ? parsed.data.geometry : parsed.data]
  const polygons = shapes.flatMap((shape) => (shape.type === 'Polygon' ? [shape.coordinates] : shape.coordinates))
  return {
    type: 'MultiPolygon',
    coordinates: polygons.map((rings) => rings.map((points) => points.map(([x, y]) => [x, y]))),
  }
}
