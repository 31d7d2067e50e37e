import { toMicro } from '../pair-table.ts'
import { countAbove } from '../ranking.ts'
import type { Cut } from './cut.ts'

/** The pairs with at least a similarity. */
export const above: Cut = {
  part: 'above',
  fills: false,
  sizes: ({ above }) => above,
  take(least, { scorer, best, similarities }) {
    const count = countAbove(best, similarities, toMicro(least))
    return { count, note: count === 0 ? `No pair has a similarity of ${least} or more by ${scorer}.` : null }
  },
}
