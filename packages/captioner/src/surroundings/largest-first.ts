import { byText } from '../tag-order.ts'
import type { SurroundingRule } from './surrounding.ts'

/** The largest share of the image first, ties by phrase, then id. Ours: the original's order is arbitrary. */
export const largestFirst: SurroundingRule = {
  name: 'largest-first',
  apply: (objects) => objects.toSorted((a, b) => b.share - a.share || byText(a.phrase, b.phrase) || byText(a.id, b.id)),
}
