import { type Box, boxCenter, type Config, seededFraction } from '@skyscript/core'

/** Of the ground (or of the objects, where the split is by image) that go to val and test. */
export const VAL_SHARE = 0.05
export const TEST_SHARE = 0.1

/** `held-out`: an image that reaches over ground of two splits, and so can be in neither. */
export type Split = 'train' | 'val' | 'test' | 'held-out'

/** Which split a pair belongs to, by itself: other pairs, and how many there are, have no say. */
export type Splitter = (id: string, box: Box) => Split

/**
 * `by: block`: cells of `degrees` go whole to one split by a seeded hash of the cell, so that neighbours, and the same
 * ground seen by two sources, never fall apart; an image that touches cells of different splits is held out.
 * `by: image`: a seeded hash of the object's id, as random as the original's.
 */
export function createSplitter({ by, degrees }: Config['filter']['split'], seed: number): Splitter {
  const drawn = (draw: number): Split => (draw < VAL_SHARE ? 'val' : draw < VAL_SHARE + TEST_SHARE ? 'test' : 'train')
  if (by === 'image') return (id) => drawn(seededFraction(seed, 'split-image', id))
  const cells = new Map<string, Split>()
  const cellSplit = (x: number, y: number): Split => {
    const cell = `${degrees}:${x}:${y}`
    const known = cells.get(cell)
    if (known !== undefined) return known
    const split = drawn(seededFraction(seed, 'split-block', cell))
    cells.set(cell, split)
    return split
  }
  const index = (position: number) => Math.floor(position / degrees)
  return (_id, box) => {
    const [longitude, latitude] = boxCenter(box)
    const own = cellSplit(index(longitude), index(latitude))
    for (let y = index(box[1]); y <= index(box[3]); y++) {
      for (let x = index(box[0]); x <= index(box[2]); x++) if (cellSplit(x, y) !== own) return 'held-out'
    }
    return own
  }
}
