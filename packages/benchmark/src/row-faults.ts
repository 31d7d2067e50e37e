import { InputError } from '@skyscript/core'

/** Rows of a CSV that can't be used: the first ends the evaluation, or all are left out and counted. */
export class RowFaults {
  readonly #counts = new Map<string, number>()
  readonly #file: string
  readonly #skip: boolean
  readonly #unit: string

  /**
   * @param file the CSV, for messages
   * @param options.unit what rows are numbered by; default: lines
   */
  constructor(file: string, options: { readonly skip: boolean; readonly unit?: string }) {
    this.#file = file
    this.#skip = options.skip
    this.#unit = options.unit ?? 'line'
  }

  /** @throws InputError with this code unless such rows are skipped */
  add(line: number, code: string, what: string): void {
    if (!this.#skip)
      throw new InputError(code, `${this.#file}, ${this.#unit} ${line}: ${what} (--skip-missing leaves such rows out).`)
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1)
  }

  /** Faults of the same file, counted from these on. */
  copy(): RowFaults {
    const copy = new RowFaults(this.#file, { skip: this.#skip, unit: this.#unit })
    for (const [code, count] of this.#counts) copy.#counts.set(code, count)
    return copy
  }

  /** Skipped rows by code, in the order of the codes. */
  get skipped(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
