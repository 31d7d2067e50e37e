import { encodeId, InputError, messageOf, type Tags } from '@skyscript/core'
import type { ManifestFile } from '../manifest-file.ts'
import { MANIFEST, SIMILARITY } from '../names.ts'
import { createHasher, type Hasher } from './hash.ts'

/** What is compared of a pair besides its tags. A bit of `ChangedPairs.flags` each, in this order. */
export const FIELDS = [
  'geometry',
  'surroundings',
  'source',
  'date',
  'request',
  'bytes',
  'file',
  'caption',
  'score',
  'split',
  'metadata',
] as const
export type Field = (typeof FIELDS)[number]

/** The texts of `key=value` tags as numbers, shared by the datasets that are compared. */
export interface TagNames {
  readonly names: readonly string[]
  /** Codes of the tags of a JSON object, ascending: their order in the JSON does not matter. */
  codes(json: string): readonly number[]
}

/** Maximum number of lists of codes that are kept: most objects have the same tags as many others. */
const LISTS_AT_HAND = 50_000

export function createTagNames(): TagNames {
  const names: string[] = []
  const codeOf = new Map<string, number>()
  const known = new Map<string, readonly number[]>()
  return {
    names,
    codes(json) {
      const before = known.get(json)
      if (before !== undefined) return before
      const codes = Object.entries(JSON.parse(json) as Tags)
        .map(([key, value]) => {
          const name = `${key}=${value}`
          const code = codeOf.get(name) ?? names.push(name) - 1
          codeOf.set(name, code)
          return code
        })
        .sort((a, b) => a - b)
      if (known.size === LISTS_AT_HAND) known.clear()
      known.set(json, codes)
      return codes
    },
  }
}

/** Pairs as numbers, 110 bytes each with three tags. */
export interface Pairs {
  readonly size: number
  /** See `encodeId`. */
  readonly ids: Float64Array
  /** Codes of the object's visible tags; those of a row end at `tagEnds[row]`. */
  readonly tags: ArrayLike<number>
  readonly tagEnds: ArrayLike<number>
  /** By field, a hash for each row. */
  readonly fields: Readonly<Record<Field, Float64Array>>
}

/** Columns of each field that every dataset has. */
const TEXTS = {
  surroundings: ['surrounding_tags'],
  source: ['source'],
  bytes: ['sha256'],
  file: ['filepath'],
  caption: ['title', 'title_multi_objects'],
  split: ['split'],
} as const satisfies Partial<Record<Field, readonly string[]>>
const REQUEST = ['west', 'south', 'east', 'north', 'gsd', 'width', 'height'] as const
/** A JSON list; a manifest that lacks the column has no such captions. */
const MORE_CAPTIONS = 'more_captions'
const NO_CAPTIONS = Buffer.from('[]')
/** Columns that change neither the image nor a text nor the set of a pair. A manifest may lack them. */
const METADATA_TEXTS = ['timestamp', 'collection', 'date_precision', 'licence', 'credit'] as const
const METADATA_NUMBERS = ['version', 'days_apart'] as const

const NEEDED = ['id', 'center_tags', 'time', 'image_id', ...REQUEST, ...Object.values(TEXTS).flat()]

/**
 * Fields that can't be compared, since a manifest lacks their column.
 *
 * @param name of the dataset, for messages
 * @throws InputError `old-manifest` if it lacks a column of any other
 */
export function missingFields(manifest: ManifestFile, name: string): Field[] {
  const missing = NEEDED.find((column) => !manifest.columns.has(column))
  if (missing !== undefined)
    throw new InputError(
      'old-manifest',
      `${MANIFEST} of ${name} has no column "${missing}": an older version made it; run skyscript build there, then compare again.`,
    )
  return manifest.columns.has('geometry') ? [] : ['geometry']
}

/**
 * The pairs of a manifest, one row group at a time, in its order.
 *
 * @param name of the dataset, for messages
 * @param scorers whose similarities make up `score`; the manifest has them all
 * @throws InputError `bad-manifest` if a column holds something else than manifests of skyscript do
 */
export async function* readPairs(
  manifest: ManifestFile,
  name: string,
  scorers: readonly string[],
  names: TagNames,
): AsyncGenerator<Pairs> {
  const pairsOf = groupReader(manifest, scorers, names)
  for (const group of manifest.groups.keys()) {
    try {
      yield await pairsOf(group)
    } catch (error) {
      // Another tool may have written it, with any types and values.
      const where = `rows ${manifest.groups[group]!.from + 1} to ${manifest.groups[group]!.to}`
      const message = `${MANIFEST} of ${name} can't be compared (in ${where}: ${messageOf(error).replace(/\.$/, '')}); run skyscript build there, then compare again.`
      throw new InputError('bad-manifest', message, { cause: error })
    }
  }
}

