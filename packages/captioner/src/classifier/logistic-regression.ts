import { minimise } from './lbfgs.ts'
import { softmaxInPlace, softmaxObjective } from './softmax-objective.ts'

/** A fitted multinomial logistic regression over raw embeddings of d numbers. */
export interface LogisticModel<Class> {
  /** The K classes that had a row; a class that had none gets no probability. */
  readonly classes: readonly Class[]
  /** K x d. */
  readonly weights: readonly (readonly number[])[]
  /** K numbers. */
  readonly bias: readonly number[]
}

export interface LogisticFit<Class> {
  /** n embeddings of equal length. */
  readonly embeddings: readonly Float32Array[]
  /** The class of each embedding. */
  readonly targets: readonly Class[]
  /** Every class that may occur, in the order that the model keeps; at most 256. */
  readonly classes: readonly Class[]
  /** Strength of the regularisation: 1 / C of scikit-learn. */
  readonly l2: number
  /**
   * `balanced`, unless given: a row counts n / (K * rows of its class), so that each class counts alike, as in
   * scikit-learn. `equal`: each row counts 1.
   */
  readonly weighting?: 'balanced' | 'equal'
  /** Share of the first gradient's length at which the fit is good enough. Unless given, 1e-5. */
  readonly tolerance?: number
}

/**
 * Minimises `sum of weight * -log p(class of the row) + l2 / 2 * |weights|^2` over rows standardised per dimension (mean
 * 0, variance 1), and folds the standardisation into the weights and biases that it returns. So it equals scikit-learn's
 * `make_pipeline(StandardScaler(), LogisticRegression(C=1 / l2, class_weight='balanced', multi_class='multinomial'))`.
 * Two classes are a softmax too, whose C is half of that of the usual one-sided logistic regression.
 */
export function fitLogisticRegression<Class>(fit: LogisticFit<Class>): LogisticModel<Class> {
  const { embeddings, targets, l2, weighting = 'balanced', tolerance } = fit
  const classes = fit.classes.filter((each) => targets.includes(each))
  const indexOf = new Map(classes.map((each, k) => [each, k]))
  const { rows, dimension, mean, scale } = standardised(embeddings)
  const indices = Uint8Array.from(targets, (target) => indexOf.get(target)!)
  const { point } = minimise(
    softmaxObjective({
      rows,
      dimension,
      targets: indices,
      classWeights: weighting === 'balanced' ? balancedWeights(indices, classes.length) : classes.map(() => 1),
      l2,
    }),
    new Float64Array(classes.length * (dimension + 1)),
    tolerance === undefined ? {} : { tolerance },
  )
  const weights = classes.map((_, k) => Array.from(scale, (each, j) => point[k * dimension + j]! / each))
  const bias = weights.map((row, k) =>
    row.reduce((sum, weight, j) => sum - weight * mean[j]!, point[classes.length * dimension + k]!),
  )
  return { classes, weights, bias }
}

/**
 * The probabilities of the model's classes, which sum to 1. Of a balanced fit they are those of classes that are
 * equally frequent.
 */
export function probabilities<Class>({ weights, bias }: LogisticModel<Class>, embedding: Float32Array): Float64Array {
  const scores = Float64Array.from(weights, (row, k) => {
    if (row.length !== embedding.length) {
      throw new RangeError(`An embedding of ${embedding.length} numbers doesn't fit a model of ${row.length}.`)
    }
    let score = bias[k]!
    for (let j = 0; j < row.length; j++) score += row[j]! * embedding[j]!
    if (!Number.isFinite(score)) throw new RangeError('An embedding must hold finite numbers only.')
    return score
  })
  softmaxInPlace(scores)
  return scores
}

/** The class of the highest probability; of equal ones the first. */
export function mostProbable<Class>(
  model: LogisticModel<Class>,
  embedding: Float32Array,
): { readonly choice: Class; readonly probability: number } {
  const each = probabilities(model, embedding)
  const best = each.indexOf(Math.max(...each))
  return { choice: model.classes[best]!, probability: each[best]! }
}

/** n / (K * rows of the class), for class indices that all occur. */
export function balancedWeights(indices: Uint8Array, classCount: number): number[] {
  const counts = new Array<number>(classCount).fill(0)
  for (const index of indices) counts[index]! += 1
  return counts.map((count) => indices.length / (classCount * count))
}

/** Of a float32: a dimension that varies by less, seen from its mean, varies only by rounding. */
const FLOAT32_EPSILON = 2 ** -23

/** Rows of mean 0 and variance 1 in each dimension; one of no variance stays at scale 1. */
function standardised(embeddings: readonly Float32Array[]): {
  readonly rows: readonly Float64Array[]
  readonly dimension: number
  readonly mean: Float64Array
  readonly scale: Float64Array
} {
  const n = embeddings.length
  const dimension = embeddings[0]?.length ?? 0
  const mean = new Float64Array(dimension)
  const scale = new Float64Array(dimension)
  for (const row of embeddings) {
    if (row.length !== dimension) {
      throw new RangeError(`Embeddings must be equally long, not of ${dimension} and ${row.length} numbers.`)
    }
    for (let j = 0; j < dimension; j++) mean[j]! += row[j]! / n
  }
  const rows = embeddings.map((embedding) => Float64Array.from(embedding, (x, j) => x - mean[j]!))
  for (const row of rows) {
    for (let j = 0; j < dimension; j++) scale[j]! += (row[j]! * row[j]!) / n
  }
  for (let j = 0; j < dimension; j++) {
    const deviation = Math.sqrt(scale[j]!)
    if (!Number.isFinite(deviation)) throw new RangeError('An embedding must hold finite numbers only.')
    scale[j] = deviation > FLOAT32_EPSILON * Math.abs(mean[j]!) ? deviation : 1
  }
  for (const row of rows) {
    for (let j = 0; j < dimension; j++) row[j]! /= scale[j]!
  }
  return { rows, dimension, mean, scale }
}
