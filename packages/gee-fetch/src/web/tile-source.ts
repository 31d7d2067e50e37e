import { mapTileAt, type Position } from '@skyscript/core'
import type { Lattice } from '../lattice.ts'
import type { SourceFacts } from '../sources/source-facts.ts'

/** No tile has more bytes. */
export const TILE_BYTES = 8 * 2 ** 20

/** Requests to a host, at a time and a second. */
export interface RequestLimits {
  readonly concurrent: number
  readonly perSecond: number
}

/** One of the pictures that a service has of a place. */
export interface Picture {
  /** Part of its images' ids. */
  readonly name: string
  /** Milliseconds since 1970 UTC; null if unknown. */
  readonly time: number | null
}

/** A tile by column and row, counted eastwards and southwards. */
export interface TilePlace {
  readonly column: number
  readonly row: number
  /** Units of the source's lattice per pixel. */
  readonly stepX: number
  readonly stepY: number
}

/**
 * A source of pictures that a web service gives in tiles: tiles of its own, or maps of a fixed size that are asked for as
 * if they were tiles. So an image has the same pixels however many are asked for at once, also where they come as JPEG.
 */
export interface TileSource extends SourceFacts {
  readonly kind: 'tiles'
  readonly latticeIn: (tile: string) => Lattice
  /** Its address, for messages; secrets in it are still placeholders. */
  readonly url: string
  /** The template of its tiles' addresses, where they may be on another host than `url`. */
  readonly tilesAt?: string
  readonly requests: RequestLimits
  /** Pixels. */
  readonly tile: { readonly width: number; readonly height: number }
  /** The north-western corner of the tile in column 0 and row 0, in units of the lattice. */
  readonly corner: { readonly x: number; readonly y: number }
  /** First and last of the tiles that there can be, at each end; others are not asked for. */
  readonly columns?: readonly [first: number, last: number]
  readonly rows?: readonly [first: number, last: number]
  /** The latest last; most services have one. */
  readonly pictures: readonly Picture[]
  /** The setting to change where its tiles are of another size; null where there is none. */
  readonly sizeSetting: string | null
  /** The address of a tile; secrets in it are still placeholders. */
  addressOf(place: TilePlace, picture: Picture): string
  /** Of a service that says when places were photographed: the address of what it says of a tile's middle. */
  readonly dates?: { readonly property: string; addressOf(place: TilePlace, picture: Picture): string }
  /** The same source at a multiple of its GSD; missing where it has no other pixels. */
  coarserBy?(factor: number): TileSource | null
  /** All of its settings that decide a tile's pixels. */
  readonly decides: readonly unknown[]
}

export const imageIdOf = ({ alias }: TileSource, { name }: Picture): string => `${alias}/${name}`

/** The tile of a source at a position, degrees. */
export function placeAt({ latticeIn, corner, tile }: TileSource, position: Position): TilePlace {
  const { system, stepX, stepY } = latticeIn(mapTileAt(position))
  const [x, y] = system.forward(position)
  const column = Math.floor((x - corner.x) / stepX / tile.width)
  const row = Math.floor((corner.y - y) / stepY / tile.height)
  return { column, row, stepX, stepY }
}
