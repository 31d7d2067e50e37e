import { fitsPattern, type HiddenRule, isHiddenBy, LONGEST_TAG_TEXT } from '@skyscript/core'
import type { Element } from './element.ts'
import { KEYS_AT_HAND } from './limits.ts'
import { KeyAnswers, type KeySource } from './strings.ts'

/** Of a key that no rule begins with. */
const IRRELEVANT = 0

/** The rules whose first condition a key meets, worked out when it is first asked for. */
class RulesByKey implements KeySource<readonly number[]> {
  readonly #rules: readonly HiddenRule[]
  readonly #found = new Map<string, readonly number[] | number>()

  constructor(rules: readonly HiddenRule[]) {
    this.#rules = rules
  }

  get(key: string): readonly number[] | number {
    const known = this.#found.get(key)
    if (known !== undefined) return known
    const fitting = [...this.#rules.keys()].filter((i) => fitsPattern(this.#rules[i]!.tags[0]!.key, key))
    const answer = fitting.length === 0 ? IRRELEVANT : fitting
    if (this.#found.size >= KEYS_AT_HAND) this.#found.clear()
    if (key.length <= LONGEST_TAG_TEXT) this.#found.set(key, answer)
    return answer
  }
}

/** Decides which elements are hidden; for most of them their keys rule it out. */
export class HiddenTest {
  readonly #rules: readonly HiddenRule[]
  readonly #keys: KeyAnswers<readonly number[]>
  /** Each once. */
  readonly reasons: readonly string[]
  readonly #reasonOfRule: readonly number[]

  constructor(rules: readonly HiddenRule[]) {
    this.#rules = rules
    this.#keys = new KeyAnswers(new RulesByKey(rules), IRRELEVANT)
    this.reasons = [...new Set(rules.map(({ reason }) => reason))]
    this.#reasonOfRule = rules.map(({ reason }) => this.reasons.indexOf(reason))
  }

  /** @returns the place in `reasons`; -1 where the element is not hidden */
  reasonOf(element: Element): number {
    if (this.#rules.length === 0) return -1
    const { strings, from, to, step, valueShift } = element
    let first = this.#rules.length
    let tags: [string, string][] | undefined
    for (let i = from; i < to; i += step) {
      const rules = this.#keys.of(strings, element.keyIds.values[i]!)
      if (typeof rules === 'number') continue
      const value = strings.get(element.valueIds.values[i + valueShift]!)
      for (const rule of rules) {
        if (rule >= first || !fitsPattern(this.#rules[rule]!.tags[0]!.value, value)) continue
        if (isHiddenBy(this.#rules[rule]!, (tags ??= element.tags()))) first = rule
      }
    }
    return first === this.#rules.length ? -1 : this.#reasonOfRule[first]!
  }
}
