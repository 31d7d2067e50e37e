import type { Hashes } from './hashes.ts'

/** A bucket of this size is compared at once; dividing it further would take longer. */
export const SMALL = 16

/** What to do with a bucket: nothing (no pair in it adds information), compare its hashes, or divide it further. */
export type Decision = 'skip' | 'compare' | 'refine'

/** Hashes with their ids. */
export interface Block extends Hashes {
  readonly id: Uint32Array
}

/** Receives buckets: hashes from `from` up to `to` (exclusive) of a block, in input order. */
export interface Visitor {
  /** If set, only pairs of an id below this (these come first) with an id from it on are wanted; otherwise all pairs. */
  readonly firstOther?: number
  decide(block: Block, from: number, to: number): Decision
  compare(block: Block, from: number, to: number): void
}

/** log2 of the maximum number of buckets at a time: their counters stay in the fastest cache. */
const MOST_BITS = 12

/** Some bits of a hash. */
interface Bits {
  readonly high: number
  readonly low: number
}

/**
 * Shows buckets such that any two hashes that differ in at most `distance` bits share one. If the bits are cut into d + 2
 * bands, hashes that differ in d bits agree in at least two bands, so they are bucketed by each pair of bands (the
 * multi-index hashing of Norouzi et al., CVPR 2012, with two bands instead of one). A bucket that is still large is
 * divided again, by the bits that vary in it.
 *
 * Memory: 24 bytes per hash, and as much again for each further division of a bucket that holds most of them.
 *
 * @param source distinct hashes, or few duplicates of each
 */
export function visitNearPairs(source: Block, distance: number, visitor: Visitor): void {
  const ends: Uint32Array[] = []
  const blocks: Block[] = []

  const begin = (block: Block, from: number, to: number, depth: number) => {
    const bands = cut(varyingBits(block, from, to), distance + 2)
    if (bands === null) visitor.compare(block, from, to)
    else divide(block, from, to, bands, -1, depth)
  }

  /** @param first the band in which the whole bucket agrees, or -1 */
  const divide = (block: Block, start: number, end: number, bands: readonly Bits[], first: number, depth: number) => {
    const size = end - start
    if (depth === blocks.length || blocks[depth]!.id.length < size) blocks[depth] = blockOf(size)
    ends[depth] ??= new Uint32Array(2 ** MOST_BITS)
    const sorted = blocks[depth]!
    for (let i = first + 1; i < bands.length - (first < 0 ? 1 : 0); i++) {
      const buckets = group(block, start, end, bands[i]!, sorted, ends[depth]!, visitor.firstOther ?? Infinity)
      for (let bucket = 0, from = 0, to = 0; bucket < buckets; bucket++, from = to) {
        to = ends[depth]![bucket]!
        if (to - from < 2) continue
        const decision = visitor.decide(sorted, from, to)
        // Different keys may share a bucket: if all do, it can't be divided.
        if (decision === 'compare' || (decision === 'refine' && to - from === size)) visitor.compare(sorted, from, to)
        else if (decision === 'refine' && !isSeenBefore(sorted, from, to, bands, first, i)) {
          if (first < 0) divide(sorted, from, to, bands, i, depth + 1)
          else begin(sorted, from, to, depth + 1)
        }
      }
    }
  }

  if (source.id.length > 1) begin(source, 0, source.id.length, 0)
}

export const blockOf = (size: number): Block => ({
  high: new Uint32Array(size),
  low: new Uint32Array(size),
  id: new Uint32Array(size),
})

/** Whether a bucket of bands `i` and `j` agrees in an earlier band too: then all its pairs have shared a bucket before. */
function isSeenBefore(block: Block, from: number, to: number, bands: readonly Bits[], i: number, j: number): boolean {
  const varying = varyingBits(block, from, to)
  return bands.some(({ high, low }, k) => k < j && k !== i && (high & varying.high) === 0 && (low & varying.low) === 0)
}

/** The bits that are not equal in all hashes. */
function varyingBits({ high, low }: Block, from: number, to: number): Bits {
  const [firstHigh, firstLow] = [high[from]!, low[from]!]
  const bits = { high: 0, low: 0 }
  for (let at = from + 1; at < to; at++) {
    bits.high |= high[at]! ^ firstHigh
    bits.low |= low[at]! ^ firstLow
  }
  return bits
}

/** By bucket: number of its hashes for which others are sought. */
const sought = new Uint32Array(2 ** MOST_BITS)

/**
 * Counting sort: hashes that agree in `band` become adjacent, in input order.
 *
 * @param ends receives the end of each bucket in `out`
 * @param firstOther hashes with ids from it on are left out if their bucket has none below it
 * @returns the number of buckets
 */
function group(
  { high, low, id }: Block,
  start: number,
  end: number,
  band: Bits,
  out: Block,
  ends: Uint32Array,
  firstOther: number,
): number {
  const [maskHigh, maskLow] = [band.high, band.low]
  const shift = Math.max(32 - MOST_BITS, Math.clz32(end - start) - 1)
  const buckets = 2 ** (32 - shift)
  ends.fill(0, 0, buckets)
  let other = firstOther === Infinity ? end : start
  while (other < end && id[other]! < firstOther) other++
  for (let at = start; at < other; at++) ends[mixed(high[at]! & maskHigh, low[at]! & maskLow) >>> shift]!++
  for (let bucket = 0; bucket < buckets; bucket++) sought[bucket] = ends[bucket]!
  for (let at = other; at < end; at++) ends[mixed(high[at]! & maskHigh, low[at]! & maskLow) >>> shift]!++
  for (let bucket = 0, sum = 0; bucket < buckets; bucket++) {
    const count = sought[bucket] === 0 ? 0 : ends[bucket]!
    ends[bucket] = sum
    sum += count
  }
  for (let at = start; at < end; at++) {
    const bucket = mixed(high[at]! & maskHigh, low[at]! & maskLow) >>> shift
    if (sought[bucket] === 0) continue
    const to = ends[bucket]!++
    out.high[to] = high[at]!
    out.low[to] = low[at]!
    out.id[to] = id[at]!
  }
  return buckets
}

/** The bits set in `bits`, cut into `count` parts of equal size (plus or minus one); null if there are fewer bits. */
function cut({ high, low }: Bits, count: number): Bits[] | null {
  const positions = Array.from({ length: 64 }, (_, bit) => bit).filter(
    (bit) => ((bit < 32 ? low : high) >>> (bit & 31)) & 1,
  )
  if (positions.length < count) return null
  return Array.from({ length: count }, (_, i) => {
    const band = { high: 0, low: 0 }
    const [from, to] = [i, i + 1].map((part) => Math.floor((part * positions.length) / count))
    for (const bit of positions.slice(from, to)) band[bit < 32 ? 'low' : 'high'] |= 1 << (bit & 31)
    return band
  })
}

function mixed(high: number, low: number): number {
  const both = Math.imul(Math.imul(high, 0x9e3779b1) ^ low, 0x85ebca6b)
  return Math.imul(both ^ (both >>> 15), 0xc2b2ae35)
}
