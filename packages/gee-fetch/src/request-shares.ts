import type { PixelGrid } from './client.ts'
import { type PixelRequest, pixelsIn } from './grouping.ts'
import type { Source } from './sources/source.ts'
import type { TileSource } from './web/tile-source.ts'

/** What one source is asked for. */
export interface RequestShare {
  /** Requests for pixels, and their pixels. */
  readonly requests: number
  readonly pixels: number
  /** Requests to its host: a tile counts once, though several images may be cut from it. */
  readonly files: number
}

/** What requests ask of sources that are not in Earth Engine, by alias; null if they ask nothing of such. */
export function requestShares(
  requests: readonly PixelRequest[],
  sources: readonly Source[],
): Record<string, RequestShare> | null {
  const shares = Object.entries(Object.groupBy(requests, ({ candidate }) => candidate.source)).flatMap(
    ([alias, own = []]) => {
      const source = sources.find((each) => each.alias === alias)
      if (source === undefined || source.kind === 'earth-engine') return []
      const files = source.kind === 'tiles' ? tilesOf(own, source) : own.length
      return [[alias, { requests: own.length, pixels: pixelsIn(own), files }] as const]
    },
  )
  return shares.length === 0 ? null : Object.fromEntries(shares)
}

/** Number of different tiles. */
function tilesOf(requests: readonly PixelRequest[], source: TileSource): number {
  const tiles = new Set<string>()
  for (const { candidate, grid } of requests)
    for (const [column, row] of tilesIn(source, grid)) tiles.add(`${candidate.imageId} ${column} ${row}`)
  return tiles.size
}

/** The tiles that a grid touches, by column and row. */
export function* tilesIn(
  { tile, corner }: Pick<TileSource, 'tile' | 'corner'>,
  { west, north, width, height, stepX, stepY }: PixelGrid,
): Generator<readonly [column: number, row: number]> {
  const left = Math.round((west - corner.x) / stepX)
  const top = Math.round((corner.y - north) / stepY)
  for (let row = Math.floor(top / tile.height); row * tile.height < top + height; row++)
    for (let column = Math.floor(left / tile.width); column * tile.width < left + width; column++) yield [column, row]
}
