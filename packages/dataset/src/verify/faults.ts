import { sortedRecord } from '@skyscript/core'
/** One fault of a dataset. */
export interface Fault {
  /** Stable name of the check, kebab-case: `image-hash`. */
  readonly check: string
  /** Key in the dataset's storage, `images2/a1_CH_19.jpg`. */
  readonly path: string
  /** For a person; contains text from the dataset, so print it with `printable`. */
  readonly message: string
}

/** Faults by check: all are counted, but only the first `limit` of each are kept, so that any dataset's faults fit in memory. */
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

  /** The faults kept, by check, in the order they were found. */
  get faults(): Fault[] {
    return this.#kept.toSorted((a, b) => (a.check < b.check ? -1 : a.check > b.check ? 1 : 0))
  }

  /** Number of faults per check, kept or not. */
  get counts(): Record<string, number> {
    return sortedRecord(this.#counts)
  }

  get isEmpty(): boolean {
    return this.#counts.size === 0
  }
}

/** A text from the dataset for a message: on one line, and shortened. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= 160 ? text : `${text.slice(0, 159)}…`
}
