import { type Block, bandsOf } from './near-pairs.ts'

/** Bits of the filter, as a power of two: 2 MB at most, so that it stays in the processor's caches. */
const MOST_FILTER_BITS = 24
/** As a power of two, how many of them there are for each image: one in 256 is set, or fewer. */
const SPARSENESS = 8

/**
 * What may be within `distance` bits of a benchmark's image, with the benchmark before it: in some pair of bands its
 * bits are those of an image, as `visitNearPairs` explains. Nothing that is within it is left out; of five million
 * unlike a benchmark of 100,000, three in ten are kept at 4 bits and fewer below. One table look-up a row and pair.
 *
 * @param images ids below it are the benchmark's, which stand first
 * @param open whether a row's match is still sought
 */
export function candidates(block: Block, images: number, distance: number, open: (id: number) => boolean): Block {
  const { high, low, id } = block
  const size = id.length
  let first = 0
  while (first < size && id[first]! < images) first++
  const filterBits = Math.min(MOST_FILTER_BITS, Math.ceil(Math.log2(first + 1)) + SPARSENESS)
  const filter = new Uint32Array(2 ** (filterBits - 5))
  const mask = 2 ** filterBits - 1
  const keep = new Uint8Array(size).fill(1, 0, first)
  const half = Math.ceil((distance + 2) / 2)
  const bands = [...bandsOf('low', 32, half, 32), ...bandsOf('high', 32, distance + 2 - half, 32)]
  for (const [i, a] of bands.entries()) {
    for (const b of bands.slice(i + 1)) {
      const [wordA, wordB] = [block[a.word], block[b.word]]
      const [shiftA, shiftB, maskA, maskB] = [a.shift, b.shift, a.mask, b.mask]
      filter.fill(0)
      for (let at = 0; at < first; at++) {
        const key = keyOf((wordA[at]! >>> shiftA) & maskA, (wordB[at]! >>> shiftB) & maskB) & mask
        filter[key >>> 5]! |= 1 << (key & 31)
      }
      for (let at = first; at < size; at++) {
        const key = keyOf((wordA[at]! >>> shiftA) & maskA, (wordB[at]! >>> shiftB) & maskB) & mask
        keep[at]! |= (filter[key >>> 5]! >>> (key & 31)) & 1
      }
    }
  }
  let kept = first
  for (let at = first; at < size; at++) kept += keep[at] = keep[at]! & (open(id[at]!) ? 1 : 0)
  const out = { high: new Uint32Array(kept), low: new Uint32Array(kept), id: new Uint32Array(kept) }
  for (let at = 0, to = 0; at < size; at++) {
    if (keep[at] === 0) continue
    out.high[to] = high[at]!
    out.low[to] = low[at]!
    out.id[to++] = id[at]!
  }
  return out
}

function keyOf(a: number, b: number): number {
  const mixed = Math.imul(Math.imul(a, 0x9e3779b1) ^ b, 0x85ebca6b)
  return mixed ^ (mixed >>> 15)
}
