import type { WmtsSettings } from '@skyscript/core'
import { epsgOf, gridSystemOf, WEB_MERCATOR } from '../crs/grid-system.ts'
import type { Lattice } from '../lattice.ts'
import { missing } from './map-source.ts'
import { pictureFacts, picturesOf } from './picture-facts.ts'
import type { TileSource } from './tile-source.ts'
import { mercatorFacts } from './xyz.ts'

/** Raise when tiles give other pixels. */
const TILES_VERSION = 1

/**
 * A source of the tiles of a matrix of a Web Map Tile Service (OGC 07-057r7), in its own pixels.
 *
 * @throws InputError where something is still to be read from the service: see `completeWmts`
 */
export function wmtsSource(settings: WmtsSettings): TileSource {
  const { alias, url, layer, grid, years, times } = settings
  if (grid === undefined) return missing(alias)
  const { corner, step, tile, columns, rows, template } = grid
  const system = gridSystemOf(epsgOf(grid.crs)!, alias)
  // The lattice begins in the corner of the matrix: rows of pixels south of it count down from zero.
  const lattice: Lattice = { system, west: corner[0], south: corner[1], stepX: step, stepY: step }
  const [pictures, layerOf] = picturesOf(layer, years, times)
  const facts = pictureFacts(settings, pictures)
  return {
    ...facts,
    // Of degrees, the nominal GSD is that of latitudes: pixels are narrower on the ground.
    ...(system === WEB_MERCATOR ? mercatorFacts(step, facts) : { gsd: digits(step * system.unit) }),
    kind: 'tiles',
    url,
    tilesAt: template,
    tile: { width: tile[0], height: tile[1] },
    corner: { x: corner[0], y: corner[1] },
    columns,
    rows,
    latticeIn: () => lattice,
    sizeSetting: null,
    addressOf: ({ column, row }, picture) =>
      template.replace(/(?<!\$)\{(\w+)\}/g, (token, name: string) => {
        switch (name.toLowerCase()) {
          case 'tilecol':
            return String(column)
          case 'tilerow':
            return String(row)
          case 'layer':
            return encodeURIComponent(layerOf(picture))
          case 'time':
            return encodeURIComponent(picture.name)
          default:
            return token
        }
      }),
    decides: [TILES_VERSION, layer, grid.crs, corner, step, tile, template],
  }
}

/** Four digits: centimetres of a pixel mean nothing, and texts stay short. */
const digits = (gsd: number): number => Number(gsd.toPrecision(4))
