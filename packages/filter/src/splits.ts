import { type Box, type Config, seededFraction } from '@skyscript/core'

/** Of the ground (or of the objects, where the split is by image) that go to val and test. */
export const VAL_SHARE = 0.05
export const TEST_SHARE = 0.1

/** Where a pair may stand; `straddling`: its image reaches over ground of two parts, and so it may stand in none. */
export type Part = 'train' | 'val' | 'test' | 'straddling'
export const PARTS = ['train', 'val', 'test', 'straddling'] as const satisfies readonly Part[]

/** Which part a pair belongs to, by itself: other pairs, and how many there are, have no say. */
export type Splitter = (id: string, box: Box) => Part

/**
 * An image that reaches into a cell by less than this, in degrees, doesn't show it: the edges of boxes and of cells are
 * rounded apart. Two such slivers together are thinner than a tenth of a millimetre.
 */
const SLIVER = 4e-10
/** Cells whose part is kept at hand, some 50 MB. */
const CELLS_AT_HAND = 500_000

/**
 * `by: block`: cells of `degrees` go whole to one part by a seeded hash of the cell, so that neighbours, and the same
 * ground seen by two sources, never fall apart. `by: image`: a seeded hash of the object's id, as random as the
 * original's.
 */
export function createSplitter({ by, degrees }: Config['filter']['split'], seed: number): Splitter {
  const drawn = (draw: number): Part => (draw < VAL_SHARE ? 'val' : draw < VAL_SHARE + TEST_SHARE ? 'test' : 'train')
  if (by === 'image') return (id) => drawn(seededFraction(seed, 'split-image', id))

  const rows = Math.ceil(180 / degrees) + 1
  const known = new Map<number, Part>()
  const partOf = (x: number, y: number): Part => {
    const key = x * rows + y
    const found = known.get(key)
    if (found !== undefined) return found
    if (known.size === CELLS_AT_HAND) known.clear()
    const part = drawn(seededFraction(seed, 'split-block', `${degrees}:${x}:${y}`))
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
