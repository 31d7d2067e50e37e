/** How many of the most similar candidates are kept for each query. */
export const NEAREST = 5

/** The candidates most similar to each query, the best first; of equal ones the first stays. */
export class Nearest {
  readonly #products: Float32Array
  readonly #candidates: Int32Array

  constructor(queries: number) {
    this.#products = new Float32Array(queries * NEAREST).fill(Number.NEGATIVE_INFINITY)
    this.#candidates = new Int32Array(queries * NEAREST).fill(-1)
  }

  offer(query: number, candidate: number, product: number): void {
    const from = query * NEAREST
    let at = from + NEAREST - 1
    if (product <= this.#products[at]!) return
    for (; at > from && this.#products[at - 1]! < product; at--) {
      this.#products[at] = this.#products[at - 1]!
      this.#candidates[at] = this.#candidates[at - 1]!
    }
    this.#products[at] = product
    this.#candidates[at] = candidate
  }

  /** Indexes of candidates; fewer than `NEAREST` if there are no more. */
  of(query: number): number[] {
    return [...this.#candidates.subarray(query * NEAREST, (query + 1) * NEAREST)].filter((candidate) => candidate >= 0)
  }
}
