/** A typed array that grows. */
export class Column<T extends Uint8Array | Uint32Array | Float64Array> {
  readonly #make: (length: number) => T
  #values: T
  length = 0

  constructor(make: (length: number) => T) {
    this.#make = make
    this.#values = make(1024)
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

/** Ids of OSM objects, 9 bytes each. */
export class IdColumn {
  readonly #kinds = new Column((length) => new Uint8Array(length))
  readonly #numbers = new Column((length) => new Float64Array(length))

  push(id: string): void {
    this.#kinds.push(id.charCodeAt(0))
    this.#numbers.push(Number(id.slice(1)))
  }

  at(index: number): string {
    return String.fromCharCode(this.#kinds.at(index)) + this.#numbers.at(index)
  }
}
