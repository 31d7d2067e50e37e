import { sha256 } from '@skyscript/core'

/** Pixels that are looked at, spread over the picture. */
const SAMPLE = 1024
/** A sample with fewer colours, or with more of one, may be of a drawing; a photograph has hardly two pixels alike. */
const FEW_COLOURS = 256
const MUCH_OF_ONE = 0.2
/** Fill is bright and without a hue; flat water is not. */
const BRIGHT = 180
const NEUTRAL = 6

/**
 * What a tile may be instead of imagery: `fill` if it is all of one bright grey or white; the hash of its file if it is drawn
 * rather than photographed, such as "no data here", and so a placeholder if another has the same; else null.
 *
 * @param pixels red, green, blue and opacity: one byte each, pixel after pixel
 */
export function placeholderOf(pixels: Uint8Array, file: Uint8Array): 'fill' | string | null {
  const counts = new Map<number, number>()
  const count = pixels.length / 4
  // An odd step meets all columns of a picture whose width is a power of two.
  const step = Math.max(1, Math.floor(count / SAMPLE)) | 1
  let sampled = 0
  for (let pixel = 0; pixel < count; pixel += step, sampled++) {
    const colour = colourAt(pixels, pixel)
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  if (counts.size === 1 && isOfOneColour(pixels)) return isFill(pixels) ? 'fill' : null
  return counts.size < FEW_COLOURS || Math.max(...counts.values()) > MUCH_OF_ONE * sampled ? sha256(file) : null
}

const colourAt = (pixels: Uint8Array, pixel: number): number =>
  (pixels[pixel * 4]! << 16) | (pixels[pixel * 4 + 1]! << 8) | pixels[pixel * 4 + 2]!

function isOfOneColour(pixels: Uint8Array): boolean {
  const first = colourAt(pixels, 0)
  for (let pixel = 1; pixel < pixels.length / 4; pixel++) if (colourAt(pixels, pixel) !== first) return false
  return true
}

function isFill([red, green, blue, opacity]: Uint8Array): boolean {
  const channels = [red!, green!, blue!]
  return opacity === 255 && Math.min(...channels) >= BRIGHT && Math.max(...channels) - Math.min(...channels) <= NEUTRAL
}
