import type { Box, SourceAlias } from '@skyscript/core'

/** One imagery source; facts from its page in the Earth Engine data catalogue. */
export interface Source {
  readonly alias: SourceAlias
  readonly title: string
  /** Today's Earth Engine asset id, and ids it had before. */
  readonly collection: string
  readonly oldIds: readonly string[]
  /** Nominal ground sampling distance, m/pixel. */
  readonly gsd: number
  /** Bands shown as red, green and blue, and the values shown as black and white. */
  readonly bands: readonly [red: string, green: string, blue: string]
  readonly range: readonly [black: number, white: number]
  /** Where images can be, degrees; inside it not every place has one. */
  readonly extent: Box
  /** First day of images. */
  readonly since: string
  /** Percent of cloud, where the collection records it, and the most that is taken; a value below 0 stands for unknown. */
  readonly cloud: { readonly property: string; readonly limit: number } | null
  /** Brightness (0 to 255) above which a grey pixel counts as cloud in the pixel check; null: clouds are not looked for. */
  readonly cloudBrightness: number | null
  /** How exact `system:time_start` is: mosaics of a year bear a nominal day. */
  readonly timePrecision: 'minute' | 'day' | 'year'
  /** Some collections are catalogued as one image. */
  readonly mayBeImage: boolean
  readonly licence: string
  /** The credit line that the licence asks for. */
  credit(year: number | null): string
}
