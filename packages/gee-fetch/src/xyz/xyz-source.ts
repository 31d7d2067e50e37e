import { type Box, radians } from '@skyscript/core'
import { type Lattice, mercatorLattice, mercatorStep } from '../lattice.ts'
import type { SourceFacts } from '../sources/source-facts.ts'

/** A source of image tiles in web mercator, as web maps show them. */
export interface XyzSource extends SourceFacts {
  readonly kind: 'xyz'
  /** Template of a tile's address; secrets in it are still placeholders. */
  readonly url: string
  /** Levels that the service has; images are of the last. */
  readonly zoom: readonly [first: number, last: number]
  /** Pixels of a tile's side. */
  readonly tileSize: 256 | 512
  /** Year of its pictures; null where they are of several. */
  readonly year: number | null
  /** Requests to its host, at a time and a second. */
  readonly requests: { readonly concurrent: number; readonly perSecond: number }
  readonly lattice: Lattice
  readonly gsdAt: (latitude: number) => number
}

/** The square that tiles of web mercator cover, degrees. */
const WORLD: Box = [-180, -85.0511, 180, 85.0511]

/** The pixels of a level of tiles: where they lie, their GSD, and the ground that they can show. */
export function tilePixels(
  zoom: number,
  tileSize: number,
  [west, south, east, north]: Box,
): Pick<XyzSource, 'gsd' | 'gsdAt' | 'lattice' | 'extent'> {
  const step = mercatorStep(zoom, tileSize)
  // Four digits: centimetres of a pixel mean nothing, and texts stay short.
  const gsdAt = (latitude: number) => Number((step * Math.cos(radians(latitude))).toPrecision(4))
  const extent: Box = [west, Math.max(south, WORLD[1]), east, Math.min(north, WORLD[3])]
  return { gsd: gsdAt((extent[1] + extent[3]) / 2), gsdAt, lattice: mercatorLattice(zoom, tileSize), extent }
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
