import { fitLogisticRegression, mostProbable, probabilities } from './logistic-regression.ts'

/** One stage: what is to be learnt of each embedding. */
export interface Task<Class> {
  readonly embeddings: readonly Float32Array[]
  /** Null: the stage neither learns from this embedding nor is measured by it; its class is predicted all the same. */
  readonly targets: readonly (Class | null)[]
  readonly classes: readonly Class[]
}

export interface OutOfFold<Class> {
  /** The class predicted for each embedding by the fit that left out its fold. */
  readonly choices: readonly Class[]
  /** Mean of -log p(true class) with each class counted alike, as in the fits; lower is better. */
  readonly logLoss: number
}

/** Strengths from strong to weak, 1 / C of scikit-learn; a tie goes to the strong, which claims less. */
export const L2_STRENGTHS = [10_000, 3000, 1000, 300, 100, 30, 10, 3, 1] as const

/** Looser than that of the fit that is kept: the log loss of 3,000 labels of 768 dimensions moves by less than 1e-4. */
const TOLERANCE = 1e-4

/** For the log of a class that no fit knew: the same for each strength, so it decides nothing. */
const LEAST_PROBABILITY = 1e-15

/** Predicts each embedding by a fit to the other folds; an empty fold is none. */
export function outOfFold<Class>(
  { embeddings, targets, classes }: Task<Class>,
  folds: readonly number[],
  l2: number,
): OutOfFold<Class> {
  const choices = new Array<Class>(embeddings.length)
  const losses = new Map(classes.map((each) => [each, { sum: 0, count: 0 }]))
  for (const fold of new Set(folds)) {
    const learnt = [...targets.keys()].filter((i) => folds[i] !== fold && targets[i] !== null)
    const model = fitLogisticRegression({
      embeddings: learnt.map((i) => embeddings[i]!),
      targets: learnt.map((i) => targets[i] as Class),
      classes,
      l2,
      tolerance: TOLERANCE,
    })
    for (const [i, target] of targets.entries()) {
      if (folds[i] !== fold) continue
      choices[i] = mostProbable(model, embeddings[i]!).choice
      if (target === null) continue
      const each = probabilities(model, embeddings[i]!)[model.classes.indexOf(target)] ?? 0
      const loss = losses.get(target)!
      loss.sum -= Math.log(Math.max(each, LEAST_PROBABILITY))
      loss.count++
    }
  }
  const means = [...losses.values()].filter(({ count }) => count > 0).map(({ sum, count }) => sum / count)
  return { choices, logLoss: means.reduce((a, b) => a + b, 0) / means.length }
}

/**
 * The strength of the lowest log loss out of fold, and what it predicts. Weaker ones are tried until the loss no longer
 * falls: it has one valley, and the weakest fits are the slowest.
 */
export function chooseStrength<Class>(
  task: Task<Class>,
  folds: readonly number[],
): { readonly l2: number; readonly predicted: OutOfFold<Class> } {
  const [strongest, ...weaker] = L2_STRENGTHS
  let best = { l2: strongest as number, predicted: outOfFold(task, folds, strongest) }
  for (const l2 of weaker) {
    const predicted = outOfFold(task, folds, l2)
    if (predicted.logLoss >= best.predicted.logLoss) break
    best = { l2, predicted }
  }
  return best
}
