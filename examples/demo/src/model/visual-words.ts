import type { Dice } from '../town/dice.ts'

/** Pixels a side of the model's input, and of the grid that words are counted on. */
export const SIDE = 224
export const GRID = 14

/**
 * How one kind of visual word looks at a picture: which patches it takes, at which scale. After the convolution the map
 * is `GRID * cell` positions wide.
 */
export interface WordKind {
  readonly name: string
  readonly count: number
  /** The picture is first averaged over squares of this many pixels. */
  readonly shrink: number
  /** Side of a patch in shrunk pixels. */
  readonly patch: number
  readonly stride: number
  /** Zero padding before and after, in shrunk pixels. */
  readonly pad: readonly [before: number, after: number]
  readonly cell: number
}

/** Colours as they are and blurred; textures and edges at three scales. */
export const WORD_KINDS: readonly WordKind[] = [
  { name: 'colour', count: 48, shrink: 4, patch: 1, stride: 1, pad: [0, 0], cell: 4 },
  { name: 'tint', count: 32, shrink: 8, patch: 1, stride: 1, pad: [0, 0], cell: 2 },
  { name: 'fine', count: 40, shrink: 1, patch: 6, stride: 4, pad: [1, 1], cell: 4 },
  { name: 'middle', count: 40, shrink: 2, patch: 6, stride: 2, pad: [2, 2], cell: 4 },
  { name: 'coarse', count: 40, shrink: 4, patch: 6, stride: 1, pad: [2, 3], cell: 4 },
]

/** The words of one kind: patches (channel, row, column) that a picture's patches are compared with. */
export interface WordSet {
  readonly kind: WordKind
  readonly centres: readonly Float32Array[]
  /** How sharply a patch belongs to the nearest word: the factor of the squared distance in the exponent. */
  readonly sharpness: number
}

const PATCHES_PER_PICTURE = 24
const ROUNDS = 12

/**
 * Learns the words of a kind by k-means over patches of pictures. Patches larger than a pixel lose their mean colour
 * first, so that they describe texture only.
 *
 * @param pictures normalised pictures, each 3 x SIDE x SIDE
 */
export function learnWords(kind: WordKind, pictures: readonly Float32Array[], dice: Dice): WordSet {
  const patches = pictures.flatMap((picture) => {
    const small = shrink(picture, kind.shrink)
    return Array.from({ length: PATCHES_PER_PICTURE }, () => cut(small, SIDE / kind.shrink, kind.patch, dice))
  })
  const centres = dice
    .shuffle(patches)
    .slice(0, kind.count)
    .map((patch) => patch.slice())
  let spread = 0
  for (let round = 0; round < ROUNDS; round++) {
    const sums = centres.map((centre) => new Float64Array(centre.length))
    const counts = new Array<number>(centres.length).fill(0)
    spread = 0
    for (const patch of patches) {
      const { index, distance } = nearest(centres, patch)
      counts[index]!++
      spread += distance / patches.length
      const sum = sums[index]!
      for (let at = 0; at < patch.length; at++) sum[at]! += patch[at]!
    }
    for (const [index, sum] of sums.entries()) {
      const count = counts[index]!
      // A word that nothing is near starts again from some patch.
      centres[index] = count > 0 ? Float32Array.from(sum, (total) => total / count) : dice.pick(patches).slice()
    }
  }
  return { kind, centres, sharpness: 1.5 / Math.max(spread, 1e-6) }
}

function nearest(centres: readonly Float32Array[], patch: Float32Array): { index: number; distance: number } {
  let [best, least] = [0, Infinity]
  for (const [index, centre] of centres.entries()) {
    let distance = 0
    for (let at = 0; at < patch.length && distance < least; at++) distance += (patch[at]! - centre[at]!) ** 2
    if (distance < least) [best, least] = [index, distance]
  }
  return { index: best, distance: least }
}

/** Means over squares of `factor` pixels. */
function shrink(picture: Float32Array, factor: number): Float32Array {
  if (factor === 1) return picture
  const side = SIDE / factor
  const small = new Float32Array(3 * side * side)
  for (let channel = 0; channel < 3; channel++) {
    for (let row = 0; row < SIDE; row++) {
      const target = (channel * side + Math.floor(row / factor)) * side
      const source = (channel * SIDE + row) * SIDE
      for (let column = 0; column < SIDE; column++) {
        small[target + Math.floor(column / factor)]! += picture[source + column]! / factor ** 2
      }
    }
  }
  return small
}

function cut(picture: Float32Array, side: number, size: number, dice: Dice): Float32Array {
  const [top, left] = [dice.index(side - size + 1), dice.index(side - size + 1)]
  const patch = new Float32Array(3 * size * size)
  let at = 0
  for (let channel = 0; channel < 3; channel++) {
    const start = at
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        patch[at++] = picture[(channel * side + top + row) * side + left + column]!
      }
    }
    if (size > 1) {
      const channelPatch = patch.subarray(start, at)
      const mean = channelPatch.reduce((sum, value) => sum + value, 0) / channelPatch.length
      for (let index = 0; index < channelPatch.length; index++) channelPatch[index]! -= mean
    }
  }
  return patch
}
