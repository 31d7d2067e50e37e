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
  /** @param micro one similarity in millionths for each scorer */
  add(id: string, micro: readonly number[], part: number): void
  end(): PairTable
}

/**
 * Similarities are ranked and written in millionths: six digits are what the arithmetic of CLIP repeats from one machine
 * to another, so that the last bits of a number decide nothing.
 */
export const MICRO = 1_000_000
export const toMicro = (similarity: number): number => Math.round(similarity * MICRO) + 0
export const fromMicro = (micro: number): number => micro / MICRO

/** Ids as 64-bit integers: the number, then two bits for its letter. */
const KINDS = 'nwa'
const encodeId = (id: string) => BigInt(id.slice(1)) * 4n + BigInt(KINDS.indexOf(id[0]!))
const decodeId = (code: bigint) => `${KINDS[Number(code & 3n)]}${code >> 2n}`

const FIRST_SIZE = 1024

/** @param scorers how many */
export function createPairTable(scorers: number): PairTableBuilder {
  let ids = new BigInt64Array(FIRST_SIZE)
  let parts = new Uint8Array(FIRST_SIZE)
  let similarities = Array.from({ length: scorers }, () => new Int32Array(FIRST_SIZE))
  let size = 0

  const grow = () => {
    const moreIds = new BigInt64Array(size * 2)
    moreIds.set(ids)
    ids = moreIds
    const moreParts = new Uint8Array(size * 2)
    moreParts.set(parts)
    parts = moreParts
    similarities = similarities.map((column) => {
      const more = new Int32Array(size * 2)
      more.set(column)
      return more
    })
  }

  return {
    add(id, micro, part) {
      if (size === ids.length) grow()
      ids[size] = encodeId(id)
      parts[size] = part
      for (let i = 0; i < similarities.length; i++) similarities[i]![size] = micro[i]!
      size++
    },
    end() {
      return {
        size,
        id(row) {
          return decodeId(ids[row]!)
        },
        similarities: similarities.map((column) => column.subarray(0, size)),
        parts: parts.subarray(0, size),
      }
    },
  }
}
