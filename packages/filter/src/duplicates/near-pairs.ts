/**
 * Every pair of hashes within a few bits, without comparing each with each: hashes that differ in at most d bits agree
 * in two or more of d + 2 bands of those bits, wherever the bands are cut. So they are sorted into buckets by each pair
 * of bands, and only what shares a bucket is compared (the multi-index hashing of Norouzi et al., CVPR 2012, with two
 * bands instead of one). A bucket that is too large for that has few bits left that vary in it: these are cut into bands
 * anew, which is exact for the same reason, and as distinct hashes of v bits are at most 2^v, it comes to an end.
 */
import type { Hashes } from './hashes.ts'

/** A bucket of so many is compared at once; sorting it further would take longer. */
export const SMALL = 16

/** Widest key of a band, bits. Counters of 2^11 stay in the fastest cache; a wider band is sorted by its lowest bits. */
const KEY_BITS = 11

/** Hashes side by side with the numbers they are known by. */
export interface Block extends Hashes {
  readonly id: Uint32Array
}

/** What to do with a bucket: nothing, as no pair in it says anything new, compare each with each, or sort it further. */
export type Decision = 'skip' | 'compare' | 'refine'

export interface Visitor {
  /**
   * Only pairs of an id below this with one from it on are wanted: of a benchmark with others, and those below stand
   * first. Without it every pair is.
   */
  readonly firstOther?: number
  /** Asked of every bucket of two or more, with its rows from `from` to before `to`, in the order they came in. */
  decide(block: Block, from: number, to: number): Decision
  compare(block: Block, from: number, to: number): void
}

interface Band {
  readonly word: 'high' | 'low'
  readonly shift: number
  readonly mask: number
}

/** Workspace of one depth. Grows as asked, and serves every bucket that is refined at that depth. */
interface Level {
  /** The bucket, of its bits only those that vary. */
  all: Block
  /** Sorted by one band. */
  once: Block
  /** One bucket of those, sorted by a second band. */
  twice: Block
  readonly onceEnds: Uint32Array
  readonly twiceEnds: Uint32Array
}

const blockOf = (size: number): Block => ({
  high: new Uint32Array(size),
  low: new Uint32Array(size),
  id: new Uint32Array(size),
})

/** A block of that size or more. Some room to spare, for the next bucket may be a little larger. */
const grown = (block: Block, size: number): Block =>
  block.id.length >= size ? block : blockOf(block.id.length === 0 ? size : Math.ceil(size * 1.25))

/**
 * Shows `visitor` buckets, so that any two hashes of `source` which differ in at most `distance` bits are together in at
 * least one that it is asked to decide on. They are to be distinct, or few of each.
 *
 * Memory: 24 bytes a hash, and where a bucket holds most of them as much again for each time it is refined.
 */
export function visitNearPairs(source: Block, distance: number, visitor: Visitor): void {
  const levels: Level[] = []
  const firstOther = visitor.firstOther ?? 0
  refine(source, 0, source.id.length, 0)

  function refine(from: Block, start: number, end: number, depth: number): void {
    const size = end - start
    const level = (levels[depth] ??= emptyLevel())
    const positions = bitPositions(varyingBits(from, start, end))
    if (positions.length <= distance) return visitor.compare(from, start, end)
    level.all = grown(level.all, size)
    level.once = grown(level.once, size)
    const { all, once } = level
    const bands = compact(from, start, end, positions, distance + 2, all)
    for (let i = 0; i < bands.length - 1; i++) {
      sortByBand(all, 0, size, bands[i]!, once, level.onceEnds, firstOther)
      for (let bucket = 0, left = 0; bucket <= bands[i]!.mask; bucket++) {
        const right = level.onceEnds[bucket]!
        if (right - left > 1) ofBucket(level, left, right, bands, i, depth)
        left = right
      }
    }
  }

  function ofBucket(level: Level, left: number, right: number, bands: readonly Band[], i: number, depth: number): void {
    const { once, twiceEnds } = level
    const decision = visitor.decide(once, left, right)
    if (decision === 'compare') visitor.compare(once, left, right)
    if (decision !== 'refine' || isSeenBefore(once, left, right, bands, i, i)) return
    level.twice = grown(level.twice, right - left)
    const { twice } = level
    for (let j = i + 1; j < bands.length; j++) {
      // Not many more buckets than hashes: passing the empty ones by takes time too.
      const band = { ...bands[j]!, mask: bands[j]!.mask & maskOf(33 - Math.clz32(right - left)) }
      sortByBand(once, left, right, band, twice, twiceEnds, firstOther)
      for (let bucket = 0, from = 0; bucket <= band.mask; bucket++) {
        const to = twiceEnds[bucket]!
        if (to - from > 1) {
          const what = visitor.decide(twice, from, to)
          if (what === 'compare') visitor.compare(twice, from, to)
          else if (what === 'refine' && !isSeenBefore(twice, from, to, bands, i, j)) refine(twice, from, to, depth + 1)
        }
        from = to
      }
    }
  }
}

const emptyLevel = (): Level => ({
  ...{ all: blockOf(0), once: blockOf(0), twice: blockOf(0) },
  onceEnds: new Uint32Array(2 ** KEY_BITS),
  twiceEnds: new Uint32Array(2 ** KEY_BITS),
})

