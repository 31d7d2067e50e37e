import { shared } from './shared-arrays.ts'

/** Data of one row group's pairs for ranking and splitting, by row. */
export interface GroupSurvey {
  /** See `encodeId`. */
  readonly ids: Float64Array<ArrayBuffer>
  /** By scorer, in millionths. */
  readonly similarities: readonly Int32Array<ArrayBuffer>[]
  /** Indices into PARTS. */
  readonly parts: Uint8Array<ArrayBuffer>
  /** Tags of the focus object, as JSON. */
  readonly tags: readonly string[] | null
  /** See `hashOf`. */
  readonly titles: Float64Array<ArrayBuffer> | null
  /** Perceptual hashes, 16 hex digits. */
  readonly hashes: readonly string[] | null
}

/**
 * Data of all pairs for ranking and splitting, in typed arrays: 5.2 million pairs with two scorers take about 90 MB.
 */
export interface PairTable {
  readonly size: number
  id(row: number): string
  /** Compares two rows' ids in code point order: negative if `a` comes first. */
  compareIds(a: number, b: number): number
  /** By scorer, then by row: similarity in millionths. */
  readonly similarities: readonly Int32Array[]
  /** By row, as given to `add`. */
  readonly parts: Uint8Array
}

export interface PairTableBuilder {
  /** Adds the pairs of a row group. */
  add(pairs: Pick<GroupSurvey, 'ids' | 'similarities' | 'parts'>): void
  end(): PairTable
}

/**
 * Similarities are ranked and written in millionths: CLIP's arithmetic is reproducible to six digits across machines, so
 * the last bits of a number decide nothing.
 */
export const MICRO = 1_000_000
export const toMicro = (similarity: number): number => Math.round(similarity * MICRO) + 0
export const fromMicro = (micro: number): number => micro / MICRO

/** Letters of ids; an id is encoded as its number times four plus the index of its letter. */
const KINDS = 'nwa'
const KIND_CODES = 4

export function encodeId(id: string): number {
  const code = Number(id.slice(1)) * KIND_CODES + KINDS.indexOf(id[0]!)
  if (!Number.isSafeInteger(code)) throw new TypeError(`"${id}" is not a valid OSM id.`)
  return code
}

function decodeId(code: number): string {
  const number = Math.floor(code / KIND_CODES)
  return `${KINDS[code - number * KIND_CODES]}${number}`
}

/** Rank of each letter of KINDS in code point order. */
const LETTERS = [...KINDS].map((letter) => [...KINDS].sort().indexOf(letter))

/** Compares ids like their texts from `decodeId`, without creating these. */
export function compareCodes(a: number, b: number): number {
  const [numberA, numberB] = [Math.floor(a / KIND_CODES), Math.floor(b / KIND_CODES)]
  const letter = LETTERS[a - numberA * KIND_CODES]! - LETTERS[b - numberB * KIND_CODES]!
  if (letter !== 0) return letter
  // `-` comes before all digits.
  if (numberA < 0 !== numberB < 0) return numberA < 0 ? -1 : 1
  const [sizeA, sizeB] = [Math.abs(numberA), Math.abs(numberB)]
  const [digitsA, digitsB] = [digitsOf(sizeA), digitsOf(sizeB)]
  if (digitsA === digitsB) return sizeA - sizeB
  // Padded to the longer length; if they are equal then, the shorter text is a prefix and comes first.
  const most = Math.max(digitsA, digitsB)
  return sizeA * 10 ** (most - digitsA) - sizeB * 10 ** (most - digitsB) || digitsA - digitsB
}

function digitsOf(number: number): number {
  let digits = 1
  for (let limit = 10; number >= limit; limit *= 10) digits++
  return digits
}

/** @param size number of pairs to expect */
export function createPairTable(scorers: number, size: number): PairTableBuilder {
  const ids = new Float64Array(size)
  const parts = new Uint8Array(size)
  const similarities = Array.from({ length: scorers }, () => shared.integers(size))
  let count = 0
  return {
    add(pairs) {
      ids.set(pairs.ids, count)
      parts.set(pairs.parts, count)
      for (const [i, column] of pairs.similarities.entries()) similarities[i]!.set(column, count)
      count += pairs.ids.length
    },
    end: () => ({
      size: count,
      id: (row) => decodeId(ids[row]!),
      compareIds: (a, b) => compareCodes(ids[a]!, ids[b]!),
      similarities,
      parts,
    }),
  }
}
