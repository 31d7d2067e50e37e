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
}

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
  }
}

/** Adds an edge of a closed ring. */
export function addEdge(buffer: CoverageBuffer, xa: number, ya: number, xb: number, yb: number): void {
  if (ya === yb) return
  const sign = ya < yb ? 1 : -1
  const [x0, y0, x1, y1] = sign > 0 ? [xa, ya, xb, yb] : [xb, yb, xa, ya]
  const first = Math.max(0, y0 >> 8)
  const last = Math.min(buffer.height - 1, (y1 - 1) >> 8)
  if (first > last) return
  const right = buffer.width * ONE
  if (x0 >= right && x1 >= right) return
  if (first < buffer.top) buffer.top = first
  if (last >= buffer.bottom) buffer.bottom = last + 1
  const [dx, dy] = [x1 - x0, y1 - y0]
  for (let row = first; row <= last; row++) {
    const from = Math.max(y0, row << 8)
    const to = Math.min(y1, (row + 1) << 8)
    const start = from === y0 ? x0 : x0 + Math.round(((from - y0) * dx) / dy)
    const end = to === y1 ? x1 : x0 + Math.round(((to - y0) * dx) / dy)
    addRowEdge(buffer, row * buffer.stride, start, end, (to - from) * sign, right)
  }
}

/** An edge within one row, from x `start` to `end`, that covers `cover` of its 256 lines. */
function addRowEdge(
  { sums, width }: CoverageBuffer,
  base: number,
  start: number,
  end: number,
  cover: number,
  right: number,
): void {
  const [x0, x1] = start < end ? [start, end] : [end, start]
  if (x1 < 0) {
    sums[base]! += cover * 2 * ONE
    return
  }
  if (x0 >= right) return
  const [firstCell, lastCell] = [x0 >> 8, x1 >> 8]
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
    const [from, to] = [Math.max(x0, cell << 8), Math.min(x1, (cell + 1) << 8)]
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
  const { width, stride, sums, row } = buffer
  for (let y = buffer.top; y < buffer.bottom; y++) {
    const base = y * stride
    let total = 0
    let from = width
    let to = 0
    for (let x = 0; x < width; x++) {
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
    sums[base + width] = 0
    sums[base + width + 1] = 0
    if (from < to) paintRow(y, from, to)
  }
  buffer.top = buffer.height
  buffer.bottom = 0
}
