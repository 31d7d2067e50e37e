import { lookUp, type Rule } from './rule.ts'

/** Tags with a phrase of their own: lit=yes -> `light`, highway=construction -> `road under construction`. */
export const ownPhrase: Rule = {
  name: 'own-phrase',
  apply(draft, { phrases }) {
    const phrase = lookUp(phrases, `${draft.key}=${draft.value}`)
    return phrase === undefined ? draft : { ...draft, keyText: phrase, valueText: '' }
  },
}
