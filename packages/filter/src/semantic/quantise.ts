const LEVELS = 127

/**
 * An embedding in a byte for each number: its direction, scaled so that its largest number is 127. Cosines of such vectors differ from
 * those of the embeddings by some thousandths.
 */
export function quantise(embedding: Float32Array): Int8Array<ArrayBuffer> {
  let largest = 0
  for (const value of embedding) largest = Math.max(largest, Math.abs(value))
  return Int8Array.from(embedding, (value) => (largest === 0 ? 0 : Math.round((value / largest) * LEVELS)))
}

/** As text, for results of jobs. */
export const textOf = (vector: Int8Array): string =>
  Buffer.from(vector.buffer, vector.byteOffset, vector.length).toString('base64')
