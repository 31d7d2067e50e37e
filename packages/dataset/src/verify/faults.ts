/** One thing that is wrong with a dataset. */
export interface Fault {
  /** Stable name of the check, kebab-case: `image-hash`. */
  readonly check: string
  /** Key in the dataset's storage, `images2/a1_CH_19.jpg`. */
  readonly path: string
  /** For a person; holds text of the dataset, so print it with `printable`. */
  readonly message: string
}

/** Faults by check: all are counted, the first `limit` of each are kept, so that a dataset of rubbish fits in memory. */
export class FaultList {
  readonly #limit: number
  readonly #counts = new Map<string, number>()
  readonly #kept: Fault[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  add(check: string, path: string, message: string): void {
    const count = (this.#counts.get(check) ?? 0) + 1
    this.#counts.set(check, count)
    if (count <= this.#limit) this.#kept.push({ check, path, message })
  }

  addAll(faults: readonly Fault[]): void {
    for (const { check, path, message } of faults) this.add(check, path, message)
  }

  /** Those kept, by check, in the order they were found. */
  get faults(): Fault[] {
    return this.#kept.toSorted((a, b) => (a.check < b.check ? -1 : a.check > b.check ? 1 : 0))
  }

  /** How many there were of each check, kept or not. */
  get counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0
  }
}

/** A text of the dataset as it is shown in a message: on one line and not longer than a line. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= 160 ? text : `${text.slice(0, 159)}…`
}
