import { type Box, seededFraction } from '@skyscript/core'
import type { Rectangle, Shares } from './lattice.ts'
import { createLatticeGround, type Lattice } from './lattice.ts'

/** Which part a pair may be used for; `straddling`: its image shows ground of two parts, so it is in none. */
export type Part = 'train' | 'val' | 'test' | 'straddling'
export const PARTS = ['train', 'val', 'test', 'straddling'] as const satisfies readonly Part[]

/** Longitudes are counted from here, -180 to 180, so that a region may cross 180 degrees. */
export interface Meridian {
  readonly meridian: number
}

/** Which ground belongs to which part. Plain data, so that it can be sent to threads. */
export type Layout =
  /** No ground: the object's id decides. */
  | ({ readonly kind: 'image' } & Shares)
  /** Cells of `degrees` belong entirely to one part. */
  | ({ readonly kind: 'blocks'; readonly degrees: number } & Shares)
  /** One val and one test rectangle in each cell. */
  | ({ readonly kind: 'lattice' } & Lattice & Meridian)
  /** Rectangles at the edge of a region. */
  | ({ readonly kind: 'edge'; readonly rectangles: readonly Rectangle[] } & Meridian)

/** The part of a pair, decided only by its id and box: other pairs, and their number, change nothing. */
export type Splitter = (id: string, box: Box) => Part

/**
 * An overlap of an image and ground that is thinner than this (degrees) is a rounding error: the edges of boxes and of
 * ground are rounded separately. Two such slivers together are thinner than a tenth of a millimetre.
 */
const SLIVER = 4e-10
/** Blocks whose part is cached, about 50 MB. */
const BLOCKS_REMEMBERED = 500_000

export function createSplitter(layout: Layout, seed: number): Splitter {
  switch (layout.kind) {
    case 'image':
      return (id) => drawn(seededFraction(seed, 'split-image', id), layout)
    case 'blocks':
      return blockSplitter(layout, seed)
    case 'lattice':
      return rectangleSplitter(layout.meridian, createLatticeGround(layout, seed))
    case 'edge':
      return rectangleSplitter(layout.meridian, () => layout.rectangles)
  }
}

const drawn = (draw: number, { val, test }: Shares): Part => (draw < val ? 'val' : draw < val + test ? 'test' : 'train')

function blockSplitter({ degrees, ...shares }: { degrees: number } & Shares, seed: number): Splitter {
  const rows = Math.ceil(180 / degrees) + 1
  const known = new Map<number, Part>()
  const partOf = (x: number, y: number): Part => {
    const key = x * rows + y
    const found = known.get(key)
    if (found !== undefined) return found
    if (known.size === BLOCKS_REMEMBERED) known.clear()
    const part = drawn(seededFraction(seed, 'split-block', `${degrees}:${x}:${y}`), shares)
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

/** @param near held-out rectangles that may overlap a box */
function rectangleSplitter(meridian: number, near: (box: Box) => readonly Rectangle[]): Splitter {
  return (_id, [west, south, east, north]) => {
    const left = relativeLongitude(west, meridian)
    const box: Box = [left, south, left + (east - west), north]
    let part: Part = 'train'
    for (const rectangle of near(box)) {
      if (!overlaps(box, rectangle.box)) continue
      if (part !== 'train' || !contains(rectangle.box, box)) return 'straddling'
      part = rectangle.part
    }
    return part
  }
}

/** Degrees east of a meridian, at least -180 and below 180. */
export const relativeLongitude = (longitude: number, meridian: number): number =>
  ((((longitude - meridian + 180) % 360) + 360) % 360) - 180

const overlaps = (a: Box, b: Box): boolean =>
  Math.min(a[2], b[2]) - Math.max(a[0], b[0]) > SLIVER && Math.min(a[3], b[3]) - Math.max(a[1], b[1]) > SLIVER

const contains = (outer: Box, inner: Box): boolean =>
  inner[0] >= outer[0] - SLIVER &&
  inner[1] >= outer[1] - SLIVER &&
  inner[2] <= outer[2] + SLIVER &&
  inner[3] <= outer[3] + SLIVER
