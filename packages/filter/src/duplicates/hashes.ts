/** Hashes of 64 bits, by row, in two columns: 8 bytes a row, where the hex text of one takes 40. */
export interface Hashes {
  readonly high: Uint32Array
  readonly low: Uint32Array
}

const HEX_DIGITS = 16
/** By character code: the digit's value, or 255. */
const DIGITS = new Uint8Array(128).fill(255)
for (let value = 0; value < 16; value++) {
  DIGITS[value.toString(16).charCodeAt(0)] = value
  DIGITS[value.toString(16).toUpperCase().charCodeAt(0)] = value
}

export interface HashColumn {
  /**
   * @param hex of the next row: its first 16 digits count, so that a sha256 may be given whole
   * @throws RangeError where they aren't hex digits, or the rows are more than was said
   */
  add(hex: string): void
  /** The rows so far. */
  end(): Hashes
}

export function createHashColumn(size: number): HashColumn {
  const high = new Uint32Array(size)
  const low = new Uint32Array(size)
  let row = 0
  return {
    add(hex) {
      if (row === size) throw new RangeError(`More than ${size} hashes.`)
      high[row] = wordAt(hex, 0)
      low[row++] = wordAt(hex, HEX_DIGITS / 2)
    },
    end: () => ({ high: high.subarray(0, row), low: low.subarray(0, row) }),
  }
}

function wordAt(hex: string, from: number): number {
  let word = 0
  for (let i = from; i < from + HEX_DIGITS / 2; i++) {
    // Past the text's end the code is NaN, which no digit has.
    const digit = DIGITS[hex.charCodeAt(i)] ?? 255
    if (digit === 255) throw new RangeError(`"${hex}" doesn't begin with ${HEX_DIGITS} hex digits.`)
    word = (word << 4) | digit
  }
  return word
}

/**
 * By row: the first row of the same hash. By a table of open addresses at most half full; time and memory (4 bytes a
 * row, and 8 to 16 while it runs) don't follow how often a hash is there.
 */
export function firstOfEach({ high, low }: Hashes): Uint32Array {
  const rows = high.length
  const bits = Math.max(1, Math.ceil(Math.log2(2 * rows + 2)))
  const mask = 2 ** bits - 1
  /** Row + 1, or 0 where nothing is. */
  const table = new Uint32Array(mask + 1)
  const first = new Uint32Array(rows)
  for (let row = 0; row < rows; row++) {
    const [h, l] = [high[row]!, low[row]!]
    let mixed = Math.imul(h, 0x9e3779b1) ^ l
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    let slot = (mixed ^ (mixed >>> 16)) & mask
    for (;;) {
      const other = table[slot]!
      if (other === 0) {
        table[slot] = row + 1
        first[row] = row
        break
      }
      if (low[other - 1] === l && high[other - 1] === h) {
        first[row] = other - 1
        break
      }
      slot = (slot + 1) & mask
    }
  }
  return first
}

/** Bits of 64 in which two hashes differ, of the words' exclusive ors. */
export function bitsOf(high: number, low: number): number {
  let a = (high - ((high >>> 1) & 0x55555555)) | 0
  let b = (low - ((low >>> 1) & 0x55555555)) | 0
  a = (a & 0x33333333) + ((a >>> 2) & 0x33333333)
  b = (b & 0x33333333) + ((b >>> 2) & 0x33333333)
  // Digits of at most 4 each: the sum of two fits into a digit, that of four doesn't.
  const both = (a + b) | 0
  const sum = ((both & 0x0f0f0f0f) + ((both >>> 4) & 0x0f0f0f0f)) | 0
  return Math.imul(sum, 0x01010101) >>> 24
}
