import type { Hashes } from './hashes.ts'

/** A bucket of this size is compared at once; dividing it further would take longer. */
export const SMALL = 16

/** What to do with a bucket: nothing, as no pair in it says anything new, compare its hashes, or divide it further. */
export type Decision = 'skip' | 'compare' | 'refine'

/** Hashes side by side with the numbers they are known by. */
export interface Block extends Hashes {
  readonly id: Uint32Array
}

/** Is shown buckets: hashes `from` to before `to` of a block, in the order they came in. */
export interface Visitor {
  /** Only pairs of an id below this, which stand first, with one from it on are wanted; without it every pair is. */
  readonly firstOther?: number
  decide(block: Block, from: number, to: number): Decision
  compare(block: Block, from: number, to: number): void
}

/** As a power of two, the most buckets at a time: their counters stay in the fastest cache. */
const MOST_BITS = 12

/** Some bits of a hash. */
interface Bits {
  readonly high: number
  readonly low: number
}

/**
 * Shows buckets such that any two hashes that differ in at most `distance` bits share one. Hashes that differ in d bits
 * agree in two or more of d + 2 bands of their bits, wherever these are cut, so they are divided by each pair of bands
 * (the multi-index hashing of Norouzi et al., CVPR 2012, with two bands instead of one). A bucket that is still large is
 * divided again, by the bits that vary in it.
 *
 * Memory: 24 bytes a hash, and as much for each further time that a bucket of most of them is divided.
 *
 * @param source distinct hashes, or few of each
 */
export function visitNearPairs(source: Block, distance: number, visitor: Visitor): void {
  const ends: Uint32Array[] = []
  const blocks: Block[] = []

  const begin = (block: Block, from: number, to: number, depth: number) => {
    const bands = cut(varyingBits(block, from, to), distance + 2)
    if (bands === null) visitor.compare(block, from, to)
    else divide(block, from, to, bands, -1, depth)
  }

  /** @param first the band in which the bucket agrees, or -1 */
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

/** Whether a bucket of bands `i` and `j` agrees in an earlier band too: then each two of it have shared a bucket before. */
function isSeenBefore(block: Block, from: number, to: number, bands: readonly Bits[], i: number, j: number): boolean {
  const varying = varyingBits(block, from, to)
  return bands.some(({ high, low }, k) => k < j && k !== i && (high & varying.high) === 0 && (low & varying.low) === 0)
}

/** The bits in which not all of the hashes agree. */
function varyingBits({ high, low }: Block, from: number, to: number): Bits {
  const [firstHigh, firstLow] = [high[from]!, low[from]!]
  const bits = { high: 0, low: 0 }
  for (let at = from + 1; at < to; at++) {
    bits.high |= high[at]! ^ firstHigh
    bits.low |= low[at]! ^ firstLow
  }
  return bits
}

/** By bucket: how many hashes are in it that others are sought for. */
const sought = new Uint32Array(2 ** MOST_BITS)

/**
 * Counting sort: hashes that agree in `band` come side by side, in the order they came in.
 *
 * @param ends takes for each bucket where it ends in `out`
 * @param firstOther hashes with ids from it on are left out where none below it is in their bucket
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

/** The bits that are set in `bits`, in `count` parts of equal size, give or take one; null for fewer bits than that. */
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
