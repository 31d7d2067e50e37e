import type { IntegerLine } from './shape.ts'

/** An edge between two vertices, by their index; of a segment, from its lower-left end. */
export interface Edge {
  readonly from: number
  readonly to: number
}

/** Numbers pairs of 32-bit integers in the order in which they first come. */
class PairNumbers {
  readonly firsts: number[] = []
  readonly seconds: number[] = []
  /** Number + 1 of a pair at its place by hash or after it; 0 where there is none. A power of two, at most half full. */
  #table: Int32Array

  constructor(expected: number) {
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(2 * expected + 2)))
  }

  numberOf(first: number, second: number): number {
    const table = this.#table
    const mask = table.length - 1
    const hash = Math.imul(Math.imul(first, 0x9e3779b1) ^ second, 0x85ebca6b)
    let at = (hash ^ (hash >>> 15)) & mask
    for (let known = table[at]!; known !== 0; known = table[at]!) {
      if (this.firsts[known - 1] === first && this.seconds[known - 1] === second) return known - 1
      at = (at + 1) & mask
    }
    table[at] = this.firsts.push(first)
    this.seconds.push(second)
    return this.firsts.length - 1
  }
}

/** Vertices by place, and the segments between them that occur an odd number of times. */
export function oddSegments(lines: readonly IntegerLine[]): { xs: number[]; ys: number[]; segments: Edge[] } {
  const size = lines.reduce((sum, line) => sum + line.length / 2, 0)
  const vertices = new PairNumbers(size)
  const pairs = new PairNumbers(size)
  const { firsts: xs, seconds: ys } = vertices
  const counts: number[] = []
  for (const line of lines) {
    let before = -1
    for (let i = 0; i < line.length; i += 2) {
      const vertex = vertices.numberOf(line[i]!, line[i + 1]!)
      if (before !== -1 && before !== vertex) {
        const forward = xs[before]! < xs[vertex]! || (xs[before] === xs[vertex] && ys[before]! < ys[vertex]!)
        const pair = forward ? pairs.numberOf(before, vertex) : pairs.numberOf(vertex, before)
        counts[pair] = (counts[pair] ?? 0) + 1
      }
      before = vertex
    }
  }
  const segments: Edge[] = []
  for (let i = 0; i < counts.length; i++)
    if (counts[i]! % 2 === 1) segments.push({ from: pairs.firsts[i]!, to: pairs.seconds[i]! })
  return { xs, ys, segments }
}

/** Twice the signed area of a triangle: positive if c is left of a -> b. Exact: factors stay below 2^32. */
export function turn(ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number {
  const left = (bx - ax) * (cy - ay)
  const right = (by - ay) * (cx - ax)
  // Near zero the doubles' rounding could hide on which side c is, so the exact product decides.
  if (Math.abs(left - right) > 2048 || (Math.abs(left) < 2 ** 52 && Math.abs(right) < 2 ** 52)) return left - right
  const exact = BigInt(bx - ax) * BigInt(cy - ay) - BigInt(by - ay) * BigInt(cx - ax)
  return exact > 0n ? 1 : exact < 0n ? -1 : 0
}

/**
 * Whether two segments meet other than end to end. Goes through them along one axis, and compares each with those that
 * begin before it ends: along the axis on which segments are short, so that these are few.
 */
export function anyCrossing(segments: readonly Edge[], xs: readonly number[], ys: readonly number[]): boolean {
  let [wide, high] = [0, 0]
  for (const { from, to } of segments) {
    wide += xs[to]! - xs[from]!
    high += Math.abs(ys[to]! - ys[from]!)
  }
  const [along, across] = wide <= high ? [xs, ys] : [ys, xs]
  const count = segments.length
  const order = orderOf(segments.map(({ from, to }) => Math.min(along[from]!, along[to]!)))
  const sides = new Float64Array(4 * count)
  for (let i = 0; i < count; i++) {
    const { from, to } = segments[order[i]!]!
    sides[4 * i] = Math.min(along[from]!, along[to]!)
    sides[4 * i + 1] = Math.max(along[from]!, along[to]!)
    sides[4 * i + 2] = Math.min(across[from]!, across[to]!)
    sides[4 * i + 3] = Math.max(across[from]!, across[to]!)
  }
  for (let i = 0; i < count; i++) {
    const [end, low, high] = [sides[4 * i + 1]!, sides[4 * i + 2]!, sides[4 * i + 3]!]
    for (let j = i + 1; j < count && sides[4 * j]! <= end; j++) {
      if (sides[4 * j + 2]! > high || sides[4 * j + 3]! < low) continue
      if (cross(segments[order[i]!]!, segments[order[j]!]!, xs, ys)) return true
    }
  }
  return false
}

/** Places and indices that one number can hold: 32 and 21 bits. */
const SORTED_AS_NUMBERS = 2 ** 21

/** Indices of integers of 32 bits by their value. */
function orderOf(places: readonly number[]): ArrayLike<number> {
  const count = places.length
  if (count > SORTED_AS_NUMBERS) return places.map((_, i) => i).sort((a, b) => places[a]! - places[b]!)
  // Numbers are sorted ten times as fast as by a function.
  const keys = new Float64Array(count)
  for (let i = 0; i < count; i++) keys[i] = places[i]! * SORTED_AS_NUMBERS + i
  keys.sort()
  const order = new Int32Array(count)
  for (let i = 0; i < count; i++) order[i] = keys[i]! - Math.floor(keys[i]! / SORTED_AS_NUMBERS) * SORTED_AS_NUMBERS
  return order
}

function cross(a: Edge, b: Edge, xs: readonly number[], ys: readonly number[]): boolean {
  const [ax0, ay0, ax1, ay1] = [xs[a.from]!, ys[a.from]!, xs[a.to]!, ys[a.to]!]
  const [bx0, by0, bx1, by1] = [xs[b.from]!, ys[b.from]!, xs[b.to]!, ys[b.to]!]
  const [a0, a1] = [turn(bx0, by0, bx1, by1, ax0, ay0), turn(bx0, by0, bx1, by1, ax1, ay1)]
  if (a0 === 0 && a1 === 0) {
    // On one line: they may touch end to end, but not overlap. Sorted ends make that a matter of which comes first.
    const before = (x0: number, y0: number, x1: number, y1: number) => x0 < x1 || (x0 === x1 && y0 < y1)
    return before(bx0, by0, ax1, ay1) && before(ax0, ay0, bx1, by1)
  }
  if (a.from === b.from || a.from === b.to || a.to === b.from || a.to === b.to) return false
  const [b0, b1] = [turn(ax0, ay0, ax1, ay1, bx0, by0), turn(ax0, ay0, ax1, ay1, bx1, by1)]
  return Math.sign(a0) * Math.sign(a1) <= 0 && Math.sign(b0) * Math.sign(b1) <= 0
}
