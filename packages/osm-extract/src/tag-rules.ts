import type { Element } from './element.ts'
import { HiddenTest } from './hidden-test.ts'
import { KeyAnswers, type StringTable } from './strings.ts'
import { type KeyVerdicts, type TagVerdicts, VerdictsByKey } from './tag-verdicts.ts'

/** Which tags are meant: by key, any value or some. */
export type TagRules = ReadonlyMap<string, true | ReadonlySet<string>>

/** The verdicts that rules are short for. */
function verdictsOf(rules: TagRules): TagVerdicts {
  const tags = new Map<string, Map<string, null>>()
  const patterns: TagVerdicts['patterns'][number][] = []
  for (const [key, values] of rules) {
    if (values === true) patterns.push({ key, value: null, verdict: null })
    else tags.set(key, new Map([...values].map((value) => [value, null])))
  }
  return { tags, patterns, reasons: ['not-wanted'] }
}

/** Decides which elements have a wanted tag, and why others have none; for most of them without decoding a string. */
export class TagTest {
  /** A number: the reason of all values of a key, none of which is meant. */
  readonly keys: KeyAnswers<KeyVerdicts>
  /** Those of the verdicts, then those of hidden elements. */
  readonly reasons: readonly string[]
  readonly #shown: number
  readonly #hidden: HiddenTest

  constructor(rules: TagRules | TagVerdicts) {
    const verdicts = 'reasons' in rules ? rules : verdictsOf(rules)
    this.#hidden = new HiddenTest(verdicts.hidden ?? [])
    this.#shown = verdicts.reasons.length
    this.reasons = [...verdicts.reasons, ...this.#hidden.reasons]
    this.keys = new KeyAnswers(new VerdictsByKey(verdicts), verdicts.reasons.length - 1)
  }

  /** Whether a key has values that are meant. */
  meansSomeOf(strings: StringTable, key: number): boolean {
    const answer = this.keys.of(strings, key)
    return typeof answer !== 'number' && answer.meansSome
  }

  meansTag(strings: StringTable, key: number, value: number): boolean {
    const answer = this.keys.of(strings, key)
    return typeof answer !== 'number' && (answer.meansAll || answer.of(strings.get(value)) === null)
  }

  /** Whether an element has a tag that is meant, and is not hidden. */
  isMeant(element: Element): boolean {
    return this.#meansAny(element) && this.#hidden.reasonOf(element) === -1
  }

  /** The reason of an element that is not meant, by its place in `reasons`. */
  reasonOf(element: Element): number {
    const hidden = this.#hidden.reasonOf(element)
    return hidden !== -1 && this.#meansAny(element) ? this.#shown + hidden : this.#tagReasonOf(element)
  }

  #meansAny(element: Element): boolean {
    const { strings, from, to, step, valueShift } = element
    const keys = element.keyIds.values
    for (let i = from; i < to; i += step) {
      const key = keys[i]!
      // Values are not even looked for where the keys tell enough.
      if (!this.meansSomeOf(strings, key)) continue
      if (this.meansTag(strings, key, element.valueIds.values[i + valueShift]!)) return true
    }
    return false
  }

  #tagReasonOf(element: Element): number {
    const { strings, from, to, step, valueShift } = element
    const keys = element.keyIds.values
    let first = this.#shown - 1
    for (let i = from; i < to && first > 0; i += step) {
      const answer = this.keys.of(strings, keys[i]!)
      const reason =
        typeof answer === 'number' ? answer : answer.of(strings.get(element.valueIds.values[i + valueShift]!))!
      if (reason < first) first = reason
    }
    return first
  }
}
