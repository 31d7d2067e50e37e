import { lookUp, type Rule } from './rule.ts'

/** A few values are written otherwise: natural=wood -> `natural woodland`, crop=field -> `crop of field cropland`. */
export const valueName: Rule = {
  name: 'value-name',
  apply(draft, { valueNames }) {
    return { ...draft, valueText: lookUp(valueNames, `${draft.key}=${draft.value}`) ?? draft.valueText }
  },
}
