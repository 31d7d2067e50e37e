import type { RgbImage } from '../clip/pillow-resize.ts'

/** Side of the grid of cells that an image is averaged to before its transform. */
const CELLS = 32
/** Side of the block of coefficients kept: the coarsest, which scaling and compression hardly change. */
const KEPT = 8

/** `COSINES[k * CELLS + i]`: the k-th wave of the DCT-II at cell i. */
const COSINES = Float64Array.from({ length: KEPT * CELLS }, (_, at) => {
  const [k, i] = [Math.floor(at / CELLS), at % CELLS]
  return Math.cos((Math.PI * k * (2 * i + 1)) / (2 * CELLS))
})

/**
 * A 64-bit perceptual hash: images of one scene in other sizes, qualities or brightness differ in few bits. Luma averaged
 * to 32 x 32 cells, DCT-II, then one bit per coefficient of the lowest 8 x 8: whether it is above their median.
 *
 * @returns 16 hex digits, coefficients row by row from the top left, the first in the most significant bit
 */
export function perceptualHash(image: RgbImage): string {
  const coefficients = lowest(cellsOf(image))
  const sorted = coefficients.toSorted()
  const median = (sorted[KEPT * 4 - 1]! + sorted[KEPT * 4]!) / 2
  let hex = ''
  for (let at = 0; at < KEPT * KEPT; at += 4) {
    let digit = 0
    for (let i = at; i < at + 4; i++) digit = digit * 2 + (coefficients[i]! > median ? 1 : 0)
    hex += digit.toString(16)
  }
  return hex
}

/** Mean luma of 32 x 32 cells. Cell edges are whole pixels; in images smaller than 32 a pixel is in several cells. */
function cellsOf({ data, width, height }: RgbImage): Float64Array {
  const cells = new Float64Array(CELLS * CELLS)
  for (let row = 0; row < CELLS; row++) {
    const [top, bottom] = bounds(row, height)
    for (let column = 0; column < CELLS; column++) {
      const [left, right] = bounds(column, width)
      let sum = 0
      for (let y = top; y < bottom; y++) {
        for (let at = (y * width + left) * 3, end = (y * width + right) * 3; at < end; at += 3) {
          // Pillow's convert('L'): ITU-R 601-2 in 16-bit fixed point.
          sum += (19595 * data[at]! + 38470 * data[at + 1]! + 7471 * data[at + 2]! + 0x8000) >> 16
        }
      }
      cells[row * CELLS + column] = sum / ((bottom - top) * (right - left))
    }
  }
  return cells
}

function bounds(cell: number, pixels: number): [from: number, to: number] {
  const from = Math.floor((cell * pixels) / CELLS)
  return [from, Math.max(from + 1, Math.floor(((cell + 1) * pixels) / CELLS))]
}

/** The lowest 8 x 8 coefficients. Rounded, so that those of flat images are 0 instead of summation noise. */
function lowest(cells: Float64Array): Float64Array {
  const rows = new Float64Array(CELLS * KEPT)
  for (let y = 0; y < CELLS; y++) {
    for (let u = 0; u < KEPT; u++) {
      let sum = 0
      for (let x = 0; x < CELLS; x++) sum += cells[y * CELLS + x]! * COSINES[u * CELLS + x]!
      rows[y * KEPT + u] = sum
    }
  }
  const kept = new Float64Array(KEPT * KEPT)
  for (let v = 0; v < KEPT; v++) {
    for (let u = 0; u < KEPT; u++) {
      let sum = 0
      for (let y = 0; y < CELLS; y++) sum += rows[y * KEPT + u]! * COSINES[v * CELLS + y]!
      kept[v * KEPT + u] = Math.round(sum * 1e6) / 1e6
    }
  }
  return kept
}
