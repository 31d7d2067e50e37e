import type { Rule } from './rule.ts'

/** `tracktype is grade3`, `smoothness is good`, `year of construction is 1895`. Seen in released captions. */
export const connectorIs: Rule = {
  name: 'connector-is',
  apply(draft, { isWords }) {
    const isYear = /(^|_)year(_|$)/.test(draft.key)
    return isYear || isWords.some((word) => draft.key.endsWith(word)) ? { ...draft, connector: 'is' } : draft
  },
}
