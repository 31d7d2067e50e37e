import type { Element } from './element.ts'
import type { StringTable } from './strings.ts'
import type { TagTest } from './tag-rules.ts'

/** Counts elements by `key=value`: by string numbers within a block, so that each tag of a block is made text once. */
export class TagCounter {
  readonly #counted: TagTest | null
  readonly #counts = new Map<string, number>()
  #strings: StringTable | undefined
  readonly #inBlock = new Map<number, number>()

  /** @param counted which tags; null: all */
  constructor(counted: TagTest | null) {
    this.#counted = counted
  }

  add({ strings, keyIds, valueIds, from, to, step, valueShift }: Element): void {
    if (strings !== this.#strings) this.#finishBlock(strings)
    for (let i = from; i < to; i += step) {
      const [key, value] = [keyIds.values[i]!, valueIds.values[i + valueShift]!]
      strings.check(key)
      strings.check(value)
      if (this.#counted && !this.#counted.meansSomeOf(strings, key)) continue
      const tag = key * strings.size + value
      this.#inBlock.set(tag, (this.#inBlock.get(tag) ?? 0) + 1)
    }
  }

  #finishBlock(next: StringTable | undefined): void {
    const strings = this.#strings
    this.#strings = next
    if (strings === undefined) return
    for (const [tag, count] of this.#inBlock) {
      const [key, value] = [Math.floor(tag / strings.size), tag % strings.size]
      if (this.#counted && !this.#counted.meansTag(strings, key, value)) continue
      const name = `${strings.get(key)}=${strings.get(value)}`
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + count)
    }
    this.#inBlock.clear()
  }

  counts(): ReadonlyMap<string, number> {
    this.#finishBlock(undefined)
    return this.#counts
  }
}
