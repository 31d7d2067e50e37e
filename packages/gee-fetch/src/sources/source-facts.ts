import type { Box, SourceAlias } from '@skyscript/core'
import type { Lattice } from '../lattice.ts'

/** Facts about an imagery source, independent of who serves it. */
export interface SourceFacts {
  readonly alias: SourceAlias
  readonly title: string
  /** Named in the manifest as the images' origin. */
  readonly collection: string
  /** Nominal ground sampling distance, m/pixel. */
  readonly gsd: number
  /** Set if it depends on the latitude (degrees): m/pixel. */
  readonly gsdAt?: (latitude: number) => number
  /** Set if images are cut from pixels of the source's own, which are these in a map tile; others answer on any grid. */
  readonly latticeIn?: (tile: string) => Lattice
  /** Values shown as black and white. */
  readonly range: readonly [black: number, white: number]
  /** Bounds of the possible coverage, degrees; not every place inside has an image. */
  readonly extent: Box
  /** Property with the cloud percentage, if images record it; a value below 0 means unknown. */
  readonly cloudProperty: string | null
  /** Brightness (0 to 255) from which a grey pixel counts as cloud; null: clouds are marked, or flights avoid them. */
  readonly cloudBrightness: number | null
  /** Precision of an image's time: yearly mosaics have a nominal day. */
  readonly timePrecision: 'minute' | 'day' | 'year'
  readonly licence: string
  /** The credit line that the licence requires. */
  credit(year: number | null): string
}
