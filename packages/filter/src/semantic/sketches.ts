import type { Embeddings } from './embeddings-file.ts'

/** Numbers in a sketch: distances are off by a fifth (standard deviation sqrt(2 / 64)). */
export const SKETCH = 64
/** A sketch's number 0.5 as a byte; unit vectors around their mean rarely have larger ones. */
const SCALE = 254

/**
 * Short forms of embeddings: unit vectors, less their mean, whose numbers are added up in 64 sums with alternating signs (a count
 * sketch). Distances between sketches are on average those between the embeddings.
 */
export interface Sketches {
  /** `SKETCH` signed bytes for each row. */
  readonly data: Int8Array
  /** The squared distance of sketches below which embeddings of this cosine are, but for one in a thousand. */
  limitFor(cosine: number): number
}

/** Memory: 64 bytes per row. Reads the embeddings twice. */
export async function sketchesOf(embeddings: Embeddings): Promise<Sketches> {
  const { rows, length } = embeddings
  const mean = new Float64Array(length)
  for await (const piece of embeddings.read()) {
    for (let from = 0; from < piece.length; from += length) {
      const scale = 1 / (normOf(piece, from, length) || 1)
      for (let i = 0; i < length; i++) mean[i]! += piece[from + i]! * scale
    }
  }
  for (let i = 0; i < length; i++) mean[i]! /= Math.max(1, rows)
  const [places, signs] = [new Uint8Array(length), new Int8Array(length)]
  for (let i = 0; i < length; i++) {
    const bits = mixed(i)
    places[i] = bits % SKETCH
    signs[i] = (bits >>> 16) & 1 ? 1 : -1
  }
  const data = new Int8Array(rows * SKETCH)
  const sums = new Float64Array(SKETCH)
  let row = 0
  for await (const piece of embeddings.read()) {
    for (let from = 0; from < piece.length; from += length, row++) {
      const scale = 1 / (normOf(piece, from, length) || 1)
      sums.fill(0)
      for (let i = 0; i < length; i++) sums[places[i]!]! += signs[i]! * (piece[from + i]! * scale - mean[i]!)
      for (let i = 0; i < SKETCH; i++)
        data[row * SKETCH + i] = Math.max(-127, Math.min(127, Math.round(sums[i]! * SCALE)))
    }
  }
  // Three standard deviations above the mean, and the rounding of 64 differences.
  const spread = 1 + 3 * Math.sqrt(2 / SKETCH)
  return { data, limitFor: (cosine) => (2 - 2 * cosine) * spread * SCALE ** 2 + SKETCH / 6 }
}

function normOf(vectors: Int8Array, from: number, length: number): number {
  let sum = 0
  for (let i = from; i < from + length; i++) sum += vectors[i]! ** 2
  return Math.sqrt(sum)
}

/** Sum of products. */
export function dot(a: Int8Array, b: Int8Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** A repeatable 32-bit number. */
export function mixed(value: number): number {
  let x = Math.imul(value ^ 0x9e3779b9, 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}
