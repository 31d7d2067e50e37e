/** Repeatable vectors for tests. */

/** Numbers in [-1, 1), the same for a seed (Park and Miller's generator). */
export function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return (2 * state) / 2_147_483_647 - 1
  }
}

export function unitVector(next: () => number, length: number): Float32Array {
  const vector = Float64Array.from({ length }, next)
  const norm = Math.hypot(...vector)
  return Float32Array.from(vector, (value) => value / norm)
}

export const unitVectors = (seed: number, count: number, length: number): Float32Array[] => {
  const next = numbers(seed)
  return Array.from({ length: count }, () => unitVector(next, length))
}

export function joined(vectors: readonly Float32Array[]): { data: Float32Array; length: number } {
  const length = vectors[0]!.length
  const data = new Float32Array(vectors.length * length)
  for (const [i, vector] of vectors.entries()) data.set(vector, i * length)
  return { data, length }
}