function groupReader(
  manifest: ManifestFile,
  scorers: readonly string[],
  names: TagNames,
): (group: number) => Promise<Pairs> {
  const present = (columns: readonly string[]) => columns.filter((column) => manifest.columns.has(column))
  const similarities = scorers.map((scorer) => SIMILARITY + scorer)
  const textColumns = [
    ...Object.values(TEXTS).flat(),
    ...['image_id', 'center_tags'],
    ...present([MORE_CAPTIONS, 'geometry', ...METADATA_TEXTS]),
  ]
  const numberColumns = [...REQUEST, ...similarities, ...present(METADATA_NUMBERS)]
  const hasher = createHasher()
  return async (group) => {
    const texts = (await manifest.readTexts(group, textColumns)) as Record<string, (Uint8Array | null)[]>
    const columns = await manifest.readGroup(group, ['id', 'time', ...numberColumns])
    const size = columns.id!.length
    const each = (add: (row: number, to: Hasher) => void) => {
      const hashes = new Float64Array(size)
      for (let row = 0; row < size; row++) {
        add(row, hasher)
        hashes[row] = hasher.take()
      }
      return hashes
    }
    const ofTexts = (of: readonly string[]) =>
      each((row, to) => {
        for (const column of of) to.text(texts[column]?.[row])
      })
    const number = (column: string, row: number) => columns[column]?.[row] as number | null | undefined
    const tags: number[] = []
    const tagEnds: number[] = []
    for (const json of texts.center_tags!) {
      tags.push(...names.codes(textOf(json)))
      tagEnds.push(tags.length)
    }
    return {
      size,
      ids: Float64Array.from(columns.id!, (id) => encodeId(String(id))),
      ...{ tags, tagEnds },
      fields: {
        geometry: ofTexts(['geometry']),
        surroundings: ofTexts(TEXTS.surroundings),
        source: ofTexts(TEXTS.source),
        date: each((row, to) => to.number((columns.time![row] as Date | null)?.getTime())),
        request: each((row, to) => {
          to.text(texts.image_id![row])
          for (const column of REQUEST) to.number(number(column, row))
        }),
        bytes: ofTexts(TEXTS.bytes),
        file: ofTexts(TEXTS.file),
        caption: each((row, to) => {
          for (const column of TEXTS.caption) to.text(texts[column]![row])
          to.text(texts[MORE_CAPTIONS]?.[row] ?? NO_CAPTIONS)
        }),
        score: each((row, to) => {
          for (const column of similarities) to.number(number(column, row))
        }),
        split: ofTexts(TEXTS.split),
        metadata: each((row, to) => {
          for (const column of METADATA_TEXTS) to.text(texts[column]?.[row])
          for (const column of METADATA_NUMBERS) to.number(number(column, row))
        }),
      },
    }
  }
}

const textOf = (bytes: Uint8Array | null | undefined) =>
  bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8') : '{}'

/** All pairs of a manifest in memory, by id. */
export interface PairIndex extends Pairs {
  /** The row of an id, or -1. */
  find(code: number): number
}

export async function indexPairs(batches: AsyncIterable<Pairs>, size: number): Promise<PairIndex> {
  const ids = new Float64Array(size)
  const tagEnds = new Uint32Array(size)
  let tags = new Uint32Array(4 * size)
  const fields = Object.fromEntries(FIELDS.map((field) => [field, new Float64Array(size)])) as Pairs['fields']
  let [row, tag] = [0, 0]
  for await (const batch of batches) {
    ids.set(batch.ids, row)
    for (const field of FIELDS) fields[field].set(batch.fields[field], row)
    if (tag + batch.tags.length > tags.length) {
      const grown = new Uint32Array(2 * (tag + batch.tags.length))
      grown.set(tags.subarray(0, tag))
      tags = grown
    }
    tags.set(batch.tags, tag)
    for (let i = 0; i < batch.size; i++) tagEnds[row + i] = tag + batch.tagEnds[i]!
    row += batch.size
    tag += batch.tags.length
  }
  const order = Uint32Array.from(ids.keys()).sort((a, b) => ids[a]! - ids[b]!)
  let last = -1
  return {
    ...{ size, ids, tags, tagEnds, fields },
    find(code) {
      // Datasets of nearly the same map have nearly the same order.
      if (ids[last + 1] === code) return ++last
      let [low, high] = [0, size]
      while (low < high) {
        const middle = (low + high) >>> 1
        if (ids[order[middle]!]! < code) low = middle + 1
        else high = middle
      }
      if (low === size || ids[order[low]!] !== code) return -1
      last = order[low]!
      return last
    },
  }
}

/** Codes of a row's tags. */
export function tagsOf({ tags, tagEnds }: Pairs, row: number): number[] {
  const found: number[] = []
  for (let at = row === 0 ? 0 : tagEnds[row - 1]!; at < tagEnds[row]!; at++) found.push(tags[at]!)
  return found
}
