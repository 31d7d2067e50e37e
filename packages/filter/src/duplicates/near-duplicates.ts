import { shared } from '../shared-arrays.ts'
import { bitsOf, firstOfEach, type Hashes } from './hashes.ts'
import { type Block, blockOf, SMALL, type Visitor, visitNearPairs } from './near-pairs.ts'

/** Two images count as the same picture if their perceptual hashes differ in at most this many of 64 bits. */
const DISTANCE = 4

/** Up to this many hashes of a bucket are compared with all others at once. */
const FEW = 24

/** Groups of duplicate images. */
export interface Duplicates {
  /** Images with at least one other in their group. */
  readonly images: number
  /** Groups of two or more. */
  readonly groups: number
  /** Size of the largest group, 0 if there is none. */
  readonly largest: number
  /** By row: the first row of its group, which is the row itself if no earlier one is similar. */
  readonly firstOf: Uint32Array
}

/**
 * Groups images that look alike: single-linkage clusters of hashes within `distance` bits. Exact for any hashes. Five
 * million spread-out hashes take about 6 s; with half of them crowded around a few values 15 s; all in one wide crowd a
 * minute. Memory: 45 bytes per row in addition to the hashes.
 *
 * @param hashes perceptual hashes, by row
 * @param options.distance maximum number of differing bits (of 64), from 0; default: the limit for the same picture
 */
export function nearDuplicates(hashes: Hashes, options: { readonly distance?: number } = {}): Duplicates {
  const { distance = DISTANCE } = options
  const parents = firstOfEach(hashes)
  visitNearPairs(distinctOf(hashes, parents), distance, {
    decide({ id }, from, to) {
      if (to - from <= SMALL) return 'compare'
      const group = rootOf(parents, majorityOf(parents, id, from, to))
      let strangers = 0
      for (let at = from; at < to && strangers <= FEW; at++) if (rootOf(parents, id[at]!) !== group) strangers++
      return strangers === 0 ? 'skip' : strangers <= FEW ? 'compare' : 'refine'
    },
    compare(block, from, to) {
      if (to - from > SMALL) return compareStrangers(parents, block, from, to, distance)
      const { high, low, id } = block
      for (let a = from; a < to - 1; a++) {
        const [h, l] = [high[a]!, low[a]!]
        for (let b = a + 1; b < to; b++) {
          if (bitsOf(h ^ high[b]!, l ^ low[b]!) <= distance) unite(parents, id[a]!, id[b]!)
        }
      }
    },
  })
  return duplicatesOf(parents)
}

/**
 * Groups images with identical files.
 *
 * @param hashes the first 64 bits of each file's sha256: the chance that any two of five million different files
 *   collide is 1 in 1.4 million
 */
export function exactDuplicates(hashes: Hashes): Duplicates {
  return duplicatesOf(firstOfEach(hashes))
}

/** How often captions repeat. */
export interface RepeatedCaptions {
  /** Pairs that share their title with another pair. */
  readonly pairs: number
  readonly distinct: number
  /** Number of pairs with the most frequent title. */
  readonly most: number
}

/** @param hashes hashes of the titles, by pair */
export function repeatedCaptions(hashes: Hashes): RepeatedCaptions {
  const firstOf = firstOfEach(hashes)
  const { images, groups, largest } = duplicatesOf(firstOf)
  const rows = firstOf.length
  return { pairs: images, distinct: rows - images + groups, most: rows === 0 ? 0 : Math.max(1, largest) }
}

/**
 * Finds benchmark images among others. Exact for any hashes. Five million against 100,000 take about 6 s, crowded around
 * the same few hashes up to half a minute; memory: 50 to 95 bytes per row in addition to the hashes.
 *
 * @param hashes perceptual hashes, by row
 * @param benchmark hashes of the benchmark's images
 * @param distance maximum number of differing bits (of 64) between an image and its match
 * @returns by row: index of the nearest benchmark image (ties: the first), or -1
 */
export function matchAgainst(hashes: Hashes, benchmark: Hashes, distance = DISTANCE): Int32Array {
  const images = benchmark.high.length
  const rows = hashes.high.length
  // The benchmark comes first, so equal hashes lead to its first such image, and its images precede rows in every bucket.
  const all = { high: joined(benchmark.high, hashes.high), low: joined(benchmark.low, hashes.low) }
  const first = firstOfEach(all)
  const nearest = shared.integers(rows).fill(-1)
  let open = distinctOf(all, first)
  // By increasing distance, so that rows with a match are excluded from the more expensive passes.
  for (let bits = 1; bits <= distance && images > 0; bits++) {
    visitNearPairs(open, bits, matcher(images, nearest, bits))
    open = filtered(open, (row) => row < images || nearest[row - images]! < 0)
  }
  for (let row = 0; row < rows; row++) {
    const same = first[images + row]!
    nearest[row] = same < images ? same : nearest[same - images]!
  }
  return nearest
}

