import type { Box, SourceAlias } from '@skyscript/core'

/** What is known of every imagery source, whoever serves it. */
export interface SourceFacts {
  readonly alias: SourceAlias
  readonly title: string
  /** What the manifest names as the images' origin. */
  readonly collection: string
  /** Nominal ground sampling distance, m/pixel. */
  readonly gsd: number
  /** Values shown as black and white. */
  readonly range: readonly [black: number, white: number]
  /** Where images can be, degrees; inside it not every place has one. */
  readonly extent: Box
  /** Percent of cloud, where images record it; a value below 0 stands for unknown. */
  readonly cloudProperty: string | null
  /** Brightness (0 to 255) from which a grey pixel counts as cloud; null: clouds are marked, or were not flown under. */
  readonly cloudBrightness: number | null
  /** How exact an image's time is: mosaics of a year bear a nominal day. */
  readonly timePrecision: 'minute' | 'day' | 'year'
  readonly licence: string
  /** The credit line that the licence asks for. */
  credit(year: number | null): string
}
