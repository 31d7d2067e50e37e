import { openProducts } from '../block-products.ts'
import { minimize, type Slope } from './minimize.ts'

/** Unit vectors with the index of their class. */
export interface Example {
  readonly vector: Float32Array
  readonly label: number
}

const TOLERANCE = 1e-6
const STEPS = 1000

/**
 * Fits multinomial logistic regression with a penalty on the weights but not on the biases, as scikit-learn's
 * LogisticRegression: it minimises C times the sum of the losses plus half the squared weights, both divided by C times the
 * number of examples.
 *
 * @param strengths values of C, in the order in which they are fitted, each from the result of the one before
 * @returns for each C, and each class, its weights followed by its bias
 */
export async function fitLogistic(
  examples: readonly Example[],
  classes: number,
  strengths: readonly number[],
): Promise<Float32Array[][]> {
  const n = examples.length
  const length = examples[0]!.vector.length
  const rows = new Float32Array(n * length)
  const columns = new Float32Array(length * n)
  for (const [i, { vector }] of examples.entries()) {
    rows.set(vector, i * length)
    for (let k = 0; k < length; k++) columns[k * n + i] = vector[k]!
  }
  const [ofRows, ofColumns] = [await openProducts(length), await openProducts(n)]
  const size = classes * length

  const slopeAt = async (point: Float64Array, strength: number): Promise<Slope> => {
    const weights = Float32Array.from(point.subarray(0, size))
    const logits = await ofRows.multiply(rows, weights)
    const errors = new Float32Array(classes * n)
    const gradient = new Float64Array(point.length)
    let value = 0
    for (let i = 0; i < n; i++) {
      let most = Number.NEGATIVE_INFINITY
      for (let c = 0; c < classes; c++) most = Math.max(most, logits[i * classes + c]! + point[size + c]!)
      let sum = 0
      for (let c = 0; c < classes; c++) sum += Math.exp(logits[i * classes + c]! + point[size + c]! - most)
      const { label } = examples[i]!
      value += Math.log(sum) + most - logits[i * classes + label]! - point[size + label]!
      for (let c = 0; c < classes; c++) {
        const share = Math.exp(logits[i * classes + c]! + point[size + c]! - most) / sum
        const error = (share - (c === label ? 1 : 0)) / n
        errors[c * n + i] = error
        gradient[size + c]! += error
      }
    }
    value /= n
    const products = await ofColumns.multiply(errors, columns)
    const penalty = 1 / (strength * n)
    for (let i = 0; i < size; i++) {
      gradient[i] = products[i]! + penalty * point[i]!
      value += (penalty / 2) * point[i]! ** 2
    }
    return { value, gradient }
  }

  try {
    const fitted: Float32Array[][] = []
    let point: Float64Array = new Float64Array(size + classes)
    for (const strength of strengths) {
      const options = { tolerance: TOLERANCE, steps: STEPS }
      point = await minimize((each) => slopeAt(each, strength), point, options)
      fitted.push(
        Array.from({ length: classes }, (_, c) =>
          Float32Array.of(...point.subarray(c * length, (c + 1) * length), point[size + c]!),
        ),
      )
    }
    return fitted
  } finally {
    await ofRows.close()
    await ofColumns.close()
  }
}
