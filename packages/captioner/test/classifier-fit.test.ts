import fc from 'fast-check'
import { expect, test } from 'vitest'
import { minimise } from '../src/classifier/lbfgs.ts'
import {
  fitLogisticRegression,
  type LogisticModel,
  mostProbable,
  probabilities,
} from '../src/classifier/logistic-regression.ts'
import { softmaxObjective } from '../src/classifier/softmax-objective.ts'

const number = fc.double({ min: -3, max: 3, noNaN: true })

/**
 * A problem of up to 8 rows, 6 dimensions and 4 classes, with a point of its parameters. Each class has a row: the bias
 * of one that has none would fall for ever.
 */
const problem = fc
  .record({ n: fc.integer({ min: 4, max: 8 }), d: fc.integer({ min: 1, max: 6 }), k: fc.integer({ min: 2, max: 4 }) })
  .chain(({ n, d, k }) =>
    fc.record({
      dimension: fc.constant(d),
      rows: fc.array(
        fc.array(number, { minLength: d, maxLength: d }).map((row) => Float64Array.from(row)),
        { minLength: n, maxLength: n },
      ),
      targets: fc
        .array(fc.integer({ min: 0, max: k - 1 }), { minLength: n, maxLength: n })
        .map((all) => Uint8Array.from(all, (each, i) => (i < k ? i : each))),
      classWeights: fc.array(fc.double({ min: 0.1, max: 5, noNaN: true }), { minLength: k, maxLength: k }),
      l2: fc.double({ min: 0.1, max: 10, noNaN: true }),
      point: fc
        .array(number, { minLength: k * (d + 1), maxLength: k * (d + 1) })
        .map((each) => Float64Array.from(each)),
    }),
  )

test('the gradient equals finite differences of the value', () => {
  fc.assert(
    fc.property(problem, ({ point, ...rest }) => {
      const objective = softmaxObjective(rest)
      const gradient = new Float64Array(point.length)
      const ignored = new Float64Array(point.length)
      objective(point, gradient)
      for (let i = 0; i < point.length; i++) {
        const at = (shift: number) => objective(point.with(i, point[i]! + shift), ignored)
        expect(gradient[i]).toBeCloseTo((at(1e-4) - at(-1e-4)) / 2e-4, 5)
      }
    }),
  )
})

test('at the minimum that is found the gradient is zero, and no step from it goes down', () => {
  fc.assert(
    fc.property(problem, ({ point: aside, ...rest }) => {
      const objective = softmaxObjective(rest)
      const { point, value, gradientNorm } = minimise(objective, new Float64Array(aside.length), { tolerance: 1e-9 })
      const gradient = new Float64Array(point.length)
      expect(objective(point, gradient)).toBe(value)
      expect(Math.hypot(...gradient)).toBeCloseTo(gradientNorm, 12)
      expect(gradientNorm).toBeLessThan(1e-6)
      const stepped = point.map((x, i) => x + 1e-3 * aside[i]!)
      expect(objective(stepped, gradient)).toBeGreaterThanOrEqual(value - 1e-12)
    }),
  )
})

