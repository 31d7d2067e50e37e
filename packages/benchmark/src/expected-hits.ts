/**
 * Counts hits among the best k of a ranking as the expected number under random order of equal similarities. So neither the
 * order of rows nor that of classes matters, and a model that gives everything the same embedding scores chance.
 */

/** Where the answers to one query stand in its ranking. */
export interface Standing {
  /** Candidates whose similarity is above that of the best answer. */
  readonly above: number
  /** Candidates with the best answer's similarity, answers included; 1 or more. */
  readonly equal: number
  /** Answers among `equal`; 1 or more. */
  readonly answers: number
}

/** Probability that at least one answer is among the best `k`. */
export function hitProbability({ above, equal, answers }: Standing, k: number): number {
  const drawn = k - above
  if (drawn <= 0) return 0
  // With fewer other candidates than are drawn, an answer is certain to be among them.
  if (drawn > equal - answers) return 1
  if (answers === 1) return drawn / equal
  let misses = 1
  for (let i = 0; i < answers; i++) misses *= (equal - drawn - i) / (equal - i)
  return 1 - misses
}

/** Adds up hits; the sum doesn't depend on the order of the queries, not even in its last bits. */
export class ExpectedHits {
  /** Queries by probability of a hit. */
  readonly #queries = new Map<number, number>()

  add(probability: number): void {
    if (probability > 0) this.#queries.set(probability, (this.#queries.get(probability) ?? 0) + 1)
  }

  get sum(): number {
    const parts = [...this.#queries].sort(([a], [b]) => a - b)
    return parts.reduce((sum, [probability, queries]) => sum + probability * queries, 0)
  }
}

/** The sum of hits, the same in any order. */
export function sumOf(probabilities: Iterable<number>): number {
  const hits = new ExpectedHits()
  for (const probability of probabilities) hits.add(probability)
  return hits.sum
}
