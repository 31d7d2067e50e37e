import type { Source } from './sources/source.ts'

/** Share of pixels that must be valid. */
const VALID_SHARE = 0.98
/** Standard deviation of brightness below which nothing is to be seen. */
const BLANK_DEVIATION = 1.5
/** Share of bright grey pixels above which an image counts as cloudy, and how far its colours may lie apart. */
const CLOUD_SHARE = 0.35
const GREY_SPREAD = 25

/** Bytes of so many pixels that the sum of their squared brightness stays below 2^31. */
const RUN = 4 * 3600

export type PixelFault = 'image-not-covered' | 'image-blank' | 'image-cloudy'

/**
 * Whether an image may stand for its object.
 *
 * @param pixels red, green, blue, validity: one byte each, pixel after pixel
 * @returns the reason why not, or null
 */
export function pixelFault(pixels: Uint8Array, source: Source): PixelFault | null {
  const count = pixels.length / 4
  let valid = 0
  let cloudy = 0
  // Thrice the brightness, so that all sums are whole numbers, in 32 bits for a run of pixels: that is what is quick.
  let sum = 0
  let squares = 0
  const limit = 3 * (source.cloudBrightness ?? 256)
  for (let start = 0; start < pixels.length; start += RUN) {
    const end = Math.min(start + RUN, pixels.length)
    let runSum = 0
    let runSquares = 0
    for (let i = start; i < end; i += 4) {
      if (pixels[i + 3] === 0) continue
      valid++
      const red = pixels[i]!
      const green = pixels[i + 1]!
      const blue = pixels[i + 2]!
      const brightness = red + green + blue
      runSum += brightness
      runSquares += brightness * brightness
      if (brightness >= limit && isGrey(red, green, blue)) cloudy++
    }
    sum += runSum
    squares += runSquares
  }
  if (valid < count * VALID_SHARE) return 'image-not-covered'
  const mean = sum / valid
  if (squares / valid - mean * mean < (3 * BLANK_DEVIATION) ** 2) return 'image-blank'
  return cloudy > count * CLOUD_SHARE ? 'image-cloudy' : null
}

const isGrey = (red: number, green: number, blue: number): boolean =>
  Math.max(red, green, blue) - Math.min(red, green, blue) <= GREY_SPREAD
