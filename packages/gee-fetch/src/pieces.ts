import type { PixelGrid } from './client.ts'
import { backOff, pause } from './pause.ts'
import { refusalOf } from './refusals.ts'

/** Pixels a side below which a piece is not divided further. */
const SMALLEST = 16
/** Tries of a piece that can't be divided: what is too much in a busy minute may not be later. */
const ATTEMPTS = 4
const BYTES_PER_PIXEL = 4

/**
 * The pixels of a grid; what is too much for one request in halves, quarters and so on, put together. The pieces lie on
 * the pixels of the whole grid, so the bytes are those of one request.
 *
 * @param ask the pixels of a grid, BYTES_PER_PIXEL each
 * @throws what `ask` throws for other reasons than size, or for a piece that can't be divided
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
  // One after the other: where one fails, the rest need not be asked for.
  for (const { piece, x, y } of pieces) {
    const pixels = await askInPieces(piece, ask, signal)
    const line = piece.width * BYTES_PER_PIXEL
    for (let row = 0; row < piece.height; row++)
      pixels.copy(whole, ((y + row) * grid.width + x) * BYTES_PER_PIXEL, row * line, (row + 1) * line)
  }
  return whole
}

/** Two halves along the longer side; null for what is too small to divide. */
function piecesOf(grid: PixelGrid): { piece: PixelGrid; x: number; y: number }[] | null {
  const { width, height, west, north, degreesPerPixelX, degreesPerPixelY } = grid
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
      west: west + x * degreesPerPixelX,
      north: north - y * degreesPerPixelY,
    }
    return { piece, x, y }
  })
}
