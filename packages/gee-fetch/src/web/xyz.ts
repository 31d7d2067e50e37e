import { type Box, isTileJson, radians, type XyzSettings } from '@skyscript/core'
import { middleOf } from '../coverage.ts'
import { HALF_WORLD } from '../crs/grid-system.ts'
import { mercatorLattice, mercatorStep } from '../lattice.ts'
import type { SourceFacts } from '../sources/source-facts.ts'
import { unknownPixels } from './map-source.ts'
import { onePicture, pictureFacts } from './picture-facts.ts'
import type { TileSource } from './tile-source.ts'

/** Raise when tiles give other pixels. */
const TILES_VERSION = 1

/** Until a TileJSON has said its own: most have aerial pictures. */
const UNKNOWN_ZOOM = 18

/** A source of image tiles in web mercator, as web maps show them. */
export function xyzSource(described: XyzSettings): TileSource {
  const { tileSize, zoom = [0, UNKNOWN_ZOOM], url, ...settings } = described
  const [first, last] = zoom
  const lattice = mercatorLattice(last, tileSize)
  const facts = pictureFacts(settings, onePicture(String(last), settings.years))
  return {
    ...facts,
    ...mercatorFacts(mercatorStep(last, tileSize), facts),
    kind: 'tiles',
    url,
    tile: { width: tileSize, height: tileSize },
    corner: { x: -HALF_WORLD, y: HALF_WORLD },
    sizeSetting: 'tileSize',
    coarserBy: (factor) => {
      const level = last - Math.log2(factor)
      // Its images are those of the same picture.
      const { pictures } = facts
      return level < first ? null : { ...xyzSource({ ...described, zoom: [first, level] }), pictures }
    },
    ...(isTileJson(url)
      ? unknownPixels(settings.alias)
      : {
          latticeIn: () => lattice,
          addressOf: ({ column, row }) => tileUrl(url, last, column, row),
          decides: [TILES_VERSION, url, last, tileSize],
        }),
  }
}

/** The square that tiles of web mercator cover, degrees. */
const WORLD: Box = [-180, -85.0511, 180, 85.0511]

/** Of pixels of web mercator: their GSD on the ground, and the ground that they can show. */
export function mercatorFacts(
  step: number,
  covered: Pick<SourceFacts, 'extent' | 'outline'>,
): Required<Pick<SourceFacts, 'gsd' | 'gsdAt' | 'extent'>> {
  // Four digits: centimetres of a pixel mean nothing, and texts stay short.
  const gsdAt = (latitude: number) => Number((step * Math.cos(radians(latitude))).toPrecision(4))
  const [west, south, east, north] = covered.extent
  const extent: Box = [west, Math.max(south, WORLD[1]), east, Math.min(north, WORLD[3])]
  return { gsd: gsdAt(middleOf({ ...covered, extent })[1]), gsdAt, extent }
}

/**
 * The address of a tile. Tokens as in OSM's editor layer index
 * (https://github.com/osmlab/editor-layer-index/blob/gh-pages/CONTRIBUTING.md): `{z}` or `{zoom}`, `{x}`, `{y}` counted
 * from the north, `{-y}` from the south, `{switch:a,b,c}`.
 */
export function tileUrl(template: string, zoom: number, x: number, y: number): string {
  const values: Readonly<Record<string, number>> = { z: zoom, zoom, x, y, '-y': 2 ** zoom - 1 - y }
  return template.replace(/(?<!\$)\{([^}]+)\}/g, (token, name: string) => {
    const hosts = /^switch:(.+)$/.exec(name)?.[1]?.split(',')
    // The same tile always of the same server, which may have it at hand.
    return hosts ? hosts[(x + y) % hosts.length]! : String(values[name] ?? token)
  })
}