test('a narrow valley is followed to its end, and a start at the minimum stays there', () => {
  const rosenbrock = (point: Float64Array, gradient: Float64Array) => {
    const [x, y] = point as unknown as [number, number]
    gradient.set([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2
  }
  const { point, converged, iterations } = minimise(rosenbrock, Float64Array.of(-1.2, 1), { tolerance: 1e-10 })
  expect(converged).toBe(true)
  expect(iterations).toBeLessThan(60)
  expect(point[0]).toBeCloseTo(1, 8)
  expect(point[1]).toBeCloseTo(1, 8)
  expect(minimise(rosenbrock, Float64Array.of(1, 1))).toMatchObject({ iterations: 0, converged: true })
  expect(minimise(rosenbrock, Float64Array.of(-1.2, 1), { maxIterations: 3 })).toMatchObject({
    iterations: 3,
    converged: false,
  })
})

test('a step is lengthened until it takes a tenth off the slope, however short the first guess', () => {
  const flat = (point: Float64Array, gradient: Float64Array) => {
    gradient[0] = 1e-4 * point[0]!
    return 0.5e-4 * point[0]! ** 2
  }
  const { gradientNorm, value } = minimise(flat, Float64Array.of(1), { maxIterations: 1 })
  expect(gradientNorm).toBeLessThanOrEqual(0.9e-4)
  expect(value).toBeLessThan(0.5e-4)
})

test('scales that differ by 10,000 do not keep it from the minimum', () => {
  const scales = Float64Array.from({ length: 40 }, (_, i) => 10 ** ((i / 39) * 4))
  const bowl = (point: Float64Array, gradient: Float64Array) => {
    let value = 0
    for (let i = 0; i < point.length; i++) {
      gradient[i] = scales[i]! * (point[i]! - i)
      value += (scales[i]! / 2) * (point[i]! - i) ** 2
    }
    return value
  }
  const { point, iterations } = minimise(bowl, new Float64Array(40), { tolerance: 1e-12 })
  for (let i = 0; i < 40; i++) expect(point[i]).toBeCloseTo(i, 6)
  // The L-BFGS-B of scipy 1.10 takes 855.
  expect(iterations).toBeLessThan(900)
})

const ROWS = [
  [1, 2, 0],
  [2, 1, 1],
  [0, 3, 1],
  [1, 1, 2],
  [3, 0, 1],
  [2, 2, 3],
  [4, 1, 0],
  [5, 3, 2],
  [4, 4, 1],
  [3, 5, 4],
  [6, 2, 3],
  [0, 0, 5],
].map((row) => Float32Array.from(row))
const THREE = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
const TWO = [0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1]

// scikit-learn 1.2.1, X and y as above:
//   p = make_pipeline(StandardScaler(), LogisticRegression(C=C, class_weight='balanced', multi_class='multinomial',
//                     solver='newton-cg', tol=1e-12, max_iter=100000)).fit(X, y); s, l = p.steps[0][1], p.steps[1][1]
//   W = l.coef_ / s.scale_; b = l.intercept_ - W @ s.mean_; p.predict_proba(X[:1])
// Of two classes it gives the row of the second; that of the first is its negative.
test.each([
  {
    name: 'three classes, C 1',
    targets: THREE,
    l2: 1,
    weights: [
      [-0.4553100755, -0.0888044404, -0.3791163777],
      [0.1932607062, 0.5566170343, -0.3686819583],
      [0.2620493693, -0.4678125939, 0.7477983359],
    ],
    bias: [2.5038062339, -0.8116426232, -1.6921636107],
    first: [0.7892446255, 0.1993458372, 0.0114095373],
  },
  {
    name: 'three classes, C 0.1',
    targets: THREE,
    l2: 10,
    weights: [
      [-0.1119648109, -0.0469777095, -0.1300984149],
      [0.0741295817, 0.1625590143, -0.0687716789],
      [0.0378352292, -0.1155813048, 0.1988700939],
    ],
    bias: [0.7296412017, -0.3720313734, -0.3576098283],
    first: [0.5128024222, 0.3121194273, 0.1750781505],
  },
  {
    name: 'two classes, C 0.5',
    targets: TWO,
    l2: 2,
    weights: [
      [-0.1947257796, -0.0724160867, -0.4735631092],
      [0.1947257796, 0.0724160867, 0.4735631092],
    ],
    bias: [1.831258438, -1.831258438],
    first: [0.9518185796, 0.0481814204],
  },
])("the weights are scikit-learn's: $name", ({ targets, l2, weights, bias, first }) => {
  const model = fitLogisticRegression({ embeddings: ROWS, targets, classes: [0, 1, 2], l2, tolerance: 1e-10 })
  for (const [k, row] of weights.entries()) {
    for (const [j, weight] of row.entries()) expect(model.weights[k]![j]).toBeCloseTo(weight, 7)
    expect(model.bias[k]).toBeCloseTo(bias[k]!, 7)
  }
  const found = probabilities(model, ROWS[0]!)
  for (const [k, probability] of first.entries()) expect(found[k]).toBeCloseTo(probability, 7)
})

const fit = (embeddings: readonly Float32Array[], targets: readonly number[] = THREE): LogisticModel<number> =>
  fitLogisticRegression({ embeddings, targets, classes: [0, 1, 2], l2: 1, tolerance: 1e-10 })

test('a class that has no row gets no probability', () => {
  const model = fit(
    ROWS,
    THREE.map((each) => (each === 1 ? 2 : each)),
  )
  expect(model.classes).toEqual([0, 2])
  expect(probabilities(model, ROWS[0]!)).toHaveLength(2)
  const one = fit(
    ROWS,
    ROWS.map(() => 1),
  )
  expect(mostProbable(one, ROWS[0]!)).toEqual({ choice: 1, probability: 1 })
})

test('scores of any size become probabilities', () => {
  const model = { classes: [0, 1], weights: [[5000], [-5000]], bias: [0, 0] }
  expect([...probabilities(model, Float32Array.of(1))]).toEqual([1, 0])
  expect([...probabilities(model, Float32Array.of(0))]).toEqual([0.5, 0.5])
})

test('units and origin of a dimension change nothing', () => {
  const plain = fit(ROWS)
  fc.assert(
    fc.property(fc.constantFrom(0.125, 1, 64), fc.integer({ min: -20, max: 20 }), (scale, shift) => {
      const moved = ROWS.map((row) => row.map((x, j) => (j === 1 ? x * scale + shift : x)))
      const model = fit(moved)
      for (const [i, row] of ROWS.entries()) {
        const wanted = probabilities(plain, row)
        for (const [k, probability] of probabilities(model, moved[i]!).entries()) {
          expect(probability).toBeCloseTo(wanted[k]!, 6)
        }
      }
    }),
    { numRuns: 20 },
  )
})

test('a dimension that never varies has no say, even where its mean is not exact', () => {
  const plain = fit(ROWS)
  const model = fit(ROWS.map((row) => Float32Array.of(...row, 0.1, 0)))
  for (const [k, row] of model.weights.entries()) {
    for (const j of [0, 1, 2]) expect(row[j]).toBeCloseTo(plain.weights[k]![j]!, 6)
    expect(Math.abs(row[3]!)).toBeLessThan(1e-6)
    expect(row[4]).toBeCloseTo(0, 12)
  }
})

test('a class of few rows is found far more often when each class counts alike', () => {
  // Two overlapping clouds on a line, 20 rows against 400, spread evenly so that nothing is drawn.
  const cloud = (count: number, centre: number) =>
    Array.from({ length: count }, (_, i) => Float32Array.of(centre + (4 * (i + 0.5)) / count - 2))
  const embeddings = [...cloud(400, 0), ...cloud(20, 1.5)]
  const targets = embeddings.map((_, i) => (i < 400 ? 'common' : 'rare'))
  const recall = (weighting: 'balanced' | 'equal') => {
    const model = fitLogisticRegression({ embeddings, targets, classes: ['common', 'rare'], l2: 1, weighting })
    return embeddings.slice(400).filter((row) => mostProbable(model, row).choice === 'rare').length / 20
  }
  expect(recall('balanced')).toBeGreaterThan(0.6)
  expect(recall('equal')).toBeLessThan(0.3)
})

test('what is no embedding of the model is refused', () => {
  const model = fit(ROWS)
  expect(() => probabilities(model, Float32Array.of(1, 2))).toThrow(/of 2 numbers doesn't fit a model of 3/)
  expect(() => probabilities(model, Float32Array.of(1, 2, Number.NaN))).toThrow(/finite/)
  expect(() => fit([Float32Array.of(1, Number.NaN, 2), ...ROWS.slice(1)])).toThrow(/finite/)
  expect(() => fit([Float32Array.of(1, 2), ...ROWS.slice(1)])).toThrow(/equally long/)
})
