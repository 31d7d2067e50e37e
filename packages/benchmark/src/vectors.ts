/** Cosine of two unit vectors, added up in double precision and in the same order wherever the vectors stand. */
export function cosine(a: Float32Array, b: Float32Array, aFrom = 0, bFrom = 0, length = a.length): number {
  let sum = 0
  for (let i = 0; i < length; i++) sum += a[aFrom + i]! * b[bFrom + i]!
  return sum
}

/** Mean of unit vectors, scaled to length 1. */
export function meanDirection(vectors: readonly Float32Array[]): Float32Array {
  const sum = new Float64Array(vectors[0]!.length)
  for (const vector of vectors) for (let i = 0; i < sum.length; i++) sum[i]! += vector[i]!
  const length = Math.hypot(...sum)
  return Float32Array.from(sum, (value) => (length > 0 ? value / length : 0))
}