/** Records the first image within `bits` for each row. Ids below `images` belong to the benchmark. */
function matcher(images: number, nearest: Int32Array, bits: number): Visitor {
  return {
    firstOther: images,
    decide({ id }, from, to) {
      if (id[from]! >= images || id[to - 1]! < images) return 'skip'
      if (to - from <= SMALL || id[from + FEW]! >= images || id[to - 1 - FEW]! < images) return 'compare'
      return 'refine'
    },
    compare({ high, low, id }, from, to) {
      let middle = from
      while (middle < to && id[middle]! < images) middle++
      for (let at = middle; at < to; at++) {
        const row = id[at]! - images
        const [h, l] = [high[at]!, low[at]!]
        for (let image = from; image < middle; image++) {
          if (bitsOf(h ^ high[image]!, l ^ low[image]!) > bits) continue
          if (nearest[row]! < 0 || id[image]! < nearest[row]!) nearest[row] = id[image]!
        }
      }
    },
  }
}

/** The first row of each distinct hash, in order, with the row as id. */
const distinctOf = ({ high, low }: Hashes, first: Uint32Array): Block =>
  filtered({ high, low, id: first.map((_, row) => row) }, (row) => first[row] === row)

function filtered({ high, low, id }: Block, isWanted: (id: number) => boolean): Block {
  const wanted = id.filter(isWanted)
  const block = blockOf(wanted.length)
  for (let at = 0, to = 0; to < wanted.length; at++) {
    if (id[at] !== wanted[to]) continue
    block.high[to] = high[at]!
    block.low[to] = low[at]!
    block.id[to++] = id[at]!
  }
  return block
}

function joined(a: Uint32Array, b: Uint32Array): Uint32Array {
  const both = new Uint32Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

/** The first row of the group so far; halves the path to it. */
function rootOf(parents: Uint32Array, row: number): number {
  let at = row
  while (parents[at] !== at) at = parents[at] = parents[parents[at]!]!
  return at
}

/** A member of the group that most first rows of a bucket belong to (Boyer-Moore majority vote). */
function majorityOf(parents: Uint32Array, id: Uint32Array, from: number, to: number): number {
  let [row, lead] = [id[from]!, 0]
  for (let at = from; at < Math.min(to, from + SMALL); at++) {
    if (lead === 0) row = id[at]!
    lead += rootOf(parents, id[at]!) === rootOf(parents, row) ? 1 : -1
  }
  return row
}

/** Most hashes of a large bucket belong to one group: the others are compared with all until they join it. */
function compareStrangers(
  parents: Uint32Array,
  { high, low, id }: Block,
  from: number,
  to: number,
  most: number,
): void {
  const main = majorityOf(parents, id, from, to)
  for (let a = from; a < to; a++) {
    if (rootOf(parents, id[a]!) === rootOf(parents, main)) continue
    const [h, l] = [high[a]!, low[a]!]
    for (let b = from; b < to; b++) {
      if (bitsOf(h ^ high[b]!, l ^ low[b]!) > most) continue
      unite(parents, id[a]!, id[b]!)
      if (rootOf(parents, id[a]!) === rootOf(parents, main)) break
    }
  }
}

/** The earlier root is kept, so that a group's root is its first row for any order of pairs. */
function unite(parents: Uint32Array, a: number, b: number): void {
  const [rootA, rootB] = [rootOf(parents, a), rootOf(parents, b)]
  if (rootA < rootB) parents[rootB] = rootA
  else parents[rootA] = rootB
}

/** @param parents by row: itself or an earlier row of its group; changed in place to the first row of each group */
function duplicatesOf(parents: Uint32Array): Duplicates {
  const rows = parents.length
  const sizes = new Uint32Array(rows)
  for (let row = 0; row < rows; row++) {
    const first = parents[parents[row]!]!
    parents[row] = first
    sizes[first]!++
  }
  let [images, groups, largest] = [0, 0, 0]
  for (let row = 0; row < rows; row++) {
    const size = sizes[row]!
    if (size < 2) continue
    groups++
    images += size
    largest = Math.max(largest, size)
  }
  return { images, groups, largest, firstOf: parents }
}
