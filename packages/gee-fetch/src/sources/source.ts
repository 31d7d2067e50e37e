import type { CogSource } from '../cog/cog-source.ts'
import type { SourceFacts } from './source-facts.ts'

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
