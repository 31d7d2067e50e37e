import {
  type Box,
  boxCenter,
  boxesIntersect,
  boxOf,
  coverOfBox,
  type Extent,
  type Geometry,
  geometryMeetsBox,
  mapTileRange,
  mapTileRangeBox,
  type Position,
} from '@skyscript/core'
import type { SourceFacts } from './sources/source-facts.ts'

/** How an outline lies to a map tile. */
type Lie = 'over' | 'across' | 'beside'

/** Map tiles of an outline that are remembered: those of a country. */
const TILES = 50_000
/** The fraction of a tile that counts as all of it, so that rounding decides nothing. */
const WHOLE = 1 - 1e-6

const known = new WeakMap<Geometry, Map<number, Lie>>()

/** Bounds and outline of an extent. */
export const coveredBy = (extent: Extent): Pick<SourceFacts, 'extent' | 'outline'> =>
  'type' in extent ? { extent: boxOf(extent), outline: extent } : { extent }

/** Whether a source may have images that touch a box: by its extent, and by its outline where that is known. */
export function mayCover({ extent, outline }: Pick<SourceFacts, 'extent' | 'outline'>, box: Box): boolean {
  if (!boxesIntersect(extent, box)) return false
  if (!outline) return true
  const tiles = mapTileRange(box)
  // An object is rarely larger than a map tile, and an outline rarely crosses one.
  if (tiles.west !== tiles.east || tiles.south !== tiles.north) return geometryMeetsBox(outline, box)
  const lie = lieOf(outline, tiles)
  return lie === 'across' ? geometryMeetsBox(outline, box) : lie === 'over'
}

function lieOf(outline: Geometry, tile: ReturnType<typeof mapTileRange>): Lie {
  const lies = known.get(outline) ?? new Map<number, Lie>()
  known.set(outline, lies)
  const name = tile.west * 10_000 + tile.south
  let lie = lies.get(name)
  if (lie === undefined) {
    if (lies.size === TILES) lies.clear()
    const box = mapTileRangeBox(tile)
    lie = !geometryMeetsBox(outline, box) ? 'beside' : coverOfBox(outline, box) >= WHOLE ? 'over' : 'across'
    lies.set(name, lie)
  }
  return lie
}

/** The middle of a source's extent, or of the largest part of its outline. */
export function middleOf({ extent, outline }: Pick<SourceFacts, 'extent' | 'outline'>): Position {
  if (outline?.type !== 'MultiPolygon') return boxCenter(extent)
  const parts = outline.coordinates.map((coordinates) => boxOf({ type: 'Polygon', coordinates }))
  const size = ([west, south, east, north]: Box) => (east - west) * (north - south)
  return boxCenter(parts.reduce((largest, part) => (size(part) > size(largest) ? part : largest)))
}
