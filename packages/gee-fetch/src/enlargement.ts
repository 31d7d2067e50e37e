/**
 * Whether an image shows fewer pixels than it has: services answer levels that they don't have with enlarged pixels.
 *
 * Enlarging leaves two marks on brightness: there is little as fine as a pixel, and how much neighbours differ depends on
 * where in a block of the coarser pixels they are. Smooth ground has the first, but not the second. Both are looked for at the
 * image's own pixels and at means of 2 x 2 and 4 x 4, which show a larger factor under the noise of rounding and JPEG.
 * Limits are from 40 real aerial and satellite images, in PNG and as JPEG of quality 60 to 85, and the same enlarged 2, 4 and 8
 * times to the nearest pixel, linearly and cubically. Of 2,400 parts of them of 300, 128 and 100 pixels a side none is taken for
 * enlarged. Of enlarged ones of 300 pixels 99 % are found, and 95 % of those of 8 times.
 */

/** Larger images are judged by their middle. */
const LONGEST_SIDE = 400
/** Fewer pixels can't be judged. */
const SHORTEST_SIDE = 48

/** The image itself, and means of 2 and 4 pixels a side. */
const LEVELS = 3
/** The largest factor that is found. */
export const MOST_ENLARGED = 2 ** LEVELS

/**
 * Least contrast over four pixels (root mean square, of 255) of what can be judged: where there is less, JPEG leaves its
 * blocks of 8 pixels and nothing in them.
 */
const LEAST_CONTRAST = 4
/** Shares of the energy and of the sum of differences between neighbours that fall on every second place: half in real images. */
const REPEATED = 0.7
const REPEATED_SUM = 0.58
/** Places with differences, from which a share says something: a few straight edges may all be in even ones. */
const LEAST_PLACES = 12
/** The share from which nothing but these edges is there, not even noise, and a few are enough. */
const REPEATED_EXACTLY = 0.9
const FEWEST_PLACES = 4
/** The same where the image is soft, by side: small images vary more. */
const repeatedWhereSoft = (side: number): number => 0.52 + 6 / side
/** Energy of the finest structures, of that over four pixels: below it an image is soft. */
const SOFT = 1.7

interface Sharpness {
  readonly side: number
  readonly contrast: number
  readonly fineness: number
  /** Of first differences, of their sum, and the larger of those of first and second differences. */
  readonly repeated: number
  readonly repeatedSum: number
  readonly repeatedAny: number
  /** In how many places of a line there are differences, at least. */
  readonly places: number
}

/**
 * How many times an image is enlarged: 1, 2, 4 or 8 times a side. 1 where it can't be told, as of smooth ground.
 *
 * @param pixels red, green, blue and PIXEL_STATE: one byte each, pixel after pixel, in lines of `width`
 */
export function enlargementOf(pixels: Uint8Array, width: number): number {
  let level = middleOf(pixels, width)
  let factor = 1
  for (let i = 1; i <= LEVELS && Math.min(level.width, level.height) >= SHORTEST_SIDE; i++, level = halved(level)) {
    const sharpness = sharpnessOf(level)
    // What noise or softness hides, the next level may show.
    if (sharpness.contrast < LEAST_CONTRAST) continue
    if (isEnlarged(sharpness)) factor = 2 ** i
    else if (sharpness.fineness >= SOFT) break
  }
  return factor
}

function isEnlarged({ side, fineness, repeated, repeatedSum, repeatedAny, places }: Sharpness): boolean {
  const least = repeatedWhereSoft(side)
  const leastPlaces = repeatedSum >= REPEATED_EXACTLY ? FEWEST_PLACES : LEAST_PLACES
  if (repeated >= Math.max(REPEATED, least) && repeatedSum >= REPEATED_SUM && places >= leastPlaces) return true
  return fineness < SOFT && repeatedAny >= least
}

/** Brightness (0 to 765) row by row. */
interface Level {
  readonly values: Float32Array
  readonly width: number
  readonly height: number
}

