import { bitsOf, firstOfEach, type Hashes } from './hashes.ts'
import { type Block, blockOf, SMALL, type Visitor, visitNearPairs } from './near-pairs.ts'

export { createHashColumn, type HashColumn, type Hashes } from './hashes.ts'

/** Bits of 64 in which two perceptual hashes may differ that count as one picture. */
export const DISTANCE = 4

/** This many in a bucket are compared with all others of it at once. */
const FEW = 24

/** Images that belong together. */
export interface Duplicates {
  /** Images that have at least one other in their group. */
  readonly images: number
  /** Groups of two or more. */
  readonly groups: number
  /** Images of the largest group, 0 where there is none. */
  readonly largest: number
  /** By row: the first row of its group, which is itself where nothing before it is like it. */
  readonly firstOf: Uint32Array
}

/**
 * Groups of images that look alike: those within `distance` bits of one another, and what is so near to one of them.
 * Exact, whatever the hashes. Five million that are spread take some 6 s, of which half in crowds around a few hashes
 * 15 s, all in one wide crowd a minute; memory: 45 bytes a row beside them.
 *
 * @param hashes perceptual ones, by row
 * @param options.distance bits of 64, from 0 on; its default is what counts as one picture
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
 * Groups of images whose files are equal.
 *
 * @param hashes the first 64 bits of each file's sha256: that any two of five million different files are taken for
 *   equal has a chance of 1 in 1.4 million
 */
export function exactDuplicates(hashes: Hashes): Duplicates {
  return duplicatesOf(firstOfEach(hashes))
}

/** How often captions repeat. */
export interface RepeatedCaptions {
  /** Pairs whose title another pair has too. */
  readonly pairs: number
  readonly distinct: number
  /** Pairs that have the most frequent title. */
  readonly most: number
}

/** @param hashes of the titles, by pair */
export function repeatedCaptions(hashes: Hashes): RepeatedCaptions {
  const firstOf = firstOfEach(hashes)
  const { images, groups, largest } = duplicatesOf(firstOf)
  const rows = firstOf.length
  return { pairs: images, distinct: rows - images + groups, most: rows === 0 ? 0 : Math.max(1, largest) }
}

/**
 * Finds the images of a benchmark among others. Exact, whatever the hashes. Five million against 100,000 take some 6 s,
 * in crowds around the same few hashes up to half a minute; memory: 50 to 95 bytes a row beside them.
 *
 * @param hashes perceptual ones, by row
 * @param benchmark those of the benchmark's images
 * @param distance bits of 64 in which the hash of an image and its match differ at most
 * @returns by row: index of the nearest benchmark image, of equally near ones the first, or -1
 */
export function matchAgainst(hashes: Hashes, benchmark: Hashes, distance = DISTANCE): Int32Array {
  const images = benchmark.high.length
  const rows = hashes.high.length
  // The benchmark first: so equal hashes lead to its first such image, and in every bucket its images stand before rows.
  const all = { high: joined(benchmark.high, hashes.high), low: joined(benchmark.low, hashes.low) }
  const first = firstOfEach(all)
  const nearest = new Int32Array(rows).fill(-1)
  let open = distinctOf(all, first)
  // By growing distance, so that a row which has its match is out of the way of the costlier ones.
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

/** Keeps by row the first image within `bits`. Ids below `images` are the benchmark's. */
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

/** Of each hash its first row, in order, with the row as id. */
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

/** The first row of the group so far; halves the way there for the next time. */
function rootOf(parents: Uint32Array, row: number): number {
  let at = row
  while (parents[at] !== at) at = parents[at] = parents[parents[at]!]!
  return at
}

/** One of the group that most of a bucket's first rows are in (the vote of Boyer and Moore). */
function majorityOf(parents: Uint32Array, id: Uint32Array, from: number, to: number): number {
  let [row, lead] = [id[from]!, 0]
  for (let at = from; at < Math.min(to, from + SMALL); at++) {
    if (lead === 0) row = id[at]!
    lead += rootOf(parents, id[at]!) === rootOf(parents, row) ? 1 : -1
  }
  return row
}

/** Of a large bucket most are of one group: the few others are compared with all until they are of it too. */
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

/** The earlier root stays, so that a group's root is its first row whatever the order of pairs. */
function unite(parents: Uint32Array, a: number, b: number): void {
  const [rootA, rootB] = [rootOf(parents, a), rootOf(parents, b)]
  if (rootA < rootB) parents[rootB] = rootA
  else parents[rootA] = rootB
}

/** @param parents by row: itself or an earlier row of its group. Made to hold the first row of each group. */
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
