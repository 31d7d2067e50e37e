import { seededFraction } from '@skyscript/core'
import { type Part, partOfDraw, type Shares, type SplitCriterion, type Splitter } from './criterion.ts'
import { SLIVER } from './rectangles.ts'

/** Cells of `degrees` belong entirely to one part. */
type Blocks = { readonly kind: 'blocks'; readonly degrees: number } & Shares

/** Blocks whose part is cached, about 50 MB. */
const BLOCKS_REMEMBERED = 500_000

/** Blocks of `filter.split.degrees`, where it is a number. */
export const blocks: SplitCriterion<Blocks> = {
  kind: 'blocks',
  layouts: ({ by, degrees }, _region, shares) =>
    by === 'block' && degrees !== 'auto' ? [{ kind: 'blocks', degrees, ...shares }] : [],
  splitter: blockSplitter,
}

function blockSplitter({ degrees, ...shares }: Blocks, seed: number): Splitter {
  const rows = Math.ceil(180 / degrees) + 1
  const known = new Map<number, Part>()
  const partOf = (x: number, y: number): Part => {
    const key = x * rows + y
    const found = known.get(key)
    if (found !== undefined) return found
    if (known.size === BLOCKS_REMEMBERED) known.clear()
    const part = partOfDraw(seededFraction(seed, 'split-block', `${degrees}:${x}:${y}`), shares)
    known.set(key, part)
    return part
  }
  const column = (longitude: number) => Math.floor((longitude + 180) / degrees)
  const row = (latitude: number) => Math.floor((latitude + 90) / degrees)
  return (_id, [west, south, east, north]) => {
    const [left, bottom] = [column(west + SLIVER), row(south + SLIVER)]
    const [right, top] = [Math.max(left, column(east - SLIVER)), Math.max(bottom, row(north - SLIVER))]
    const own = partOf(left, bottom)
    for (let y = bottom; y <= top; y++) {
      for (let x = left; x <= right; x++) if (partOf(x, y) !== own) return 'straddling'
    }
    return own
  }
}