/**
 * Whether all of a bucket of bands i and j agree in an earlier band too: then each two of it have been together in a
 * bucket of that band.
 */
function isSeenBefore(block: Block, from: number, to: number, bands: readonly Band[], i: number, j: number): boolean {
  const varying = varyingBits(block, from, to)
  return bands.some(({ word, shift, mask }, k) => k < j && k !== i && ((varying[word] >>> shift) & mask) === 0)
}

/** The bits in which not all of the hashes agree. */
function varyingBits({ high, low }: Block, from: number, to: number): { readonly high: number; readonly low: number } {
  const [firstHigh, firstLow] = [high[from]!, low[from]!]
  let [inHigh, inLow] = [0, 0]
  for (let at = from + 1; at < to; at++) {
    inHigh |= high[at]! ^ firstHigh
    inLow |= low[at]! ^ firstLow
  }
  return { high: inHigh, low: inLow }
}

/** Positions of the bits that are set, from the lowest up: 0 to 31 in `low`, 32 to 63 in `high`. */
function bitPositions({ high, low }: { readonly high: number; readonly low: number }): number[] {
  const positions: number[] = []
  for (let bit = 0; bit < 64; bit++) if (((bit < 32 ? low : high) >>> (bit & 31)) & 1) positions.push(bit)
  return positions
}

/** Some bits of a word that go to the same place in another, `to` bits further up. */
interface Run {
  readonly from: 'high' | 'low'
  readonly shift: number
  readonly mask: number
  readonly to: number
}

/**
 * Copies hashes with only the bits at `positions`, half of them in each word so that no band lies across both.
 *
 * @returns the bands of these bits
 */
function compact(
  { high, low, id }: Block,
  start: number,
  end: number,
  positions: readonly number[],
  count: number,
  out: Block,
): Band[] {
  const lowBands = Math.ceil(count / 2)
  const lowBits = Math.min(32, Math.ceil((positions.length * lowBands) / count))
  const halves = [positions.slice(0, lowBits), positions.slice(lowBits)]
  const lowRuns = runsOf(halves[0]!)
  const highRuns = runsOf(halves[1]!)
  for (let at = start, to = 0; at < end; at++, to++) {
    const [h, l] = [high[at]!, low[at]!]
    out.low[to] = gathered(h, l, lowRuns)
    out.high[to] = gathered(h, l, highRuns)
    out.id[to] = id[at]!
  }
  return [...bandsOf('low', halves[0]!.length, lowBands), ...bandsOf('high', halves[1]!.length, count - lowBands)]
}

function gathered(high: number, low: number, runs: readonly Run[]): number {
  let word = 0
  for (let i = 0; i < runs.length; i++) {
    const { from, shift, mask, to } = runs[i]!
    word |= (((from === 'high' ? high : low) >>> shift) & mask) << to
  }
  return word
}

function runsOf(positions: readonly number[]): Run[] {
  const runs: Run[] = []
  for (let at = 0; at < positions.length; ) {
    const first = positions[at]!
    let length = 1
    while (positions[at + length] === first + length && (first + length) % 32 !== 0) length++
    runs.push({ from: first < 32 ? 'low' : 'high', shift: first & 31, mask: maskOf(length), to: at })
    at += length
  }
  return runs
}

const maskOf = (bits: number) => (bits >= 32 ? -1 : (1 << bits) - 1)

/** Cuts the lowest `bits` of a word into `count` bands of equal width, give or take one, of which keys take `keyBits`. */
export function bandsOf(word: 'high' | 'low', bits: number, count: number, keyBits = KEY_BITS): Band[] {
  return Array.from({ length: count }, (_, i) => {
    const shift = Math.floor((i * bits) / count)
    const width = Math.floor(((i + 1) * bits) / count) - shift
    return { word, shift: Math.min(shift, 31), mask: maskOf(Math.min(width, keyBits)) }
  })
}

/** By key of a band: whether a hash is there that others are sought for. */
const sought = new Uint8Array(2 ** KEY_BITS)

/**
 * Counting sort: those that agree in the band side by side, in the order they came in.
 *
 * @param out takes them, from its start
 * @param ends receives for each key where its bucket ends in `out`
 * @param firstOther leaves out, where it isn't 0, what shares its bucket with no id below it
 */
function sortByBand(
  from: Block,
  start: number,
  end: number,
  band: Band,
  out: Block,
  ends: Uint32Array,
  firstOther: number,
): void {
  const { shift, mask } = band
  const word = from[band.word]
  const { high, low, id } = from
  const { high: outHigh, low: outLow, id: outId } = out
  if (firstOther > 0) {
    sought.fill(0, 0, mask + 1)
    for (let at = start; at < end && id[at]! < firstOther; at++) sought[(word[at]! >>> shift) & mask] = 1
  } else sought.fill(1, 0, mask + 1)
  ends.fill(0, 0, mask + 1)
  for (let at = start; at < end; at++) ends[(word[at]! >>> shift) & mask]!++
  for (let key = 0, sum = 0; key <= mask; key++) {
    const count = sought[key]! * ends[key]!
    ends[key] = sum
    sum += count
  }
  for (let at = start; at < end; at++) {
    const key = (word[at]! >>> shift) & mask
    if (sought[key] === 0) continue
    const to = ends[key]!++
    outHigh[to] = high[at]!
    outLow[to] = low[at]!
    outId[to] = id[at]!
  }
}
