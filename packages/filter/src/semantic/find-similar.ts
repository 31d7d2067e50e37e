import { breather } from '@skyscript/core'
import { shared } from '../shared-arrays.ts'
import type { Embeddings } from './embeddings-file.ts'
import { dot, SKETCH, sketchesOf } from './sketches.ts'
import { LEAF, splitTree } from './split-tree.ts'

/** Trees that are tried: each parts some neighbours, and few are parted by all. */
const TREES = 6

/** Pairs whose images look like those of better pairs. */
export interface SimilarRows {
  /** By row: the better row that it resembles, or -1. That row may itself resemble a still better one. */
  readonly like: Int32Array
  /** By row: the cosine of both, where there is one. */
  readonly cosines: Float32Array
}

/**
 * Finds rows whose embedding has at least a cosine with that of a better row.
 *
 * Approximate: rows are compared in groups of neighbours, several times with other borders, which misses few of them. What is found
 * has that cosine exactly. Time is some 100 times the number of rows; memory 64 bytes per row, and 20 more.
 *
 * @param ranked the rows that take part, best first
 */
export async function findSimilar(
  embeddings: Embeddings,
  ranked: Uint32Array,
  least: number,
  signal?: AbortSignal,
): Promise<SimilarRows> {
  const { rows } = embeddings
  const { data, limitFor } = await sketchesOf(embeddings)
  const limit = limitFor(least)
  const rank = new Uint32Array(rows)
  for (const [place, row] of ranked.entries()) rank[row] = place
  const like = shared.integers(rows).fill(-1)
  const cosines = shared.singles(rows)
  /** The sketches of a leaf. */
  const near = new Int32Array(LEAF * SKETCH)
  const breathe = breather()
  for (let tree = 0; tree < TREES; tree++) {
    const open = ranked.filter((row) => like[row]! < 0)
    for (const leaf of splitTree(data, open, tree)) {
      await breathe()
      signal?.throwIfAborted()
      leaf.sort((a, b) => rank[a]! - rank[b]!)
      const vectors: { readonly vector: Int8Array; readonly square: number }[] = []
      const vectorAt = (at: number) => {
        const vector = vectors[at]?.vector ?? embeddings.at(leaf[at]!)
        return (vectors[at] ??= { vector, square: dot(vector, vector) })
      }
      for (const [at, row] of leaf.entries()) near.set(data.subarray(row * SKETCH, (row + 1) * SKETCH), at * SKETCH)
      const kept: number[] = []
      for (let at = 0; at < leaf.length; at++) {
        const row = leaf[at]!
        for (const other of kept) {
          if (!isNear(near, at * SKETCH, other * SKETCH, limit)) continue
          const [a, b] = [vectorAt(at), vectorAt(other)]
          const cosine = dot(a.vector, b.vector) / Math.sqrt(a.square * b.square)
          if (!(cosine >= least)) continue
          like[row] = leaf[other]!
          cosines[row] = cosine
          break
        }
        if (like[row]! < 0) kept.push(at)
      }
    }
  }
  return { like, cosines }
}

/** Whether the squared distance of two sketches is at most `limit`. */
function isNear(data: Int32Array, a: number, b: number, limit: number): boolean {
  let sum = 0
  for (let i = 0; i < SKETCH; i += 4) {
    const first = (data[a + i]! - data[b + i]!) | 0
    const second = (data[a + i + 1]! - data[b + i + 1]!) | 0
    const third = (data[a + i + 2]! - data[b + i + 2]!) | 0
    const fourth = (data[a + i + 3]! - data[b + i + 3]!) | 0
    sum = (sum + first * first + second * second + third * third + fourth * fourth) | 0
    if (sum > limit) return false
  }
  return true
}
