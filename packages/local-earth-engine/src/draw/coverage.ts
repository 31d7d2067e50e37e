/**
 * Exact area coverage of polygons, pixel by pixel, in whole numbers: every edge adds the same amounts to the same
 * pixels whatever window is drawn and in whatever order, so pictures of overlapping windows agree to the bit.
 *
 * Coordinates are in 1/256 pixel relative to the window.
 */
const ONE = 256
/** Coverage of a whole pixel: 256 rows of 512 (twice the mean of two distances). */
const FULL = ONE * 2 * ONE

/** Where coverage is collected: rows of `stride` sums, the running total of which is the coverage. */
export interface CoverageBuffer {
  readonly width: number
  readonly height: number
  readonly stride: number
  readonly sums: Int32Array
  /** Coverage 0 to 1 of the row being painted. */
  readonly row: Float32Array
  /** Rows that have sums. */
  top: number
  bottom: number
  /** Columns outside of these have none. */
  left: number
  right: number
}

/** An empty buffer of a size in pixels. */
export function coverageBuffer(width: number, height: number): CoverageBuffer {
  const stride = width + 2
  return {
    width,
    height,
    stride,
    sums: new Int32Array(stride * height),
    row: new Float32Array(width),
    top: height,
    bottom: 0,
    left: width,
    right: 0,
  }
}

/** Adds an edge of a closed ring. */
export function addEdge(buffer: CoverageBuffer, xa: number, ya: number, xb: number, yb: number): void {
  if (ya === yb) return
  const down = ya < yb
  const y0 = down ? ya : yb
  const y1 = down ? yb : ya
  const bottomEdge = buffer.height * ONE
  if (y1 <= 0 || y0 >= bottomEdge) return
  const x0 = down ? xa : xb
  const x1 = down ? xb : xa
  const first = y0 <= 0 ? 0 : y0 >> 8
  const last = y1 >= bottomEdge ? buffer.height - 1 : (y1 - 1) >> 8
  if (first < buffer.top) buffer.top = first
  if (last >= buffer.bottom) buffer.bottom = last + 1
  const rightEdge = buffer.width * ONE
  if (x0 >= rightEdge && x1 >= rightEdge) {
    buffer.right = buffer.width
    return
  }
  const dx = x1 - x0
  const dy = y1 - y0
  for (let row = first; row <= last; row++) {
    const from = Math.max(y0, row << 8)
    const to = Math.min(y1, (row + 1) << 8)
    const start = from === y0 ? x0 : x0 + Math.round(((from - y0) * dx) / dy)
    const end = to === y1 ? x1 : x0 + Math.round(((to - y0) * dx) / dy)
    addRowEdge(buffer, row * buffer.stride, start, end, down ? to - from : from - to, rightEdge)
  }
}

/** An edge within one row, from x `start` to `end`, that covers `cover` of its 256 lines. */
function addRowEdge(
  buffer: CoverageBuffer,
  base: number,
  start: number,
  end: number,
  cover: number,
  rightEdge: number,
): void {
  const { sums, width } = buffer
  const x0 = start < end ? start : end
  const x1 = start < end ? end : start
  if (x1 < 0) {
    buffer.left = 0
    sums[base]! += cover * 2 * ONE
    return
  }
  if (x1 >= rightEdge) buffer.right = width
  if (x0 >= rightEdge) return
  const firstCell = x0 < 0 ? -1 : x0 >> 8
  const lastCell = x1 >= rightEdge ? width : x1 >> 8
  if (firstCell < buffer.left) buffer.left = Math.max(0, firstCell)
  if (lastCell >= buffer.right) buffer.right = Math.min(width, lastCell + 1)
  if (firstCell === lastCell) {
    const inside = x0 + x1 - (firstCell << 9)
    sums[base + firstCell]! += cover * (2 * ONE - inside)
    sums[base + firstCell + 1]! += cover * inside
    return
  }
  const span = x1 - x0
  let done = 0
  let cell = firstCell
  if (cell < 0) {
    done = Math.round((-x0 * cover) / span)
    sums[base]! += done * 2 * ONE
    cell = 0
  }
  for (; cell <= lastCell && cell < width; cell++) {
    const from = Math.max(x0, cell << 8)
    const to = Math.min(x1, (cell + 1) << 8)
    const reached = to === x1 ? cover : Math.round(((to - x0) * cover) / span)
    const part = reached - done
    done = reached
    const inside = from + to - (cell << 9)
    sums[base + cell]! += part * (2 * ONE - inside)
    sums[base + cell + 1]! += part * inside
  }
}

/**
 * Calls `paintRow` for every row with coverage, with `buffer.row` set for the columns [from, to), and empties the
 * buffer. Overlaps of rings that turn the same way count once; holes turn the other way.
 */
export function flush(buffer: CoverageBuffer, paintRow: (y: number, from: number, to: number) => void): void {
  const { width, stride, sums, row, left } = buffer
  // The last edge of a row leaves its rest in the column after it.
  const end = Math.min(width, buffer.right + 1)
  for (let y = buffer.top; y < buffer.bottom; y++) {
    const base = y * stride
    let total = 0
    let from = width
    let to = 0
    for (let x = left; x < end; x++) {
      total += sums[base + x]!
      sums[base + x] = 0
      if (total === 0) {
        row[x] = 0
        continue
      }
      const covered = total < 0 ? -total : total
      row[x] = covered >= FULL ? 1 : covered / FULL
      if (x < from) from = x
      to = x + 1
    }
    sums[base + end] = 0
    sums[base + width] = 0
    sums[base + width + 1] = 0
    if (from < to) paintRow(y, from, to)
  }
  buffer.top = buffer.height
  buffer.bottom = 0
  buffer.left = width
  buffer.right = 0
}
