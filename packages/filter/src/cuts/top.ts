import { topCount } from '../ranking.ts'
import type { Cut } from './cut.ts'

/** The top percent of all pairs, as in the original. */
export const top: Cut = {
  part: 'top',
  fills: true,
  sizes: ({ top }) => top,
  take(percent, { scorer, best, similarities }) {
    const count = topCount(percent, similarities.length)
    const note =
      count > best.length
        ? `The top ${percent} % by ${scorer} are ${best.length} of ${count} pairs: filter.maxPerTag or filter.exclude leave no more.`
        : null
    return { count, note }
  },
}
