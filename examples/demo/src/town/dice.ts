import { seededFraction } from '@skyscript/core'

/** A repeatable stream of random choices: the same seed and purpose give the same stream on every machine. */
export class Dice {
  readonly #seed: number
  #state: number

  constructor(seed: number, purpose: string) {
    this.#seed = seed
    this.#state = Math.floor(seededFraction(seed, 'dice', purpose) * 2 ** 32)
  }

  /** A stream of its own, so that one part of the town can change without changing the others. */
  of(purpose: string): Dice {
    return new Dice(this.#seed, purpose)
  }

  /** A number in [0, 1): the mulberry32 generator. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next()
  }

  /** A whole number in [0, count). */
  index(count: number): number {
    return Math.floor(this.next() * count)
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.index(choices.length)]!
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items]
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.index(last + 1)
      const held = shuffled[last]!
      shuffled[last] = shuffled[other]!
      shuffled[other] = held
    }
    return shuffled
  }
}
