import type { SourceFacts } from '../sources/source-facts.ts'

/** A source of Cloud-Optimised GeoTIFFs: a STAC collection, or a list of files. */
export interface CogSource extends SourceFacts {
  readonly kind: 'cog'
  /** STAC API root; null if `files` lists the images. */
  readonly stac: string | null
  /** http(s) URLs or absolute paths of GeoTIFFs; each is an image. */
  readonly files: readonly string[]
  /**
   * Asset of an item that holds red, green and blue, or three assets of one band each. `*` matches any text:
   * `*_0.1_2056.tif` matches swisstopo's.
   */
  readonly assets: readonly string[]
  /** Bands of that asset, or of each file, counted from 1. */
  readonly bands: readonly [red: number, green: number, blue: number]
  /** `day` or `year`: all items or files of that period form one image, for mosaics that are cut into map sheets. */
  readonly mosaic: 'item' | 'day' | 'year'
  /** Asset (one band) with the values that mean cloud, such as Sentinel-2's `scl`: 8, 9, 10. */
  readonly cloudMask: { readonly asset: string; readonly values: readonly number[] } | null
}
