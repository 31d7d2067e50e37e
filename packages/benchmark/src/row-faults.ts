import { InputError } from '@skyscript/core'

/** Rows of a CSV that can't be used: the first ends the evaluation, or all are left out and counted. */
export class RowFaults {
  readonly #counts = new Map<string, number>()
  readonly #file: string
  readonly #skip: boolean

  /** @param file the CSV, for messages */
  constructor(file: string, options: { readonly skip: boolean }) {
    this.#file = file
    this.#skip = options.skip
  }

  /** @throws InputError with this code unless such rows are skipped */
  add(line: number, code: string, what: string): void {
    if (!this.#skip)
      throw new InputError(code, `${this.#file}, line ${line}: ${what} (--skip-missing leaves such rows out).`)
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1)
  }

  /** Skipped rows by code, in the order of the codes. */
  get skipped(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
