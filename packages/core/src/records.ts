/** The records that flow from stage to stage. All positions are WGS84 longitude, latitude in degrees. */

/**
 * OSM tags, key to value. Build one only with `Object.fromEntries` or `JSON.parse`, which make `__proto__` an ordinary
 * key; never by assignment to a computed property.
 */
export type Tags = Readonly<Record<string, string>>

/** Longitude, latitude in degrees, WGS84. */
export type Position = [longitude: number, latitude: number]

/** West, south, east, north in degrees, WGS84; west < east, south < north. */
export type Box = [west: number, south: number, east: number, north: number]

/**
 * GeoJSON (RFC 7946): rings are closed, outer rings counter-clockwise, inner rings clockwise. What crosses 180 degrees is
 * cut there, so no line and no polygon goes from one side to the other.
 */
export type Geometry =
  | { readonly type: 'Point'; readonly coordinates: Position }
  | { readonly type: 'LineString'; readonly coordinates: readonly Position[] }
  | { readonly type: 'MultiLineString'; readonly coordinates: readonly (readonly Position[])[] }
  | { readonly type: 'Polygon'; readonly coordinates: readonly (readonly Position[])[] }
  | { readonly type: 'MultiPolygon'; readonly coordinates: readonly (readonly (readonly Position[])[])[] }

/** The last edit of an OSM object: no image, caption or score depends on it. */
export interface Edit {
  /** Version of the OSM element; null where the file has none. */
  readonly version: number | null
  /** ISO 8601 in UTC with seconds, `2024-05-01T12:00:00Z`; null where the file has none. */
  readonly timestamp: string | null
}

/** One OSM object with everything later stages need of it. */
export interface OsmObject {
  /** `n123`, `w123` or `a123`; see ids.ts. */
  readonly id: string
  readonly tags: Tags
  /** Version of the OSM element; 0 where the file has none. */
  readonly version: number
  /** ISO 8601 in UTC with seconds, `2024-05-01T12:00:00Z`; null where the file has none. */
  readonly timestamp: string | null
  readonly geometry: Geometry
}

/**
 * The imagery sources that come with the pipeline, and what carries their cameras, which captions name. Their other facts
 * are one file each in gee-fetch's sources. E2 (Earth Search's Sentinel-2) and SI (swisstopo's SWISSIMAGE) need no account.
 */
export const SHIPPED_SOURCES = {
  CH: 'aerial',
  ES: 'aerial',
  DE: 'aerial',
  FI: 'aerial',
  US: 'aerial',
  P3: 'satellite',
  P5: 'satellite',
  S2: 'satellite',
  L8: 'satellite',
  L9: 'satellite',
  NL: 'aerial',
  NE: 'aerial',
  LV: 'aerial',
  SK: 'aerial',
  EE: 'aerial',
  EL: 'aerial',
  E2: 'satellite',
  SI: 'aerial',
} as const satisfies Readonly<Record<string, 'aerial' | 'satellite'>>
/** The ten imagery sources of the paper, table 1: the default of `imagery.sources`. */
export const SOURCE_ALIASES = ['CH', 'ES', 'DE', 'FI', 'US', 'P3', 'P5', 'S2', 'L8', 'L9'] as const
export type SourceAlias = string

/** An object chosen to get an image. */
export interface FocusObject {
  readonly id: string
  readonly isArea: boolean
  /** As `boxOf` has it. */
  readonly box: Box
  /** Called only for objects whose box doesn't say enough. */
  geometry(): Geometry
  /** The coarsest ground sampling distance (m/pixel) at which any of its tags is seen. */
  readonly maxGsd: number
  /** When it was last edited, milliseconds since 1970 UTC; null where the extract doesn't say. */
  readonly edited: number | null
}

/** What is known of one image, where it differs from what its source says of all. */
export interface ImageFacts {
  readonly licence?: string
  readonly credit?: string
  readonly timePrecision?: 'day' | 'year'
}

/** One image of one source with the exact grid it would be asked for. */
export interface ImageCandidate {
  readonly source: SourceAlias
  /** Full Earth Engine asset id, `USDA/NAIP/DOQQ/m_4007301_ne_18_060_20210821`. */
  readonly imageId: string
  /**
   * What the pixels come from, beside the image's id: Earth Engine's host, the map that the image is drawn from, or the
   * address and version of its files. Pixels of another origin are other pixels.
   */
  readonly origin: string
  /** Milliseconds since 1970 UTC of `system:time_start`; null where the source has no time. */
  readonly time: number | null
  /** They decide no pixel. */
  readonly facts?: ImageFacts
  /** Ground sampling distance in metres per pixel. */
  readonly gsd: number
  readonly box: Box
  /** Pixels. */
  readonly width: number
  readonly height: number
}

/** A focus object with its candidate images, best first; never empty. */
export interface PlannedImage {
  readonly id: string
  readonly candidates: readonly ImageCandidate[]
}

/** A JPEG that was stored for a focus object. */
export interface ImageRecord extends ImageCandidate {
  readonly id: string
  /** Path below the dataset's root with forward slashes, `images2/a198234555_CH_19.jpg`. */
  readonly filepath: string
  /** Size of the JPEG in bytes and its sha256 in lower-case hex. */
  readonly bytes: number
  readonly sha256: string
}

/** What the captioner says of one image. */
export interface CaptionRecord {
  readonly id: string
  readonly filepath: string
  readonly title: string
  readonly titleMultiObjects: string
  /** Further captions, where they were asked for. */
  readonly more?: readonly string[]
  /** Hash of the object's geometry, 16 hex digits. */
  readonly geometry: string
  /** Groundable tags only, at the image's GSD. */
  readonly centerTags: Tags
  readonly surroundingTags: readonly Tags[]
}

/** What the scorers say of a pair. */
export interface ScoreRecord {
  readonly id: string
  /** Cosines of image and `title` in [-1, 1], in the order of the settings' scorers. */
  readonly similarities: readonly number[]
  /** What the image looks like: 64 bits as 16 hex digits. */
  readonly phash: string
  /** Of the image's bytes and the title, so that the same pair is known again. */
  readonly pair: string
  /** Direction of the image's embedding, a signed byte for each number, as base64; only with `filter.semanticDuplicates`. */
  readonly embedding?: string
}
