import { mixed, SKETCH } from './sketches.ts'

/** Rows of a leaf are compared with each other. */
export const LEAF = 256
/** Rows of a node that its two centres are found with, and steps of finding them. */
const SAMPLE = 96
const STEPS = 3

/**
 * Splits rows into groups of at most 256 neighbours: each node by two centres (2-means on a sample), each row to the nearer one, so
 * that borders run where few rows are. Trees of different numbers start from other rows, so that neighbours whom one parts are
 * together in another.
 *
 * @param rows reordered in place
 * @param tree number of the tree
 */
export function* splitTree(sketches: Int8Array, rows: Uint32Array, tree: number): Generator<Uint32Array> {
  const stack: [from: number, to: number][] = [[0, rows.length]]
  for (let node = 0; stack.length > 0; node++) {
    const [from, to] = stack.pop()!
    const size = to - from
    if (size <= LEAF) {
      if (size > 1) yield rows.subarray(from, to)
      continue
    }
    const middle = partition(sketches, rows, from, to, mixed(mixed(tree) ^ node))
    // Rows that can't be told apart.
    const at = middle === from || middle === to ? from + (size >> 1) : middle
    stack.push([at, to], [from, at])
  }
}

/** @returns the first row of the second part */
function partition(sketches: Int8Array, rows: Uint32Array, from: number, to: number, seed: number): number {
  const size = to - from
  const sample = Uint32Array.from({ length: SAMPLE }, (_, i) => rows[from + (mixed(seed + i) % size)]!)
  const centres = [0, 1].map((i) =>
    Float32Array.from(sketches.subarray(sample[i]! * SKETCH, (sample[i]! + 1) * SKETCH)),
  ) as [Float32Array, Float32Array]
  for (let step = 0; step < STEPS; step++) {
    const { normal, offset } = borderOf(centres)
    const sums = [new Float32Array(SKETCH), new Float32Array(SKETCH)]
    const counts = [0, 0]
    for (const row of sample) {
      const side = dot(sketches, row * SKETCH, normal) > offset ? 1 : 0
      counts[side]!++
      for (let i = 0; i < SKETCH; i++) sums[side]![i]! += sketches[row * SKETCH + i]!
    }
    for (const side of [0, 1] as const)
      if (counts[side]! > 0) centres[side] = sums[side]!.map((sum) => sum / counts[side]!)
  }
  const { normal, offset } = borderOf(centres)
  let [low, high] = [from, to]
  while (low < high) {
    const row = rows[low]!
    if (dot(sketches, row * SKETCH, normal) > offset) {
      rows[low] = rows[--high]!
      rows[high] = row
    } else low++
  }
  return low
}

/** Points x with normal * x > offset are nearer to the second centre. */
function borderOf([a, b]: readonly [Float32Array, Float32Array]) {
  const normal = b.map((value, i) => value - a[i]!)
  let offset = 0
  for (let i = 0; i < SKETCH; i++) offset += (normal[i]! * (a[i]! + b[i]!)) / 2
  return { normal, offset }
}

function dot(sketches: Int8Array, from: number, normal: Float32Array): number {
  let sum = 0
  for (let i = 0; i < SKETCH; i++) sum += sketches[from + i]! * normal[i]!
  return sum
}
