import { templateHost } from '@skyscript/core'
import type { CogSource } from '../cog/cog-source.ts'
import type { OamSource } from '../oam/oam-source.ts'
import type { TileSource } from '../web/tile-source.ts'
import type { SourceFacts } from './source-facts.ts'

/** A source in Earth Engine; shipped ones follow their pages in the data catalogue. */
export interface EarthEngineSource extends SourceFacts {
  readonly kind: 'earth-engine'
  /** Former ids of `collection`. */
  readonly oldIds: readonly string[]
  /** Bands shown as red, green and blue. */
  readonly bands: readonly [red: string, green: string, blue: string]
  /** A band that marks clouds, by exact values or by bits (any bit set means cloud). */
  readonly cloudMask:
    | { readonly band: string; readonly values: readonly number[] }
    | { readonly band: string; readonly bits: readonly number[] }
    | null
  /** Set if only a few places inside the extent have images. */
  readonly scattered?: true
  /** Some collections are catalogued as a single image. */
  readonly mayBeImage: boolean
}

export type Source = EarthEngineSource | CogSource | TileSource | OamSource

/** The GSD at a latitude (degrees), m/pixel. */
export const gsdOf = ({ gsd, gsdAt }: Pick<Source, 'gsd' | 'gsdAt'>, latitude: number): number =>
  gsdAt ? gsdAt(latitude) : gsd

/**
 * The host that pictures of a source come from: of a catalogue of files the catalogue's, of servers that take turns the first;
 * null for files of this machine, and where it is a secret.
 */
export function hostOfSource(source: Exclude<Source, EarthEngineSource>): string | null {
  if (source.kind === 'cog') return templateHost(source.stac ?? source.files[0] ?? '')
  return templateHost((source.kind === 'tiles' && source.tilesAt) || source.url)
}

/** Raise when GeoTIFFs are read to different pixels, or when refused ones become readable. */
const READING_VERSION = 2

/** Raise when other things are measured of web services' pictures, or other candidates follow from them. */
export const PICTURES_VERSION = 3

/** The settings of a source that decide the pixels and measurements of a request. */
export function requestSettings(source: Source): unknown {
  if (source.kind === 'tiles') return [PICTURES_VERSION, source.decides]
  if (source.kind === 'oam') return [READING_VERSION, source.url]
  const { range, bands, cloudMask, cloudBrightness } = source
  const own = source.kind === 'cog' ? [READING_VERSION, source.stac, source.assets, source.mosaic] : []
  return [range, bands, cloudMask, cloudBrightness, own]
}

/**
 * Whether images of a source may share requests. For a mosaic of files, the requested box decides which sheets it is
 * composed of, so it has to be the image's own box.
 */
export const mayShare = (source: Source): boolean => source.kind !== 'cog' || source.mosaic === 'item'
