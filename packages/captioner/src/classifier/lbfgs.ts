import { addScaled, dot } from './vectors.ts'

/** A smooth function: returns its value at a point and writes its gradient there, which has the point's length. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number

export interface MinimiseOptions {
  /** Stops where the gradient's length is this share of its length at the start. Unless given, 1e-5. */
  readonly tolerance?: number
  /** Unless given, 1000. */
  readonly maxIterations?: number
}

export interface Minimum {
  readonly point: Float64Array
  readonly value: number
  /** Euclidean length of the gradient at the point. */
  readonly gradientNorm: number
  readonly iterations: number
  /** False where the iterations or the precision of a double ran out before the tolerance was met. */
  readonly converged: boolean
}

/** Pairs of steps and gradient changes that stand for the curvature; 10 is the usual choice, more only costs memory. */
const HISTORY = 10

/** Constants of the Wolfe conditions as Nocedal and Wright, "Numerical Optimization" (3.1), give them for quasi-Newton. */
const SUFFICIENT_DECREASE = 1e-4
const CURVATURE = 0.9
/** Halvings or doublings of one step: 2^60 is more than the precision of a double. */
const MAX_TRIALS = 60
/** Differences of values below this share of the value are rounding. */
const ROUNDING = 1e-13

interface Place {
  readonly point: Float64Array
  readonly gradient: Float64Array
  readonly value: number
}

/** A step that was taken and what it did to the gradient, with 1 / (step . change). */
interface Pair {
  readonly step: Float64Array
  readonly change: Float64Array
  readonly rho: number
}

/**
 * The minimum of a smooth convex function by L-BFGS (Nocedal and Wright, algorithm 7.5). The same input takes the same
 * steps: nothing is drawn at random.
 */
export function minimise(
  objective: Objective,
  start: Float64Array,
  { tolerance = 1e-5, maxIterations = 1000 }: MinimiseOptions = {},
): Minimum {
  const measure = (point: Float64Array): Place => {
    const gradient = new Float64Array(point.length)
    return { point, value: objective(point, gradient), gradient }
  }
  let here = measure(start.slice())
  let norm = length(here.gradient)
  const goal = norm * tolerance
  const history: Pair[] = []
  let iterations = 0
  while (norm > goal && iterations < maxIterations) {
    const direction = descent(here.gradient, history)
    // With no curvature known yet, a step of length 1 is the safe guess; later the pairs give the step its scale.
    const next = search(measure, here, direction, history.length === 0 ? Math.min(1, 1 / norm) : 1)
    if (!next) break
    const pair = pairOf(here, next)
    if (pair) {
      if (history.length === HISTORY) history.shift()
      history.push(pair)
    }
    here = next
    norm = length(here.gradient)
    iterations++
  }
  return { point: here.point, value: here.value, gradientNorm: norm, iterations, converged: norm <= goal }
}

/** The two-loop recursion: minus the inverse curvature, as the pairs know it, times the gradient. */
function descent(gradient: Float64Array, history: readonly Pair[]): Float64Array {
  const direction = gradient.map((x) => -x)
  const alphas: number[] = []
  for (const { step, change, rho } of history.toReversed()) {
    const alpha = rho * dot(step, direction)
    addScaled(direction, change, -alpha)
    alphas.push(alpha)
  }
  const latest = history.at(-1)
  if (latest) {
    const scale = 1 / (latest.rho * dot(latest.change, latest.change))
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale
  }
  for (const { step, change, rho } of history) {
    addScaled(direction, step, alphas.pop()! - rho * dot(change, direction))
  }
  return direction
}

/**
 * A step that meets the weak Wolfe conditions, by bisection (Lewis and Overton, "Nonsmooth optimization via quasi-Newton
 * methods", algorithm 2.6): it decreases the value enough, and flattens the slope enough for the pair that it makes to
 * keep the curvature positive definite.
 *
 * @returns undefined where rounding leaves no such step
 */
function search(
  measure: (point: Float64Array) => Place,
  here: Place,
  direction: Float64Array,
  firstStep: number,
): Place | undefined {
  const slope = dot(here.gradient, direction)
  if (!(slope < 0)) return undefined
  let [shortest, longest, step] = [0, Number.POSITIVE_INFINITY, firstStep]
  for (let trial = 0; trial < MAX_TRIALS; trial++) {
    const point = here.point.slice()
    addScaled(point, direction, step)
    const there = measure(point)
    const slopeThere = dot(there.gradient, direction)
    if (!decreases(here.value, there.value, step, slope, slopeThere)) longest = step
    else if (slopeThere < CURVATURE * slope) shortest = step
    else return there
    step = longest === Number.POSITIVE_INFINITY ? 2 * step : (shortest + longest) / 2
  }
  return undefined
}

/**
 * Armijo's condition. Close to the minimum the change of the value drowns in rounding while the slope is still exact, so
 * there the slope decides, by a condition that is the same for a parabola (Hager and Zhang, "approximate Wolfe").
 */
function decreases(before: number, after: number, step: number, slope: number, slopeAfter: number): boolean {
  if (after <= before + SUFFICIENT_DECREASE * step * slope) return true
  return after <= before + ROUNDING * Math.abs(before) && slopeAfter <= (2 * SUFFICIENT_DECREASE - 1) * slope
}

/** Undefined where rounding took the curvature's sign: such a pair would turn a later direction uphill. */
function pairOf(from: Place, to: Place): Pair | undefined {
  const step = to.point.map((x, i) => x - from.point[i]!)
  const change = to.gradient.map((x, i) => x - from.gradient[i]!)
  const curvature = dot(step, change)
  return curvature > Number.EPSILON * dot(change, change) ? { step, change, rho: 1 / curvature } : undefined
}

const length = (a: Float64Array): number => Math.sqrt(dot(a, a))
