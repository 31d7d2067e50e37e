import { type Box, seededFraction } from '@skyscript/core'
import { HELD_OUT_PARTS, type Shares, type SplitCriterion } from './criterion.ts'
import { autoGround, type Meridian, type Rectangle, rectangleSplitter } from './rectangles.ts'

/**
 * Cells over the Earth, each with a rectangle of every held-out part at a seeded place. Held-out ground is evenly spread over
 * the region for any seed, and its rectangles are compact, so that few images overlap their edges.
 */
interface Lattice extends Shares, Meridian {
  readonly kind: 'lattice'
  /** Corner of a cell: degrees east of the layout's meridian, and of latitude. */
  readonly west: number
  readonly south: number
  /** Cell size, degrees. */
  readonly width: number
  readonly height: number
  /** The number of this draw. */
  readonly draw: number
}

/** Cells whose rectangles are cached, about 100 MB. */
const CELLS_REMEMBERED = 200_000
/** Number of lattice draws to try. */
const LATTICE_DRAWS = 8
/** Column numbers are below this in both directions from the meridian. */
const COLUMNS = 2 ** 22

/** A lattice of small rectangles, where images are small compared with the region. */
export const lattice: SplitCriterion<Lattice> = {
  kind: 'lattice',
  layouts(split, region, shares) {
    const ground = autoGround(split, region)
    if (ground?.cell == null) return []
    const { meridian, left, south, size, cell } = ground
    const [west, , east, north] = region.extent
    const columns = Math.max(1, Math.round(size[0] / cell))
    const rows = Math.max(1, Math.round(size[1] / cell))
    const cells = { west: left, south, width: (east - west) / columns, height: (north - south) / rows }
    return Array.from({ length: LATTICE_DRAWS }, (_, draw) => ({
      kind: 'lattice',
      meridian,
      ...cells,
      ...shares,
      draw,
    }))
  },
  splitter: (layout, seed) => rectangleSplitter(layout.meridian, createLatticeGround(layout, seed)),
}

/** @returns the held-out rectangles of all cells that a box overlaps */
function createLatticeGround(layout: Lattice, seed: number): (box: Box) => readonly Rectangle[] {
  const { west, south, width, height } = layout
  const known = new Map<number, readonly Rectangle[]>()
  const inCell = (x: number, y: number): readonly Rectangle[] => {
    const key = y * 2 * COLUMNS + x + COLUMNS
    const found = known.get(key)
    if (found !== undefined) return found
    if (known.size === CELLS_REMEMBERED) known.clear()
    const rectangles = rectanglesOf(layout, x, y, seed)
    known.set(key, rectangles)
    return rectangles
  }
  return (box) => {
    const [left, right] = [box[0], box[2]].map((x) => Math.floor((x - west) / width)) as [number, number]
    const [bottom, top] = [box[1], box[3]].map((y) => Math.floor((y - south) / height)) as [number, number]
    if (left === right && bottom === top) return inCell(left, bottom)
    const rectangles: Rectangle[] = []
    for (let y = bottom; y <= top; y++) for (let x = left; x <= right; x++) rectangles.push(...inCell(x, y))
    return rectangles
  }
}

function rectanglesOf(layout: Lattice, x: number, y: number, seed: number): Rectangle[] {
  const { west, south, width, height, draw } = layout
  const chance = (what: string) => seededFraction(seed, `split-${what}`, `${draw}:${x}:${y}`)
  // Different quarters of the cell.
  const first = Math.floor(4 * chance('val-quarter'))
  const second = (first + 1 + Math.floor(3 * chance('test-quarter'))) % 4
  const rest = [0, 1, 2, 3].filter((quarter) => quarter !== first && quarter !== second)
  const third = rest[Math.floor(2 * chance('benchmark-quarter'))]!
  const quarters = { val: first, test: second, benchmark: third }
  return HELD_OUT_PARTS.flatMap((part): Rectangle[] => {
    const quarter = quarters[part]
    // At most half a cell, so that it fits into a quarter: there is no lattice for larger shares.
    const side = Math.sqrt(layout[part])
    if (side === 0) return []
    // Fractions of the cell, 0 to 1.
    const left = (quarter % 2) / 2 + chance(`${part}-x`) * (0.5 - side)
    const bottom = Math.floor(quarter / 2) / 2 + chance(`${part}-y`) * (0.5 - side)
    const at = (u: number, v: number): [number, number] => [west + (x + u) * width, south + (y + v) * height]
    return [{ part, box: [...at(left, bottom), ...at(left + side, bottom + side)] }]
  })
}
