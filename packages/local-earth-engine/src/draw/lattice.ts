import { METRES_PER_DEGREE_LATITUDE, METRES_PER_DEGREE_LONGITUDE, radians } from '@skyscript/core'
import type { PixelGrid } from './scene.ts'

/**
 * The native pixels of all scenes of one GSD. Rows are counted south from 90 N over the whole Earth. Columns are counted
 * east from 0; their width in degrees is that of the belt of 0.1 degree of latitude they lie in, so that pixels are
 * square everywhere. Coarser overviews double the pixel again and again.
 */
export interface Lattice {
  /** Metres per pixel. */
  readonly gsd: number
  readonly belt: number
  readonly degreesX: number
  readonly degreesY: number
}

/** A rectangle of native pixels: absolute column and row of its first pixel, and its size. */
export interface Window extends Lattice {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** Rows [from, to) of a grid that lie in one belt, with the native pixels they show. */
export interface Patch {
  readonly window: Window
  readonly from: number
  readonly to: number
  /** Native column of each column of the grid, and row of each row from `from`, relative to the window. */
  readonly columns: Int32Array
  readonly rows: Int32Array
}

export const BELTS_PER_DEGREE = 10

/** Pixel positions are told apart to this part of a pixel: positions on the border between two pixels fall the same way. */
const EPSILON = 1e-6

function latticeAt(gsd: number, belt: number): Lattice {
  const latitude = Math.max(-89.5, Math.min(89.5, (belt + 0.5) / BELTS_PER_DEGREE))
  return {
    gsd,
    belt,
    degreesX: gsd / (METRES_PER_DEGREE_LONGITUDE * Math.cos(radians(latitude))),
    degreesY: gsd / METRES_PER_DEGREE_LATITUDE,
  }
}

/** The overview to draw for a grid: the coarsest one that is not coarser than the grid, in metres per pixel. */
function overviewGsd(native: number, grid: PixelGrid): number {
  const asked = Math.abs(grid.stepY) * METRES_PER_DEGREE_LATITUDE
  const level = Math.floor(Math.log2(asked / native) + 0.1)
  return native * 2 ** Math.max(0, level)
}

/** Cuts a grid into patches of one belt each, with the nearest native pixel of every pixel. */
export function patchesOf(native: number, grid: PixelGrid): Patch[] {
  const gsd = overviewGsd(native, grid)
  const degreesY = gsd / METRES_PER_DEGREE_LATITUDE
  const rowOf = (y: number) => Math.floor((90 - (grid.north + (grid.top + y + 0.5) * grid.stepY)) / degreesY + EPSILON)
  const beltOf = (row: number) => Math.floor((90 - (row + 0.5) * degreesY) * BELTS_PER_DEGREE)
  const patches: Patch[] = []
  for (let from = 0; from < grid.height; ) {
    const belt = beltOf(rowOf(from))
    let to = from + 1
    while (to < grid.height && beltOf(rowOf(to)) === belt) to++
    patches.push(patchOf(latticeAt(gsd, belt), grid, from, to, rowOf))
    from = to
  }
  return patches
}

function patchOf(lattice: Lattice, grid: PixelGrid, from: number, to: number, rowOf: (y: number) => number): Patch {
  const columnOf = (x: number) => Math.floor((grid.west + (x + 0.5) * grid.stepX) / lattice.degreesX + EPSILON)
  const [left, right] = extremes(columnOf(0), columnOf(grid.width - 1))
  const [top, bottom] = extremes(rowOf(from), rowOf(to - 1))
  const columns = new Int32Array(grid.width)
  for (let x = 0; x < grid.width; x++) columns[x] = columnOf(x) - left
  const rows = new Int32Array(to - from)
  for (let y = from; y < to; y++) rows[y - from] = rowOf(y) - top
  return {
    window: { ...lattice, left, top, width: right - left + 1, height: bottom - top + 1 },
    from,
    to,
    columns,
    rows,
  }
}

const extremes = (a: number, b: number): [number, number] => (a < b ? [a, b] : [b, a])
