import type { Box, Geometry, Position } from '../records.ts'

export type Outline = Extract<Geometry, { readonly type: 'Polygon' | 'MultiPolygon' }>
/** Where a service has pictures. */
export type Extent = Box | Outline

interface Facts {
  /** Country code first. */
  readonly alias: string
  readonly title: string
  readonly extent: Extent
  /** Year of the pictures, or the first and last; null where they are of many or of unknown years. */
  readonly years: number | [first: number, last: number] | null
  /** See core's licences for how names are compared. */
  readonly licence: string
  readonly credit: string
  /** Where the licence, or its grant, can be read. */
  readonly terms: string
  /** When someone last fetched an image and read the terms, `YYYY-MM-DD`. */
  readonly confirmed: 'never' | `${number}-${number}-${number}`
}

/**
 * An official service of imagery under an open licence, described as in a region file. Addresses, extents and years are
 * facts that OpenStreetMap's editor layer index of October 2024 lists for it.
 */
export type CatalogueEntry = Facts & (Tiles | Maps)

interface Tiles {
  readonly kind: 'xyz'
  readonly url: string
  /**
   * The last level is the finest that is likely to hold pixels of its own all over the extent; services often enlarge
   * theirs further.
   */
  readonly zoom: [first: number, last: number]
  readonly tileSize?: 256 | 512
}

interface Maps {
  readonly kind: 'wms'
  readonly url: string
  readonly layers: string
  /** That of the pictures themselves. */
  readonly crs: string
  /** m/pixel, as the layer's name has it where no comment says otherwise. */
  readonly gsd: number
}

/** Several boxes as one extent. */
export const boxes = (...list: readonly Box[]): Extract<Outline, { readonly type: 'MultiPolygon' }> => ({
  type: 'MultiPolygon',
  coordinates: list.map(([west, south, east, north]) => [
    [
      [west, south],
      [east, south],
      [east, north],
      [west, north],
      [west, south],
    ],
  ]),
})

/**
 * One polygon, of `longitude,latitude` with blanks between. Those of this folder are rough, drawn by hand some 10 km outside
 * of borders: they keep a source out of its neighbours, not out of its own country.
 */
export const outlineOf = (text: string): Outline => {
  const ring = text
    .trim()
    .split(/\s+/)
    .map((place) => place.split(',').map(Number) as Position)
  return { type: 'Polygon', coordinates: [[...ring, ring[0]!]] }
}
