import { shared } from './shared-arrays.ts'

/** What ranking and splitting need of the pairs of one row group, by row. */
export interface GroupSurvey {
  /** See `encodeId`. */
  readonly ids: Float64Array<ArrayBuffer>
  /** By scorer: millionths. */
  readonly similarities: readonly Int32Array<ArrayBuffer>[]
  /** Places in PARTS. */
  readonly parts: Uint8Array<ArrayBuffer>
  /** Of the focus object, as JSON. */
  readonly tags: readonly string[] | null
  /** See `hashOf`. */
  readonly titles: Float64Array<ArrayBuffer> | null
  /** Perceptual hashes, 16 hex digits. */
  readonly hashes: readonly string[] | null
}

/**
 * What ranking and splitting need of every pair, in typed arrays: 5.2 million pairs with two scorers take about 90 MB.
 */
export interface PairTable {
  readonly size: number
  id(row: number): string
  /** The order of two rows' ids by their characters: below 0 where `a` comes first. */
  compareIds(a: number, b: number): number
  /** By scorer, then by row: similarity in millionths. */
  readonly similarities: readonly Int32Array[]
  /** By row: what `add` was given. */
  readonly parts: Uint8Array
}

export interface PairTableBuilder {
  /** Adds the pairs of a row group. */
  add(pairs: Pick<GroupSurvey, 'ids' | 'similarities' | 'parts'>): void
  end(): PairTable
}

/**
 * Similarities are ranked and written in millionths: six digits are what the arithmetic of CLIP repeats from one machine
 * to another, so that the last bits of a number decide nothing.
 */
export const MICRO = 1_000_000
export const toMicro = (similarity: number): number => Math.round(similarity * MICRO) + 0
export const fromMicro = (micro: number): number => micro / MICRO

/** Ids as whole numbers: the number times four, plus which letter. */
const KINDS = 'nwa'
const KIND_CODES = 4

export function encodeId(id: string): number {
  const code = Number(id.slice(1)) * KIND_CODES + KINDS.indexOf(id[0]!)
  if (!Number.isSafeInteger(code)) throw new TypeError(`"${id}" is no id that OSM could have.`)
  return code
}

function decodeId(code: number): string {
  const number = Math.floor(code / KIND_CODES)
  return `${KINDS[code - number * KIND_CODES]}${number}`
}

/** The letters of KINDS in the order of their characters. */
const LETTERS = [...KINDS].map((letter) => [...KINDS].sort().indexOf(letter))

/** The order of the texts that `decodeId` gives, without making them. */
export function compareCodes(a: number, b: number): number {
  const [numberA, numberB] = [Math.floor(a / KIND_CODES), Math.floor(b / KIND_CODES)]
  const letter = LETTERS[a - numberA * KIND_CODES]! - LETTERS[b - numberB * KIND_CODES]!
  if (letter !== 0) return letter
  // `-` comes before all digits.
  if (numberA < 0 !== numberB < 0) return numberA < 0 ? -1 : 1
  const [sizeA, sizeB] = [Math.abs(numberA), Math.abs(numberB)]
  const [digitsA, digitsB] = [digitsOf(sizeA), digitsOf(sizeB)]
  if (digitsA === digitsB) return sizeA - sizeB
  // As long as the longer one; where they are the same then, the shorter text begins the longer.
  const most = Math.max(digitsA, digitsB)
  return sizeA * 10 ** (most - digitsA) - sizeB * 10 ** (most - digitsB) || digitsA - digitsB
}

function digitsOf(number: number): number {
  let digits = 1
  for (let limit = 10; number >= limit; limit *= 10) digits++
  return digits
}

/** @param size how many pairs there will be */
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
