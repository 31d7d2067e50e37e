/** Cosine of two unit vectors, added up in double precision and in the same order wherever the vectors stand. */
export function cosine(a: Float32Array, b: Float32Array, aFrom = 0, bFrom = 0, length = a.length): number {
  let sum = 0
  for (let i = 0; i < length; i++) sum += a[aFrom + i]! * b[bFrom + i]!
  return sum
}

/**
 * Returns the cosines of a vector with some fixed ones, each the same to the last bit as by `cosine`. Four sums that don't wait for
 * each other take a quarter of the time.
 */
export function cosinesWith(vectors: readonly Float32Array[]): (of: Float32Array) => Float64Array {
  const doubles = vectors.map((vector) => new Float64Array(vector))
  const vectorAt = (i: number) => doubles[Math.min(i, doubles.length - 1)]!
  return (of) => {
    const double = new Float64Array(of)
    const cosines = new Float64Array(doubles.length)
    // What is written past the end of the array is ignored.
    for (let i = 0; i < doubles.length; i += 4)
      addFour(double, vectorAt(i), vectorAt(i + 1), vectorAt(i + 2), vectorAt(i + 3), cosines, i)
    return cosines
  }
}

function addFour(
  of: Float64Array,
  a: Float64Array,
  b: Float64Array,
  c: Float64Array,
  d: Float64Array,
  out: Float64Array,
  at: number,
): void {
  let first = 0
  let second = 0
  let third = 0
  let fourth = 0
  for (let i = 0; i < of.length; i++) {
    const value = of[i]!
    first += value * a[i]!
    second += value * b[i]!
    third += value * c[i]!
    fourth += value * d[i]!
  }
  out[at] = first
  out[at + 1] = second
  out[at + 2] = third
  out[at + 3] = fourth
}

/** Mean of unit vectors, scaled to length 1. */
export function meanDirection(vectors: readonly Float32Array[]): Float32Array {
  const sum = new Float64Array(vectors[0]!.length)
  for (const vector of vectors) for (let i = 0; i < sum.length; i++) sum[i]! += vector[i]!
  const length = Math.hypot(...sum)
  return Float32Array.from(sum, (value) => (length > 0 ? value / length : 0))
}
