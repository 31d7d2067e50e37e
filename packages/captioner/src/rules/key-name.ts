import { lookUp, type Rule } from './rule.ts'

/** Some keys read better under another name: `leisure` -> `leisure land`, `aeroway` -> `airport`. Seen in released captions. */
export const keyName: Rule = {
  name: 'key-name',
  apply: (draft, { keyNames }) => ({ ...draft, keyText: lookUp(keyNames, draft.key) ?? draft.keyText }),
}
