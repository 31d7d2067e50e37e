import { InputError } from './errors.ts'
import type { SourceAlias } from './records.ts'

/**
 * Object ids keep SkyScript's alphabet: `n` node, `w` way that is a line, `a` area. Areas of multipolygon and boundary
 * relations are numbered 3,600,000,000 + relation id, as the Overpass API numbers them.
 */
export const RELATION_AREA_OFFSET = 3_600_000_000

/** Negative ids are those of editors' unsaved objects; real extracts of private data have them. */
const OBJECT_ID = /^[nwa]-?\d{1,16}$/

/** Folders that a dataset's images are spread over, as in the original: images2 to images7. */
export const PARTITIONS = [2, 3, 4, 5, 6, 7] as const

/** `a198234555_CH_19`; the year is the image's, two digits, and empty where the source has no time (`w41429166_DE_`). */
export function fileStem(id: string, source: SourceAlias, time: number | null): string {
  if (!OBJECT_ID.test(id))
    throw new InputError('bad-object-id', `"${id}" is not an object id such as n123, w123 or a123.`)
  const year = time === null ? '' : String(new Date(time).getUTCFullYear() % 100).padStart(2, '0')
  return `${id}_${source}_${year}`
}

/** What a source may be called. */
export const SOURCE_ALIAS = /^[A-Z][A-Z0-9]{1,7}$/

/** The file names a dataset may hold: nothing that came from a tag ever reaches a path. */
export const IMAGE_PATH = /^images[2-7]\/[nwa]-?\d{1,16}_[A-Z][A-Z0-9]{1,7}_(\d\d)?\.jpg$/

/** `images2/x.jpg` -> `meta2/x.pickle`. */
export function metaPath(filepath: string): string {
  return filepath.replace(/^images/, 'meta').replace(/\.jpg$/, '.pickle')
}
