import type { Element } from './element.ts'
import type { KeyAnswers } from './strings.ts'

/** Which tags are meant: by key, any value or some. */
export type TagRules = ReadonlyMap<string, true | ReadonlySet<string>>

/**
 * A test whether any tag of an element is meant; most elements are told apart without a string being decoded.
 *
 * @param answers the rules by key
 */
export function tagTest(answers: KeyAnswers<true | ReadonlySet<string>>): (element: Element) => boolean {
  return (element) => {
    const { strings, from, to, step, valueShift } = element
    const keys = element.keyIds.values
    for (let i = from; i < to; i += step) {
      const meant = answers.of(strings, keys[i]!)
      if (meant !== null && (meant === true || meant.has(strings.get(element.valueIds.values[i + valueShift]!))))
        return true
    }
    return false
  }
}

export function meansTag(rules: TagRules | 'all', key: string, value: string): boolean {
  if (rules === 'all') return true
  const values = rules.get(key)
  return values !== undefined && (values === true || values.has(value))
}
