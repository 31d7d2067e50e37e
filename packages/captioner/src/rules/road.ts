import { lookUp, type Rule } from './rule.ts'

/**
 * `road of residential`, but `highway of primary`; a motorway is a freeway, also while it is built
 * (`construction of freeway link`). Seen in released captions.
 */
export const road: Rule = {
  name: 'road',
  apply(draft, { roadKeys, roadValues, highwayValues }) {
    if (!roadKeys.includes(draft.key)) return draft
    const valueText = draft.valueText
      .split(' ')
      .map((word) => lookUp(roadValues, word) ?? word)
      .join(' ')
    if (draft.key !== 'highway') return { ...draft, valueText }
    const isHighway = highwayValues.some((value) => draft.value.startsWith(value))
    return { ...draft, keyText: isHighway ? 'highway' : 'road', valueText }
  },
}
