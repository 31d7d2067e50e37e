export interface ColumnValues<T> {
  readonly values: T
  readonly length: number
}

/** A typed array that grows. */
export class Column<T extends Uint8Array | Uint32Array | Float64Array> {
  readonly #make: (length: number) => T
  #values: T
  length = 0

  /** @param values of a column elsewhere, and how many count */
  constructor(make: (length: number) => T, { values, length }: ColumnValues<T> = { values: make(1024), length: 0 }) {
    this.#make = make
    this.#values = values
    this.length = length
  }

  /** What another thread makes the same column of. */
  get data(): ColumnValues<T> {
    return { values: this.#values, length: this.length }
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = this.#make(2 * this.length)
      larger.set(this.#values)
      this.#values = larger
    }
    this.#values[this.length++] = value
  }

  at(index: number): number {
    return this.#values[index]!
  }
}

export const bytes = (length: number) => new Uint8Array(length)
export const integers = (length: number) => new Uint32Array(length)
export const doubles = (length: number) => new Float64Array(length)

/** Ids of OSM objects, 9 bytes each. */
export class IdColumn {
  readonly #kinds: Column<Uint8Array>
  readonly #numbers: Column<Float64Array>

  constructor(data?: IdColumn['data']) {
    this.#kinds = new Column(bytes, data?.kinds)
    this.#numbers = new Column(doubles, data?.numbers)
  }

  get data(): { readonly kinds: ColumnValues<Uint8Array>; readonly numbers: ColumnValues<Float64Array> } {
    return { kinds: this.#kinds.data, numbers: this.#numbers.data }
  }

  push(id: string): void {
    this.#kinds.push(id.charCodeAt(0))
    this.#numbers.push(Number(id.slice(1)))
  }

  at(index: number): string {
    return String.fromCharCode(this.#kinds.at(index)) + this.#numbers.at(index)
  }
}
