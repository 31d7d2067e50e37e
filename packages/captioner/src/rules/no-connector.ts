import type { Rule } from './rule.ts'

/** `power minor line`, `natural water`, `golf bunker`: kinds of their key, also under a prefix (`electrified rail bottom`). */
export const noConnector: Rule = {
  name: 'no-connector',
  apply(draft, { noConnector: keys }) {
    const steps = draft.key.split(':')
    const applies = keys.includes(steps.at(-1)!) || (steps[0] === 'electrified' && keys.includes('electrified'))
    return applies ? { ...draft, connector: '' } : draft
  },
}
