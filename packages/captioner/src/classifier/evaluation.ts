export interface ClassScores {
  /** Share of the predictions of the class that are right; null where it was never predicted. */
  readonly precision: number | null
  /** Share of the labels of the class that were found; null where there is none. */
  readonly recall: number | null
  /** Harmonic mean of both, 0 where nothing was found; null where the class was neither labelled nor predicted. */
  readonly f1: number | null
  /** Labels of the class. */
  readonly support: number
}

/** How predictions compare with labels over K classes. */
export interface Evaluation {
  /** Names of the K classes, in the order of everything below. */
  readonly classes: readonly string[]
  /** Counts, K x K: row by labelled, column by predicted class. */
  readonly confusion: readonly (readonly number[])[]
  readonly scores: readonly ClassScores[]
  readonly accuracy: number
  /** Mean F1 of the classes that were labelled or predicted. */
  readonly macroF1: number
}

/**
 * @param classes may hold classes that don't occur
 * @param labelled and `predicted`: one class for each tag, equally many
 * @param nameOf how a class is called in the report
 */
export function evaluate<Class>(
  classes: readonly Class[],
  labelled: readonly Class[],
  predicted: readonly Class[],
  nameOf: (each: Class) => string,
): Evaluation {
  const confusion = classes.map(() => classes.map(() => 0))
  for (const [i, label] of labelled.entries()) {
    confusion[classes.indexOf(label)]![classes.indexOf(predicted[i]!)]! += 1
  }
  const scores = classes.map((_, k) => {
    const hits = confusion[k]![k]!
    const support = sum(confusion[k]!)
    const claimed = sum(confusion.map((row) => row[k]!))
    return {
      precision: share(hits, claimed),
      recall: share(hits, support),
      f1: share(2 * hits, support + claimed),
      support,
    }
  })
  const f1s = scores.flatMap(({ f1 }) => f1 ?? [])
  return {
    classes: classes.map(nameOf),
    confusion,
    scores,
    accuracy: sum(confusion.map((row, k) => row[k]!)) / labelled.length,
    macroF1: sum(f1s) / f1s.length,
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)
