import { type Config, seededFraction } from '@skyscript/core'
import type { PairTable } from './pair-table.ts'
import { PARTS, TEST_SHARE, VAL_SHARE } from './splits.ts'

/** The part of the ranking that val and test come out of, as in the original. */
export const EVALUATION_PERCENT = 30

export interface Drawn {
  /** Rows of the validation or test file. */
  readonly rows: ReadonlySet<number>
  /** Why they are fewer than asked; null where they are not. */
  readonly note: string | null
}

/**
 * Draws a scorer's validation or test set: pairs of that part that are in the top 30 %, in seeded order, up to the asked
 * size. Split by image, at most 5 % (val) or 10 % (test) of these: what is drawn is lost for training.
 */
export function drawEvaluation(options: {
  readonly part: 'val' | 'test'
  readonly scorer: string
  /** Rows of the top 30 %. */
  readonly top: Uint32Array
  readonly table: PairTable
  readonly filter: Pick<Config['filter'], 'val' | 'test' | 'split'>
  readonly seed: number
}): Drawn {
  const { part, scorer, top, table, filter, seed } = options
  const code = PARTS.indexOf(part)
  const found: { row: number; id: string; draw: number }[] = []
  for (const row of top) {
    if (table.parts[row] !== code) continue
    const id = table.id(row)
    found.push({ row, id, draw: seededFraction(seed, `choose-${part}`, id) })
  }
  found.sort((a, b) => a.draw - b.draw || (a.id < b.id ? -1 : 1))
  const asked = filter[part]
  const { by, degrees } = filter.split
  const share = part === 'val' ? VAL_SHARE : TEST_SHARE
  const most = by === 'image' ? Math.min(asked, Math.floor(share * top.length)) : asked
  const rows = new Set(found.slice(0, most).map(({ row }) => row))
  if (rows.size >= asked) return { rows, note: null }

  const percent = `${share * 100} %`
  const ground = table.parts.reduce((sum, each) => sum + (each === code ? 1 : 0), 0)
  const why =
    by === 'image'
      ? `at most ${percent} of the ${top.length} pairs in the top ${EVALUATION_PERCENT} % go there.`
      : ground === 0
        ? `no block of ${degrees} degrees with images went to ${part}; a smaller filter.split.degrees gives more blocks to draw from.`
        : `of the ${ground} pairs on its blocks (about ${percent} of the ground) no more are in the top ${EVALUATION_PERCENT} %; a smaller filter.split.degrees spreads the blocks more evenly.`
  return { rows, note: `${part} of ${scorer} has ${rows.size} of ${asked} asked: ${why}` }
}
