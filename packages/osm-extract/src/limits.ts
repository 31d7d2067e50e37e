/** Limits of the format, https://wiki.openstreetmap.org/wiki/PBF_Format#File_format, in bytes. */
export const MAX_BLOB_HEADER = 64 * 1024
export const MAX_BLOB = 32 * 1024 * 1024

/** What a required feature of a file may be for us to read it right. */
export const KNOWN_FEATURES: ReadonlySet<string> = new Set(['OsmSchema-V0.6', 'DenseNodes'])
export const HISTORY_FEATURE = 'HistoricalInformation'

/** Coordinates are kept as OSM's own integers, 1e-7 degree; beyond these a position is not on Earth. */
export const MAX_LONGITUDE = 180e7
export const MAX_LATITUDE = 90e7

/** Keys whose verdicts are kept across blocks; OSM has some 100,000, a region far fewer, a hostile file millions. */
export const KEYS_AT_HAND = 20_000
