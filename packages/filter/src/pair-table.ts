import type { GroupSurvey } from './cut-group.ts'
import { shared } from './shared-arrays.ts'

/**
 * What ranking and splitting need of every pair, in typed arrays: 5.2 million pairs with two scorers take about 90 MB.
 */
export interface PairTable {
  readonly size: number
  id(row: number): string
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
    end: () => ({ size: count, id: (row) => decodeId(ids[row]!), similarities, parts }),
  }
}
