import { seededFraction } from '@skyscript/core'
import { partOfDraw, type Shares, type SplitCriterion } from './criterion.ts'

/** No ground: the object's id decides, as in the original. */
export const image: SplitCriterion<{ readonly kind: 'image' } & Shares> = {
  kind: 'image',
  layouts: ({ by }, _region, shares) => (by === 'image' ? [{ kind: 'image', ...shares }] : []),
  splitter: (shares, seed) => (id) => partOfDraw(seededFraction(seed, 'split-image', id), shares),
}
