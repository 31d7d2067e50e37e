import type { Rule } from './rule.ts'

/** `building=yes` -> `building`: the key says it all. */
export const valueYes: Rule = {
  name: 'value-yes',
  apply: (draft) => (draft.value === 'yes' ? { ...draft, valueText: '' } : draft),
}
