import type { Objective } from './lbfgs.ts'
import { addScaled, dot } from './vectors.ts'

/** What a multinomial logistic regression of K classes is fitted to: n rows of d numbers. */
export interface SoftmaxProblem {
  /** n rows of d numbers. */
  readonly rows: readonly Float64Array[]
  readonly dimension: number
  /** The class of each row, in [0, K). */
  readonly targets: Uint8Array
  /** What the loss of a row counts, by its class; K numbers. */
  readonly classWeights: readonly number[]
  /** Strength of the regularisation. */
  readonly l2: number
}

/**
 * `sum of weight * -log p(class of the row) + l2 / 2 * |weights|^2` with its gradient. A point is K x d weights, class by
 * class, then K biases, which are not regularised. This is scikit-learn's objective divided by its C, so l2 = 1 / C.
 */
export function softmaxObjective({ rows, dimension, targets, classWeights, l2 }: SoftmaxProblem): Objective {
  const classes = classWeights.length
  const biases = classes * dimension
  const byClass = (all: Float64Array) =>
    Array.from({ length: classes }, (_, k) => all.subarray(k * dimension, (k + 1) * dimension))
  // The loops over all numbers have functions of their own: inside this closure V8 compiles them to half the speed.
  const scores = rows.map(() => new Float64Array(classes))
  return (point, gradient) => {
    scoreRows(rows, byClass(point), scores)
    gradient.fill(0)
    let value = 0
    for (const [i, row] of scores.entries()) {
      const target = targets[i]!
      const weight = classWeights[target]!
      for (let k = 0; k < classes; k++) row[k]! += point[biases + k]!
      const score = row[target]!
      value += weight * (softmaxInPlace(row) - score)
      row[target]! -= 1
      for (let k = 0; k < classes; k++) gradient[biases + k]! += row[k]! *= weight
    }
    addRows(rows, scores, byClass(gradient))
    for (let j = 0; j < biases; j++) {
      value += (l2 / 2) * point[j]! * point[j]!
      gradient[j]! += l2 * point[j]!
    }
    return value
  }
}

/** The score of each row (n x d) in each class (weights K x d), without the bias; n x K. */
function scoreRows(
  rows: readonly Float64Array[],
  weights: readonly Float64Array[],
  scores: readonly Float64Array[],
): void {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    const scoresOfRow = scores[i]!
    for (let k = 0; k < weights.length; k++) scoresOfRow[k] = dot(weights[k]!, row)
  }
}

/** Adds each row to the gradient of each class, times its residual (n x K) there. */
function addRows(
  rows: readonly Float64Array[],
  residuals: readonly Float64Array[],
  gradients: readonly Float64Array[],
): void {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    const residualsOfRow = residuals[i]!
    for (let k = 0; k < gradients.length; k++) addScaled(gradients[k]!, row, residualsOfRow[k]!)
  }
}

/**
 * Scores to probabilities. The largest is taken off first, so that no exponential overflows.
 *
 * @returns the log of the sum of the scores' exponentials
 */
export function softmaxInPlace(scores: Float64Array): number {
  const largest = Math.max(...scores)
  let total = 0
  for (let k = 0; k < scores.length; k++) total += scores[k] = Math.exp(scores[k]! - largest)
  for (let k = 0; k < scores.length; k++) scores[k]! /= total
  return largest + Math.log(total)
}
