import {
  type Box,
  boxCenter,
  boxesIntersect,
  boxOf,
  coverOfBox,
  type Extent,
  type Geometry,
  geometryMeetsBox,
  linesOf,
  mapTileRange,
  mapTileRangeBox,
  type Position,
} from '@skyscript/core'
import type { SourceFacts } from './sources/source-facts.ts'

/** Where a map tile is, seen from an outline. */
type Where = 'inside' | 'at-the-edge' | 'outside'

/** Map tiles of an outline that are remembered: those of a country. */
const TILES = 50_000
/** The fraction of a tile that counts as all of it, so that rounding decides nothing. */
const WHOLE = 1 - 1e-6

const known = new WeakMap<Geometry, Map<number, Where>>()

/** Bounds and outline of an extent. Those of an extent on both sides of 180 degrees go around the globe. */
export function coveredBy(extent: Extent): Pick<SourceFacts, 'extent' | 'outline'> {
  if (!('type' in extent)) return { extent }
  const positions = [...linesOf(extent)].flat()
  const ends = (axis: 0 | 1) => {
    const values = positions.map((position) => position[axis])
    return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))] as const
  }
  const [[west, east], [south, north]] = [ends(0), ends(1)]
  return { extent: [west, south, east, north], outline: extent }
}

/** Whether a source may have images that touch a box: by its extent, and by its outline where that is known. */
export function mayCover({ extent, outline }: Pick<SourceFacts, 'extent' | 'outline'>, box: Box): boolean {
  if (!boxesIntersect(extent, box)) return false
  if (!outline) return true
  const tiles = mapTileRange(box)
  // An object is rarely larger than a map tile, and an outline rarely crosses one.
  if (tiles.west !== tiles.east || tiles.south !== tiles.north) return geometryMeetsBox(outline, box)
  const where = whereIs(outline, tiles)
  return where === 'at-the-edge' ? geometryMeetsBox(outline, box) : where === 'inside'
}

function whereIs(outline: Geometry, tile: ReturnType<typeof mapTileRange>): Where {
  const places = known.get(outline) ?? new Map<number, Where>()
  known.set(outline, places)
  const name = tile.west * 10_000 + tile.south
  let where = places.get(name)
  if (where === undefined) {
    if (places.size === TILES) places.clear()
    const box = mapTileRangeBox(tile)
    where = !geometryMeetsBox(outline, box) ? 'outside' : coverOfBox(outline, box) >= WHOLE ? 'inside' : 'at-the-edge'
    places.set(name, where)
  }
  return where
}

/** The middle of a source's extent, or of the largest part of its outline. */
export function middleOf({ extent, outline }: Pick<SourceFacts, 'extent' | 'outline'>): Position {
  if (outline?.type !== 'MultiPolygon') return boxCenter(extent)
  const parts = outline.coordinates.map((coordinates) => boxOf({ type: 'Polygon', coordinates }))
  const size = ([west, south, east, north]: Box) => (east - west) * (north - south)
  return boxCenter(parts.reduce((largest, part) => (size(part) > size(largest) ? part : largest)))
}
