import { type Box, METRES_PER_DEGREE_LATITUDE, seededFraction } from '@skyscript/core'
import { HELD_OUT_PARTS, type HeldOut, type Shares, type SplitCriterion } from './criterion.ts'
import { autoGround, type Meridian, type Rectangle, rectangleSplitter } from './rectangles.ts'

const SIDES = ['south', 'east', 'north', 'west'] as const
const ENDS = ['low', 'high'] as const

/** Held-out ground shrinks until at most this share of a region's images overlaps its inner sides ... */
const MOST_OVERLAP = 0.045
/** ... but to no less than this fraction of its full depth. */
const LEAST_SIZE = 0.45
/** Scales to try, in this order. */
const SIZES = [1, 1.6, 2.5]
/** Held-out ground that covers more than this share of a side is extended to the whole side, which saves an inner side. */
const WHOLE_SIDE = 0.7

interface Strip {
  /** Measured inwards from the side. */
  readonly depth: number
  /** Along the side, from one of its ends: where each part ends and the next begins. */
  readonly ends: Readonly<Record<HeldOut, number>>
}

/** Rectangles at the edge of a region. */
interface Edge extends Meridian {
  readonly kind: 'edge'
  readonly rectangles: readonly Rectangle[]
}

/**
 * Where images are large compared with the region, many overlap each inner side of held-out ground, and a large part does
 * not fit into a lattice: then the parts are next to each other at one edge of the region and extend beyond it.
 */
export const edge: SplitCriterion<Edge> = {
  kind: 'edge',
  layouts(split, region, shares, seed) {
    const ground = autoGround(split, region)
    if (ground === null || ground.cell !== null) return []
    const { meridian, left, south, metresPerDegreeEast, size } = ground
    const toDegrees = ([x0, y0, x1, y1]: Box): Box => [
      left + x0 / metresPerDegreeEast,
      south + y0 / METRES_PER_DEGREE_LATITUDE,
      left + x1 / metresPerDegreeEast,
      south + y1 / METRES_PER_DEGREE_LATITUDE,
    ]
    return edgeGround(size, region.imageSide, shares, seed).map((rectangles) => ({
      kind: 'edge',
      meridian,
      rectangles: rectangles.map(({ part, box }) => ({ part, box: toDegrees(box) })),
    }))
  },
  splitter: ({ meridian, rectangles }) => rectangleSplitter(meridian, () => rectangles),
}

/**
 * Held-out parts next to each other along one side of a region, starting at a corner: all four sides and both ends of each,
 * in seeded order, then the same at larger scales.
 *
 * @param size size of the region, metres
 * @param imageSide metres
 * @returns rectangles in metres from the region's south-west corner
 */
function edgeGround(
  size: readonly [width: number, height: number],
  imageSide: number,
  shares: Shares,
  seed: number,
): Rectangle[][] {
  const places = SIDES.flatMap((side) => ENDS.map((end) => ({ side, end })))
    .map((place) => ({ ...place, draw: seededFraction(seed, 'held-out-edge', `${place.side}:${place.end}`) }))
    .sort((a, b) => a.draw - b.draw)
  return SIZES.flatMap((scale) =>
    places.map(({ side, end }) => {
      const [width, height] = size
      const alongX = side === 'south' || side === 'north'
      const length = alongX ? width : height
      const strip = stripOf(width * height, length, imageSide, shares, scale)
      const { ends } = strip
      const parts = [
        { part: 'val', from: -Infinity, to: ends.val },
        { part: 'test', from: ends.val, to: ends.test },
        { part: 'benchmark', from: ends.test, to: ends.benchmark },
      ] as const
      return parts
        .filter(({ part }) => shares[part] > 0)
        .map(({ part, from, to }) => {
          const [low, high] = end === 'low' ? [from, to] : [length - to, length - from]
          const [bottom, top] =
            side === 'south' || side === 'west'
              ? [-Infinity, strip.depth]
              : [(alongX ? height : width) - strip.depth, Infinity]
          const box: Box = alongX ? [low, bottom, high, top] : [bottom, low, top, high]
          return { part, box }
        })
    }),
  )
}

/**
 * Images entirely inside a strip have their centres at least half an image away from its inner sides. The strip is sized so
 * that these centres get the parts' shares of the area, at the depth for which the fewest images overlap inner sides.
 */
function stripOf(area: number, length: number, imageSide: number, shares: Shares, scale: number): Strip {
  const { val, test, benchmark } = shares
  const total = val + test + benchmark
  const parts = HELD_OUT_PARTS.filter((part) => shares[part] > 0)
  const full = Math.sqrt((total * area) / 2)
  const half = imageSide / 2
  const at = (fraction: number): Strip & { readonly overlap: number } => {
    const inner = full * fraction * scale
    // The first part has one inner side along the strip, the others have two.
    const lengthOf = (part: HeldOut) =>
      shares[part] > 0 ? (2 * inner * shares[part]) / total + (part === parts[0] ? half : imageSide) : 0
    const ofVal = lengthOf('val')
    const ofTest = ofVal + lengthOf('test')
    const whole = ofTest + lengthOf('benchmark')
    const depth = inner + half
    const innerSides = whole + depth * parts.length
    return {
      depth,
      ends: { val: ofVal, test: ofTest, benchmark: whole },
      overlap: (imageSide * innerSides) / area,
    }
  }
  let fraction = 1
  // Who holds out ground for benchmark sets wants their images more than those of training.
  const most = MOST_OVERLAP + benchmark
  while (fraction > LEAST_SIZE && at(fraction).overlap > most) fraction -= 0.05
  const strip = at(fraction)
  if (strip.ends.benchmark <= WHOLE_SIDE * length) return strip
  const rest = Math.max(0, length - imageSide * Math.max(1, parts.length - 1))
  const ofVal = test + benchmark > 0 ? half + (rest * val) / total : Infinity
  const ofTest = benchmark > 0 ? ofVal + (test > 0 ? imageSide + (rest * test) / total : 0) : Infinity
  return { depth: strip.depth, ends: { val: ofVal, test: ofTest, benchmark: Infinity } }
}