function middleOf(pixels: Uint8Array, width: number): Level {
  const height = pixels.length / 4 / width
  const [across, down] = [Math.min(width, LONGEST_SIDE), Math.min(height, LONGEST_SIDE)]
  const [left, top] = [(width - across) >> 1, (height - down) >> 1]
  const values = new Float32Array(across * down)
  for (let y = 0, to = 0; y < down; y++) {
    for (let from = ((top + y) * width + left) * 4, end = from + across * 4; from < end; from += 4)
      values[to++] = pixels[from]! + pixels[from + 1]! + pixels[from + 2]!
  }
  return { values, width: across, height: down }
}

function halved({ values, width, height }: Level): Level {
  const [across, down] = [width >> 1, height >> 1]
  const means = new Float32Array(across * down)
  for (let y = 0, to = 0; y < down; y++) {
    for (let x = 0, from = 2 * y * width; x < across; x++, from += 2)
      means[to++] = (values[from]! + values[from + 1]! + values[from + width]! + values[from + width + 1]!) / 4
  }
  return { values: means, width: across, height: down }
}

function sharpnessOf({ values, width, height }: Level): Sharpness {
  const both = [differences(values, height, width, width, 1), differences(values, width, height, 1, width)]
  const sum = (of: 'fine' | 'wide' | 'count') => both.reduce((all, each) => all + each[of], 0)
  // An enlarged image is enlarged along both.
  const least = (of: 'slopes' | 'bends' | 'sizes') => Math.min(...both.map((each) => largerShare(each[of])))
  const repeated = least('slopes')
  return {
    side: Math.min(width, height),
    contrast: Math.sqrt(sum('wide') / sum('count')) / 3,
    fineness: sum('fine') / sum('wide'),
    repeated,
    repeatedSum: least('sizes'),
    repeatedAny: Math.max(repeated, least('bends')),
    places: Math.min(...both.map(({ slopes }) => placesOf(slopes))),
  }
}

/** The share of the even or of the odd places, whichever is larger. */
function largerShare(energies: Float64Array): number {
  const [even, odd] = [0, 0]
    .map((_, parity) => energies.reduce((sum, energy, place) => (place % 2 === parity ? sum + energy : sum), 0))
    .sort((a, b) => b - a) as [number, number]
  return even === 0 ? 0 : even / (even + odd)
}

/** In how many places energy is, if it were the same in each. */
function placesOf(energies: Float64Array): number {
  const [sum, squares] = energies.reduce(([all, of], energy) => [all + energy, of + energy * energy], [0, 0])
  return squares === 0 ? 0 : (sum * sum) / squares
}

interface Differences {
  /** Energies of fourth differences, and of differences over four pixels; their number. */
  readonly fine: number
  readonly wide: number
  readonly count: number
  /** By place in a line: energies of first and second differences, and sizes of the first. */
  readonly slopes: Float64Array
  readonly bends: Float64Array
  readonly sizes: Float64Array
}

/** Differences along lines of pixels. */
function differences(values: Float32Array, lines: number, length: number, lineStep: number, step: number): Differences {
  let [fine, wide] = [0, 0]
  const [slopes, bends, sizes] = [new Float64Array(length), new Float64Array(length), new Float64Array(length)]
  for (let line = 0; line < lines; line++) {
    let at = line * lineStep
    let [a, b, c, d] = [values[at]!, values[at + step]!, values[at + 2 * step]!, values[at + 3 * step]!]
    at += 4 * step
    for (let place = 2; place < length - 2; place++, at += step) {
      const e = values[at]!
      const slope = d - c
      const bend = b - 2 * c + d
      const rough = a - 4 * b + 6 * c - 4 * d + e
      fine += rough * rough
      wide += (e - a) * (e - a)
      slopes[place]! += slope * slope
      bends[place]! += bend * bend
      sizes[place]! += Math.abs(slope)
      a = b
      b = c
      c = d
      d = e
    }
  }
  return { fine, wide, count: lines * (length - 4), slopes, bends, sizes }
}
