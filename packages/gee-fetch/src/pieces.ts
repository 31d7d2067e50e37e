import type { PixelGrid } from './client.ts'
import { backOff, pause } from './pause.ts'
import { refusalOf } from './refusals.ts'

/** Side in pixels below which a piece is not divided further. */
const SMALLEST = 16
/** Attempts of a piece that can't be divided: a request that is too large while the service is busy may succeed later. */
const ATTEMPTS = 4
const BYTES_PER_PIXEL = 4

/**
 * The pixels of a grid. A request that is too large is split in halves, quarters and so on, and the parts are assembled.
 * The pieces are aligned to the whole grid's pixels, so the bytes are those of a single request.
 *
 * @param ask fetches the pixels of a grid, BYTES_PER_PIXEL each
 * @throws errors of `ask` that are not about size, or any error for a piece that can't be divided
 */
export async function askInPieces(
  grid: PixelGrid,
  ask: (grid: PixelGrid) => Promise<Buffer>,
  signal?: AbortSignal,
): Promise<Buffer> {
  const pieces = piecesOf(grid)
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask(grid)
    } catch (error) {
      if (refusalOf(error) !== 'too-much') throw error
      if (pieces !== null) break
      if (attempt === ATTEMPTS) throw error
      await pause(backOff(attempt), signal)
    }
  }
  const whole = Buffer.allocUnsafe(grid.width * grid.height * BYTES_PER_PIXEL)
  // Sequential: if one fails, the rest need not be requested.
  for (const { piece, x, y } of pieces) {
    const pixels = await askInPieces(piece, ask, signal)
    const line = piece.width * BYTES_PER_PIXEL
    for (let row = 0; row < piece.height; row++)
      pixels.copy(whole, ((y + row) * grid.width + x) * BYTES_PER_PIXEL, row * line, (row + 1) * line)
  }
  return whole
}

/** Two halves along the longer side; null if it is too small to divide. */
function piecesOf(grid: PixelGrid): { piece: PixelGrid; x: number; y: number }[] | null {
  const { width, height, west, north, stepX, stepY } = grid
  if (Math.max(width, height) < 2 * SMALLEST) return null
  const isWide = width >= height
  const half = Math.ceil((isWide ? width : height) / 2)
  return [0, half].map((from) => {
    const length = from === 0 ? half : (isWide ? width : height) - half
    const [x, y] = isWide ? [from, 0] : [0, from]
    const piece = {
      ...grid,
      width: isWide ? length : width,
      height: isWide ? height : length,
      west: west + x * stepX,
      north: north - y * stepY,
    }
    return { piece, x, y }
  })
}
