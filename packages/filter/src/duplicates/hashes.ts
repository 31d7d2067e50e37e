/** 64-bit hashes by row, in two columns: 8 bytes per row, where hex text would take 40. */
export interface Hashes {
  readonly high: Uint32Array
  readonly low: Uint32Array
}

const HEX_DIGITS = 16
/** By character code: the value of the hex digit, or 255. */
const DIGITS = new Uint8Array(128).fill(255)
for (let value = 0; value < 16; value++) {
  DIGITS[value.toString(16).charCodeAt(0)] = value
  DIGITS[value.toString(16).toUpperCase().charCodeAt(0)] = value
}

export interface HashColumn {
  /**
   * @param hex hash of the next row: only its first 16 digits are used, so a whole sha256 is allowed
   * @throws RangeError if these aren't hex digits, or there are more rows than `size`
   */
  add(hex: string): void
  /** Returns the rows so far. */
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
    // Past the end of the text the code is NaN, which is no digit.
    const digit = DIGITS[hex.charCodeAt(i)] ?? 255
    if (digit === 255) throw new RangeError(`"${hex}" doesn't begin with ${HEX_DIGITS} hex digits.`)
    word = (word << 4) | digit
  }
  return word
}

/**
 * By row: the first row with the same hash. Uses an open-addressing table that is at most half full; time and memory (4
 * bytes per row, and 8 to 16 while it runs) don't depend on how often a hash repeats.
 */
export function firstOfEach({ high, low }: Hashes): Uint32Array {
  const rows = high.length
  const bits = Math.max(1, Math.ceil(Math.log2(2 * rows + 2)))
  const mask = 2 ** bits - 1
  /** Row + 1, or 0 for an empty slot. */
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

/** Number of differing bits of two 64-bit hashes, from the exclusive ors of their halves. */
export function bitsOf(high: number, low: number): number {
  let a = (high - ((high >>> 1) & 0x55555555)) | 0
  let b = (low - ((low >>> 1) & 0x55555555)) | 0
  a = (a & 0x33333333) + ((a >>> 2) & 0x33333333)
  b = (b & 0x33333333) + ((b >>> 2) & 0x33333333)
  // 4-bit digits of at most 4 each: the sum of two fits into a digit, the sum of four doesn't.
  const both = (a + b) | 0
  const sum = ((both & 0x0f0f0f0f) + ((both >>> 4) & 0x0f0f0f0f)) | 0
  return Math.imul(sum, 0x01010101) >>> 24
}
