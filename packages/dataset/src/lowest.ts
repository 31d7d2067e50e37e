/** The `limit` items that come first of those offered, in their order. Made for small limits. */
export class Lowest<T> {
  readonly #limit: number
  readonly #isBefore: (a: T, b: T) => boolean
  readonly #items: T[] = []

  constructor(limit: number, isBefore: (a: T, b: T) => boolean) {
    this.#limit = limit
    this.#isBefore = isBefore
  }

  /** @returns what is not among them, this item or an earlier one; undefined if all are */
  offer(item: T): T | undefined {
    const last = this.#items.at(-1)
    if (this.#items.length === this.#limit && last !== undefined && !this.#isBefore(item, last)) return item
    const at = this.#items.findIndex((other) => this.#isBefore(item, other))
    this.#items.splice(at < 0 ? this.#items.length : at, 0, item)
    return this.#items.length > this.#limit ? this.#items.pop() : undefined
  }

  get items(): readonly T[] {
    return this.#items
  }
}
