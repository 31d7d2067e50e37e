/** A function's value, and its gradient, which may be kept. */
export interface Slope {
  readonly value: number
  readonly gradient: Float64Array
}

/** Differences kept for the estimate of the curvature. */
const MEMORY = 10
/** A step must lower the value by this share of what the slope promises (Armijo's rule). */
const ENOUGH = 1e-4
/** Products in single precision make values uncertain by this share. */
const NOISE = 1e-7
const HALVINGS = 20

/**
 * Minimises a smooth convex function by L-BFGS (Nocedal and Wright, Numerical Optimization, 2nd edition, algorithms 7.4 and 7.5) with
 * steps that are halved until they are good enough.
 *
 * @param start where to begin; unchanged
 * @param options.tolerance ends when no part of the gradient is larger
 */
export async function minimize(
  slopeAt: (point: Float64Array) => Promise<Slope>,
  start: Float64Array,
  { tolerance, steps }: { readonly tolerance: number; readonly steps: number },
): Promise<Float64Array> {
  let point: Float64Array = Float64Array.from(start)
  let slope = await slopeAt(point)
  const memory: { moved: Float64Array; turned: Float64Array; scale: number }[] = []
  for (let step = 0; step < steps && largest(slope.gradient) > tolerance; step++) {
    const direction = directionOf(slope.gradient, memory)
    const descent = dot(direction, slope.gradient)
    let length = memory.length === 0 ? Math.min(1, 1 / Math.sqrt(-descent)) : 1
    let next: { point: Float64Array; slope: Slope } | null = null
    for (let halving = 0; halving < HALVINGS && next === null; halving++, length /= 2) {
      const tried = point.map((value, i) => value + length * direction[i]!)
      const found = await slopeAt(tried)
      const limit = slope.value + ENOUGH * length * descent + NOISE * Math.abs(slope.value)
      if (found.value <= limit) next = { point: tried, slope: found }
    }
    if (next === null) break
    const from = { point, slope }
    const moved = next.point.map((value, i) => value - from.point[i]!)
    const turned = next.slope.gradient.map((value, i) => value - from.slope.gradient[i]!)
    const curvature = dot(moved, turned)
    if (curvature > 1e-10 * dot(turned, turned)) {
      memory.push({ moved, turned, scale: 1 / curvature })
      if (memory.length > MEMORY) memory.shift()
    }
    point = next.point
    slope = next.slope
  }
  return point
}

function directionOf(
  gradient: Float64Array,
  memory: readonly { moved: Float64Array; turned: Float64Array; scale: number }[],
): Float64Array {
  const direction = gradient.map((value) => -value)
  const shares: number[] = []
  for (const { moved, turned, scale } of memory.toReversed()) {
    const share = scale * dot(moved, direction)
    shares.push(share)
    for (let i = 0; i < direction.length; i++) direction[i]! -= share * turned[i]!
  }
  const last = memory.at(-1)
  if (last !== undefined) {
    const ratio = 1 / (last.scale * dot(last.turned, last.turned))
    for (let i = 0; i < direction.length; i++) direction[i]! *= ratio
  }
  for (const { moved, turned, scale } of memory) {
    const change = shares.pop()! - scale * dot(turned, direction)
    for (let i = 0; i < direction.length; i++) direction[i]! += change * moved[i]!
  }
  return direction
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

const largest = (values: Float64Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
