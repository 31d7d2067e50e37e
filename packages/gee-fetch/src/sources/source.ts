import type { Box, SourceAlias } from '@skyscript/core'
import type { CogSource } from '../cog/cog-source.ts'

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

/** A source in Earth Engine; facts of shipped ones are from its page in the data catalogue. */
export interface EarthEngineSource extends SourceFacts {
  readonly kind: 'earth-engine'
  /** Ids that `collection`, today's asset id, had before. */
  readonly oldIds: readonly string[]
  /** Shown as red, green and blue. */
  readonly bands: readonly [red: string, green: string, blue: string]
  /** First day of images. */
  readonly since: string
  /** A band that marks clouds by whole values, or by bits of which any may be set. */
  readonly cloudMask:
    | { readonly band: string; readonly values: readonly number[] }
    | { readonly band: string; readonly bits: readonly number[] }
    | null
  /** Set where only a few places inside the extent have images. */
  readonly scattered?: true
  /** Some collections are catalogued as one image. */
  readonly mayBeImage: boolean
}

export type Source = EarthEngineSource | CogSource

/** Raise when files of GeoTIFFs are read to other pixels, or such as were refused are read. */
const READING_VERSION = 2

/** What of a source's settings decides the pixels of a request for it, and what is known of them. */
export function requestSettings(source: Source): unknown {
  const { range, bands, cloudMask, cloudBrightness } = source
  const own = source.kind === 'cog' ? [READING_VERSION, source.stac, source.assets, source.mosaic] : []
  return [range, bands, cloudMask, cloudBrightness, own]
}
