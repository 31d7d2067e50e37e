import { type Config, seededFraction } from '@skyscript/core'
import type { Cut } from './cut.ts'
import type { PairTable } from './pair-table.ts'
import { PARTS, TEST_SHARE, VAL_SHARE } from './splits.ts'

/**
 * Where a pair stands in the dataset. `val` and `test`: in the validation or test file of at least one scorer.
 * `held-out`: in no file, because its image straddles parts, or because it lies on val or test ground and was not drawn.
 */
export type Split = 'train' | 'val' | 'test' | 'held-out'

/** The cut that val and test come from, as in the original. */
const EVALUATION_PERCENT = 30

/** The cut that val and test come out of: the top 30 %, or the smallest one where 30 is not asked for. */
export function evaluationPercent(percents: readonly number[]): number {
  return percents.includes(EVALUATION_PERCENT) ? EVALUATION_PERCENT : Math.min(...percents)
}

export interface Drawn {
  /** Rows of the validation or test file. */
  readonly rows: ReadonlySet<number>
  /** Why they are fewer than asked; null where they are not. */
  readonly note: string | null
}

/**
 * Draws a scorer's validation or test set: pairs of that part that are in the top cut, in seeded order, up to the asked
 * size. Split by image, at most 5 % (val) or 10 % (test) of the cut: what is drawn is lost for training.
 */
export function drawEvaluation(options: {
  readonly part: 'val' | 'test'
  readonly scorer: string
  readonly top: Cut
  readonly table: PairTable
  readonly filter: Config['filter']
  readonly seed: number
}): Drawn {
  const { part, scorer, top, table, filter, seed } = options
  const code = PARTS.indexOf(part)
  const found: { row: number; id: string; draw: number }[] = []
  let ground = 0
  for (let row = 0; row < table.size; row++) {
    if (table.parts[row] !== code) continue
    ground++
    if (top.members[row] !== 1) continue
    const id = table.id(row)
    found.push({ row, id, draw: seededFraction(seed, `choose-${part}`, id) })
  }
  found.sort((a, b) => a.draw - b.draw || (a.id < b.id ? -1 : 1))
  const asked = filter[part]
  const { by, degrees } = filter.split
  const share = part === 'val' ? VAL_SHARE : TEST_SHARE
  const most = by === 'image' ? Math.min(asked, Math.floor(share * top.count)) : asked
  const rows = new Set(found.slice(0, most).map(({ row }) => row))
  if (rows.size >= asked) return { rows, note: null }

  const percent = `${share * 100} %`
  const why =
    by === 'image'
      ? `at most ${percent} of the ${top.count} pairs in the top ${top.percent} % go there.`
      : ground === 0
        ? `no block of ${degrees} degrees with images went to ${part}; a smaller filter.split.degrees gives more blocks to draw from.`
        : `of the ${ground} pairs on its blocks (about ${percent} of the ground) no more are in the top ${top.percent} %; a smaller filter.split.degrees spreads the blocks more evenly.`
  return { rows, note: `${part} of ${scorer} has ${rows.size} of ${asked} asked: ${why}` }
}
