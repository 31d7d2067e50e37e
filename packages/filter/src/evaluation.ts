import { type Config, seededFraction } from '@skyscript/core'
import type { PairTable } from './pair-table.ts'
import { topCount } from './ranking.ts'
import { PARTS } from './splits/criterion.ts'

/** The top percentage of the ranking that val and test are drawn from, as in the original. */
export const EVALUATION_PERCENT = 30

/** Maximum of the settings `filter.split.val` and `.test`. */
const MOST_PERCENT = 20

export interface Drawn {
  /** Rows of the validation or test file. */
  readonly rows: ReadonlySet<number>
  /** Why there are fewer than requested; null if there are enough. */
  readonly note: string | null
}

/**
 * Draws a scorer's validation or test set: pairs of that part in the top 30 % of all, in seeded order, up to the
 * requested size. If none is in the top 30 %, the best 30 % of the part (at least one pair) are used instead. When split
 * by image, at most the part's share of the top 30 % is drawn, because drawn pairs are lost for training.
 */
export function drawEvaluation(options: {
  readonly part: 'val' | 'test'
  readonly scorer: string
  /** Rows by rank, after applying `filter.maxPerTag`. */
  readonly ranked: Uint32Array
  /** Rows by rank, before applying `filter.maxPerTag`. */
  readonly listed: Uint32Array
  readonly table: PairTable
  readonly filter: Pick<Config['filter'], 'val' | 'test' | 'split'>
  readonly seed: number
}): Drawn {
  const { part, scorer, ranked, listed, table, filter, seed } = options
  const code = PARTS.indexOf(part)
  const isOfPart = (row: number) => table.parts[row] === code
  const top = ranked.subarray(0, topCount(EVALUATION_PERCENT, table.size))
  const { by } = filter.split
  const best = top.filter(isOfPart)
  const ofPart = best.length > 0 || by === 'image' ? best : listed.filter(isOfPart)
  const eligible = best.length > 0 ? best : ofPart.subarray(0, Math.ceil((EVALUATION_PERCENT / 100) * ofPart.length))

  const asked = filter[part]
  const percent = filter.split[part]
  const most = by === 'image' ? Math.min(asked, Math.floor((percent / 100) * top.length)) : asked
  const order = Array.from(eligible, (row) => {
    const id = table.id(row)
    return { row, id, draw: seededFraction(seed, `choose-${part}`, id) }
  }).sort((a, b) => a.draw - b.draw || (a.id < b.id ? -1 : 1))
  const rows = new Set(order.slice(0, most).map(({ row }) => row))
  if (rows.size >= asked) return { rows, note: null }

  const onGround = table.parts.reduce((sum, each) => sum + (each === code ? 1 : 0), 0)
  const more = percent < MOST_PERCENT ? `; set filter.split.${part} above ${percent} for more` : ''
  const why =
    by === 'image'
      ? `no more than ${percent} % of the ${top.length} pairs in the top ${EVALUATION_PERCENT} % go there${more}.`
      : onGround === 0
        ? percent === 0
          ? `filter.split.${part} is 0.`
          : `no image lies whole on the ${percent} % of the ground that is held out for ${part}${more === '' ? '; set filter.split.by to image' : `${more}, or filter.split.by to image`}.`
        : best.length === 0
          ? `none of the pairs on its ground (${onGround}) is in the top ${EVALUATION_PERCENT} %, so the best of them were taken${more}.`
          : `${best.length} of the pairs on its ground (${onGround}) are in the top ${EVALUATION_PERCENT} %${more}.`
  return { rows, note: `${part} by ${scorer} has ${rows.size} of the ${asked} pairs asked for: ${why}` }
}
