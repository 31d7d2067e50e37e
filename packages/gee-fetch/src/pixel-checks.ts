import type { Config } from '@skyscript/core'
import { enlargementOf } from './enlargement.ts'
import { PIXEL_STATE } from './pixel-state.ts'
import type { Source } from './sources/source.ts'

/** Maximum difference between the channels of a grey pixel, where clouds are detected by brightness. */
const GREY_SPREAD = 25
/** Maximum length of a straight run of black pixels that may be shadow: longer runs, or a quarter of a side, are a seam. */
const SHADOW_LENGTH = 32

/** Bytes per run, chosen so that the sum of squared brightness stays below 2^31. */
const RUN = 4 * 3600

/** Measurements of an image's pixels; judged separately, so that new limits need no new pixels. */
export interface PixelMeasures {
  /** Fractions of all pixels: with data, under cloud or haze, in black seams. */
  readonly valid: number
  readonly cloud: number
  readonly seam: number
  /** Standard deviation of brightness (0 to 255) over the pixels with data. */
  readonly deviation: number
  /** Fraction in pictures that say that there is no imagery, where there are any. */
  readonly blank?: number
  /** How many times it is enlarged, where it is and its source may do that. */
  readonly enlarged?: number
}

export type PixelFault = 'image-not-covered' | 'image-black-seam' | 'image-blank' | 'image-cloudy' | 'image-enlarged'

/** Why an image is rejected, or null. */
export function pixelFault(
  { valid, cloud, seam, deviation, blank = 0, enlarged = 1 }: PixelMeasures,
  limits: Config['imagery']['checks'],
): PixelFault | null {
  if (valid < limits.minValid) return 'image-not-covered'
  if (blank > 1 - limits.minValid) return 'image-blank'
  if (seam > limits.maxSeam) return 'image-black-seam'
  // An image of nothing but cloud is blank too; cloud is the better reason.
  if (cloud > limits.maxCloud) return 'image-cloudy'
  if (deviation < limits.minDeviation) return 'image-blank'
  return enlarged > (limits.maxEnlarged ?? 1) ? 'image-enlarged' : null
}

/** @param pixels red, green, blue and PIXEL_STATE: one byte each, pixel after pixel, in lines of `width` */
export function measurePixels(
  pixels: Uint8Array,
  width: number,
  { kind, cloudBrightness }: Pick<Source, 'cloudBrightness'> & Partial<Pick<Source, 'kind'>>,
): PixelMeasures {
  const count = pixels.length / 4
  let valid = 0
  let cloudy = 0
  let black = 0
  let blank = 0
  // Three times the brightness, so that all sums are integers, within 32 bits per run of pixels: integer maths is fast.
  let sum = 0
  let squares = 0
  const limit = 3 * (cloudBrightness ?? 256)
  for (let start = 0; start < pixels.length; start += RUN) {
    const end = Math.min(start + RUN, pixels.length)
    let runSum = 0
    let runSquares = 0
    for (let i = start; i < end; i += 4) {
      const state = pixels[i + 3]!
      if (state === PIXEL_STATE.masked) continue
      valid++
      const red = pixels[i]!
      const green = pixels[i + 1]!
      const blue = pixels[i + 2]!
      const brightness = red + green + blue
      runSum += brightness
      runSquares += brightness * brightness
      if (state === PIXEL_STATE.cloudy || (brightness >= limit && isGrey(red, green, blue))) cloudy++
      else if (state === PIXEL_STATE.black) black++
      else if (state === PIXEL_STATE.blank) blank++
    }
    sum += runSum
    squares += runSquares
  }
  const mean = valid === 0 ? 0 : sum / valid
  const variance = valid === 0 ? 0 : Math.max(0, squares / valid - mean * mean)
  // Files and Earth Engine give the pixels that there are.
  const enlarged = kind === 'tiles' ? enlargementOf(pixels, width) : 1
  return {
    valid: valid / count,
    cloud: cloudy / count,
    seam: black === 0 ? 0 : seamPixels(pixels, width) / count,
    deviation: Math.sqrt(variance) / 3,
    ...(blank > 0 && { blank: blank / count }),
    ...(enlarged > 1 && { enlarged }),
  }
}

const isGrey = (red: number, green: number, blue: number): boolean =>
  Math.max(red, green, blue) - Math.min(red, green, blue) <= GREY_SPREAD

/** Black pixels in rows or columns too long and straight to be shadow: gaps between exposures, or at the edge of the last. */
function seamPixels(pixels: Uint8Array, width: number): number {
  const height = pixels.length / 4 / width
  const marked = new Uint8Array(width * height)
  const mark = (lines: number, length: number, at: (line: number, along: number) => number) => {
    const long = Math.min(SHADOW_LENGTH, Math.ceil(length / 4))
    for (let line = 0; line < lines; line++) {
      let run = 0
      for (let along = 0; along <= length; along++) {
        if (along < length && pixels[4 * at(line, along) + 3] === PIXEL_STATE.black) {
          run++
          continue
        }
        if (run >= long) for (let back = along - run; back < along; back++) marked[at(line, back)] = 1
        run = 0
      }
    }
  }
  mark(height, width, (y, x) => y * width + x)
  mark(width, height, (x, y) => y * width + x)
  return marked.reduce((sum, each) => sum + each, 0)
}
