import type { Box, CatalogueEntry, Outline, SourceAlias } from '@skyscript/core'
import type { Lattice } from '../lattice.ts'

/** Facts about an imagery source, independent of who serves it. */
export interface SourceFacts {
  readonly alias: SourceAlias
  readonly title: string
  /** Named in the manifest as the images' origin. */
  readonly collection: string
  /** Nominal ground sampling distance, m/pixel. */
  readonly gsd: number
  /** Set if each image has its own, between these; `gsd` is then the coarsest. */
  readonly gsds?: readonly [finest: number, coarsest: number]
  /** Set if it depends on the latitude (degrees): m/pixel. */
  readonly gsdAt?: (latitude: number) => number
  /** Set if images are cut from pixels of the source's own, which are these in a map tile; others answer on any grid. */
  readonly latticeIn?: (tile: string) => Lattice
  /** Values shown as black and white. */
  readonly range: readonly [black: number, white: number]
  /** Bounds of the possible coverage, degrees; not every place inside has an image. */
  readonly extent: Box
  /** Set if the possible coverage is known to be smaller than its bounds. */
  readonly outline?: Outline
  /** First and last year of its images, where they are known; null: there are still new ones. */
  readonly years?: readonly [first: number, last: number | null]
  /** Property with the cloud percentage, if images record it; a value below 0 means unknown. */
  readonly cloudProperty: string | null
  /** Brightness (0 to 255) from which a grey pixel counts as cloud; null: clouds are marked, or flights avoid them. */
  readonly cloudBrightness: number | null
  /** Precision of an image's time: yearly mosaics have a nominal day. */
  readonly timePrecision: 'minute' | 'day' | 'year'
  readonly licence: string
  /** Of shipped sources: where the licence can be read, and when someone last did so and fetched an image. */
  readonly terms?: string
  readonly confirmed?: CatalogueEntry['confirmed']
  /** The credit line that the licence requires. */
  credit(year: number | null): string
}
