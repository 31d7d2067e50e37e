/** Fields, orchards, vineyards and gardens. */

import { acrossOf, alongOf } from '../frame.ts'
import { fraction, fraction2, mix } from '../hash.ts'
import { blend, brighten, darken, shown, stroke, toNearest } from '../ink.ts'
import { mottle } from '../noise.ts'
import { type Colour, colourAt, palette } from '../styles/colours.ts'
import type { PatternFactory } from './pattern.ts'

interface Crop {
  readonly colour: Colour
  /** How strongly rows show, and metres between them. */
  readonly rows: number
  readonly spacing: number
}

const CROPS: readonly Crop[] = [
  { colour: [118, 140, 72, 200], rows: 7, spacing: 1.6 },
  { colour: [198, 178, 116, 150], rows: 6, spacing: 1.2 },
  { colour: [134, 108, 82, 100], rows: 10, spacing: 1.4 },
  { colour: [92, 122, 62, 190], rows: 9, spacing: 1.5 },
  { colour: [176, 160, 112, 130], rows: 8, spacing: 2.2 },
  { colour: [150, 160, 88, 190], rows: 6, spacing: 1.8 },
]
const RAPE: Crop = { colour: [206, 200, 74, 210], rows: 3, spacing: 1.5 }
const SOIL: Colour = [140, 120, 94, 105]
/** Metres between the tracks of a tractor. */
const TRAMLINES = 21

const field: PatternFactory = ({ seed, light, gsd, base }) => {
  // The crop changes from year to year, and so from scene to scene.
  const draw = fraction(mix(seed, light.seed), 4)
  const crop = light.ripeness < 0.25 && draw > 0.88 ? RAPE : CROPS[Math.floor(draw * CROPS.length)]!
  const wear = (1 - light.leaves) * 0.7
  for (let i = 0; i < 4; i++)
    base[i] = crop.colour[i]! + (SOIL[i]! - crop.colour[i]!) * wear + (fraction(seed, 5) - 0.5) * 14
  const strength = crop.rows * shown(crop.spacing, gsd)
  const tram = 15 * shown(2.4, gsd * 0.6)
  return (ink, u, v) => {
    brighten(ink, strength * Math.sin((v / crop.spacing) * 2 * Math.PI) + 5 * mottle(u * 0.25, v * 3, 1 / 30))
    if (tram === 0) return
    const beside = toNearest(v, TRAMLINES)
    const track = Math.max(stroke(beside - 0.9, 0.3, gsd), stroke(beside + 0.9, 0.3, gsd))
    if (track > 0) brighten(ink, -tram * track)
  }
}

/** Stripes that a mower left. */
const swaths =
  (period: number, strength: number): PatternFactory =>
  ({ gsd }) => {
    const change = strength * shown(period, gsd)
    return (ink, _u, v) => brighten(ink, Math.floor(v / period) % 2 === 0 ? change : -change)
  }

/** Trees planted in a square, as dark discs with their shadows. */
const planted =
  (spacing: number, radius: number, colour: Colour): PatternFactory =>
  ({ frame, light, gsd, seed }) => {
    const { ux, uy } = frame
    const leaves = 0.35 + 0.65 * (0.4 + 0.6 * light.leaves)
    const { sunX, sunY } = light
    const [sunU, sunV] = [ux * sunX + uy * sunY, ux * sunY - uy * sunX]
    const shadow = light.shadow * radius * 1.1
    const [shadowX, shadowY] = [-sunX * shadow, -sunY * shadow]
    /** Distance from the nearest tree as a share of its radius; `cover` is set to the share of the pixel it covers. */
    let cover = 0
    const fromTree = (u: number, v: number): number => {
      const [column, row] = [Math.round(u / spacing), Math.round(v / spacing)]
      cover = 0
      if (fraction2(seed, column, row) < 0.05) return 0
      const own = radius * (0.75 + 0.4 * fraction2(seed + 1, column, row))
      const distance = Math.hypot(u - column * spacing, v - row * spacing)
      cover = Math.max(0, Math.min(1, 0.5 + (own - distance) / gsd))
      return distance / own
    }
    return (ink, u, v, x, y) => {
      fromTree(alongOf(frame, x - shadowX, y - shadowY), acrossOf(frame, x - shadowX, y - shadowY))
      if (cover > 0) darken(ink, 1 - 0.4 * cover)
      const out = fromTree(u, v)
      if (cover === 0) return
      const side = toNearest(u, spacing) * sunU + toNearest(v, spacing) * sunV
      const lit = 1.08 - 0.28 * out * out + (0.22 * side) / radius + 0.25 * mottle(x, y, 1 / 2.5)
      blend(ink, cover * leaves, colour[0] * lit, colour[1] * lit, colour[2] * lit, colour[3] * lit)
    }
  }

/** Metres between rows of vines. */
const VINES = 2.2

const vines: PatternFactory = ({ light, gsd }) => {
  const strength = Math.min(1, shown(VINES, gsd) + 0.25)
  const green = 0.45 + 0.55 * light.leaves
  return (ink, u, v) => {
    const gap = toNearest(v, VINES)
    const row = gsd < VINES ? stroke(gap, 0.55 + 0.2 * mottle(u * 2, v, 1 / 5), gsd) : 0.4
    blend(ink, row * strength * green, 70, 98, 50, 185)
    if (gsd < 1) blend(ink, stroke(gap + 0.75, 0.25, gsd) * 0.35, 60, 60, 50, 60)
  }
}

const BEDS = palette('beds')

/** Long beds of a nursery. */
const beds: PatternFactory =
  ({ seed, gsd }) =>
  (ink, u, v) => {
    if (Math.abs(toNearest(v - 2.5, 5)) >= 2 || Math.abs(toNearest(u - 12, 24)) >= 11) return
    const colour = colourAt(BEDS, fraction2(seed, Math.floor(v / 5), Math.floor(u / 24)))
    blend(ink, 0.8, ...colour)
    brighten(ink, 9 * shown(1, gsd) * Math.sin(v * 2 * Math.PI))
  }

const PLOTS = palette('plots')
const PLOT = { length: 18, width: 11 }

/** Allotments: a hut with a pale roof in one corner, beds beside it, paths between. */
const plots: PatternFactory =
  ({ seed, gsd }) =>
  (ink, u, v) => {
    const [column, row] = [Math.floor(u / PLOT.length), Math.floor(v / PLOT.width)]
    const [inU, inV] = [u - column * PLOT.length, v - row * PLOT.width]
    if (inU < 1.1 || inV < 0.7) return blend(ink, 0.85, 176, 162, 132, 140)
    const own = fraction2(seed, column, row)
    if (inU > 13.5 && inU < 17 && inV > 2 && inV < 5)
      return blend(ink, 0.95, 120 + 70 * own, 104 + 60 * own, 92 + 60 * own, 110)
    blend(ink, 0.75, ...colourAt(PLOTS, fraction2(mix(seed, column), row, Math.floor(inU / 2.6))))
    brighten(ink, 8 * shown(0.8, gsd) * Math.sin(inV * 8))
  }

/** Patterns of land that is worked. */
export const FARM_PATTERNS: Readonly<Record<string, PatternFactory>> = {
  field,
  mown: swaths(5.5, 4),
  stripes: swaths(9, 9),
  orchard: planted(5.5, 2, [72, 104, 52, 190]),
  olive: planted(8.5, 2.3, [98, 110, 84, 150]),
  vines,
  beds,
  plots,
}
