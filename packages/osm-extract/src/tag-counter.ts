import type { Element } from './element.ts'
import type { StringTable } from './strings.ts'
import { meansTag, type TagRules } from './tag-rules.ts'

/** Counts elements by `key=value`: by string numbers within a block, so that each tag of a block is made text once. */
export class TagCounter {
  readonly #counted: TagRules | 'all'
  readonly #counts = new Map<string, number>()
  #strings: StringTable | undefined
  readonly #inBlock = new Map<number, number>()

  constructor(counted: TagRules | 'all') {
    this.#counted = counted
  }

  add({ strings, keyIds, valueIds, from, to, step, valueShift }: Element): void {
    if (strings !== this.#strings) this.#finishBlock(strings)
    for (let i = from; i < to; i += step) {
      const [key, value] = [keyIds.values[i]!, valueIds.values[i + valueShift]!]
      strings.check(key)
      strings.check(value)
      const tag = key * strings.size + value
      this.#inBlock.set(tag, (this.#inBlock.get(tag) ?? 0) + 1)
    }
  }

  #finishBlock(next: StringTable | undefined): void {
    const strings = this.#strings
    this.#strings = next
    if (strings === undefined) return
    for (const [tag, count] of this.#inBlock) {
      const [key, value] = [strings.get(Math.floor(tag / strings.size)), strings.get(tag % strings.size)]
      if (!meansTag(this.#counted, key, value)) continue
      const name = `${key}=${value}`
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + count)
    }
    this.#inBlock.clear()
  }

  counts(): ReadonlyMap<string, number> {
    this.#finishBlock(undefined)
    return this.#counts
  }
}
