import { fraction, fraction2, mix } from '../hash.ts'
import { FARM_PATTERNS } from './farm-patterns.ts'
import type { Frame } from './frame.ts'
import type { Light } from './light.ts'
import { mottle } from './noise.ts'
import {
  acrossOf,
  alongOf,
  blend,
  brighten,
  carColour,
  carInk,
  type PatternFactory,
  shown,
  stroke,
  toNearest,
} from './pattern-tools.ts'
import { SPORT_PATTERNS } from './sport-patterns.ts'

/** Open water between tussocks. */
const pools: PatternFactory = ({ seed }) => {
  const shift = (seed & 1023) * 1.3
  return (ink, x, y) => {
    const wet = mottle(x + shift, y, 1 / 55) + 0.35 * mottle(x, y + shift, 1 / 12)
    if (wet > 0.12) blend(ink, Math.min(1, (wet - 0.12) * 6) * 0.85, 46, 60, 60, 22)
    else brighten(ink, 14 * mottle(x, y, 1 / 4))
  }
}

const graves: PatternFactory = ({ frame, seed, gsd }) => {
  const strength = gsd < 0.9 ? 1 : Math.max(0.25, 1.1 - gsd * 0.4)
  return (ink, x, y) => {
    const along = alongOf(frame, x, y)
    const across = acrossOf(frame, x, y)
    // Gravel paths between blocks of graves.
    if (Math.abs(toNearest(along, 26)) < 1.4 || Math.abs(toNearest(across, 34)) < 1.4)
      return blend(ink, 0.9, 200, 188, 164, 165)
    const column = Math.floor(along / 1.6)
    const row = Math.floor(across / 3.2)
    const inU = along - column * 1.6
    const inV = across - row * 3.2
    if (inU < 0.35 || inV < 0.9 || inV > 2.9) return
    const own = fraction2(seed, column, row)
    if (own < 0.12) return
    const stone = own < 0.6 ? 150 + 70 * own : 70 + 40 * own
    blend(ink, strength, stone, stone, stone + 4, stone * 0.9)
    if (inV > 2.5) brighten(ink, -45 * strength)
    else if (own > 0.75) blend(ink, 0.6 * strength, 90, 120, 64, 170)
  }
}

/** Small things scattered on cells of a frame: share of cells, size along and across, colours. */
const scattered =
  (
    cell: readonly [number, number],
    share: number,
    size: readonly [number, number],
    colours: readonly (readonly [number, number, number])[],
  ): PatternFactory =>
  ({ frame, seed, light, gsd }) => {
    const at = (x: number, y: number): number => {
      const along = alongOf(frame, x, y)
      const across = acrossOf(frame, x, y)
      const [column, row] = [Math.floor(along / cell[0]), Math.floor(across / cell[1])]
      const own = fraction2(seed, column, row)
      if (own >= share) return -1
      const jitter = (fraction2(seed + 3, column, row) - 0.5) * 0.3
      const [du, dv] = [
        Math.abs(along - (column + 0.5 + jitter) * cell[0]),
        Math.abs(across - (row + 0.5 - jitter) * cell[1]),
      ]
      return du < size[0] / 2 + gsd / 4 && dv < size[1] / 2 + gsd / 4 ? own / share : -1
    }
    const shadowX = light.sunX * light.shadow * 2.2
    const shadowY = light.sunY * light.shadow * 2.2
    const strength = Math.min(1, (size[1] * 1.5) / gsd)
    return (ink, x, y) => {
      const own = at(x, y)
      if (own >= 0) {
        const [red, green, blue] = colours[Math.floor(own * colours.length)]!
        const across = acrossOf(frame, x, y)
        blend(ink, strength, red, green, blue, (red + green) / 2)
        if (gsd < 0.4) brighten(ink, toNearest(across, cell[1]) > 0 ? 8 : -8)
      } else if (gsd < 1.5 && at(x + shadowX, y + shadowY) >= 0) for (let i = 0; i < 4; i++) ink[i]! *= 0.62
    }
  }

const CONTAINERS = [
  [164, 74, 58],
  [66, 96, 140],
  [186, 186, 184],
  [84, 122, 92],
  [198, 142, 70],
  [120, 118, 116],
] as const

const lines =
  (wave: number, sharpness: number, depth: number): PatternFactory =>
  ({ seed, gsd }) => {
    const shift = (seed & 511) * 2.1
    const strength = depth * shown(wave * 0.5, gsd)
    return (ink, x, y) => {
      const level = mottle(x + shift, y - shift, 1 / (wave * 6)) * 6 + 0.3 * mottle(x, y, 1 / wave)
      const edge = Math.abs(level - Math.round(level))
      brighten(ink, edge < sharpness ? -strength * (1 - edge / sharpness) : strength * 0.25 * (edge - sharpness))
    }
  }

const gridLines =
  (along: number, across: number, half: number, change: number): PatternFactory =>
  ({ frame, gsd }) =>
  (ink, x, y) => {
    const u = alongOf(frame, x, y)
    const v = acrossOf(frame, x, y)
    brighten(ink, change * Math.max(stroke(toNearest(u, along), half, gsd), stroke(toNearest(v, across), half, gsd)))
  }

const panels: PatternFactory = ({ gsd, light }) => {
  // Rows run east to west and face the equator.
  const spacing = 7
  const depth = 4
  return (ink, x, y) => {
    const across = y / spacing - Math.floor(y / spacing)
    if (across * spacing < depth) {
      if (Math.abs(toNearest(x, 42)) < 1.2) return
      const shine = 10 * mottle(x, y, 1 / 40)
      blend(ink, 1, 38 + shine, 50 + shine, 88 + shine, 40)
      if (gsd < 0.5)
        brighten(ink, 38 * Math.max(stroke(toNearest(x, 1.05), 0.04, gsd), stroke(across * spacing - 2, 0.05, gsd)))
    } else if (across * spacing > spacing - light.shadow * 1.2) for (let i = 0; i < 4; i++) ink[i]! *= 0.6
  }
}

const [STALL, AISLE] = [2.5, 6] as const
const STALL_LENGTH = 5
const BLOCK = 2 * STALL_LENGTH + AISLE

const stalls: PatternFactory = ({ frame, seed, light, gsd }) => {
  const full = 0.3 + 0.6 * fraction(mix(seed, light.seed), 6)
  const faint = Math.min(1, 0.9 / gsd)
  return (ink, x, y) => {
    const along = alongOf(frame, x, y)
    const across = acrossOf(frame, x, y)
    const block = Math.floor((across + BLOCK / 2) / BLOCK)
    const inBlock = across + BLOCK / 2 - block * BLOCK
    const row = inBlock < STALL_LENGTH ? 0 : inBlock > BLOCK - STALL_LENGTH ? 1 : -1
    if (row < 0 || Math.abs(along) > frame.halfLength - 1.5 || Math.abs(across) > frame.halfWidth - 0.3) return
    const stall = Math.floor(along / STALL)
    if (gsd < 1.2) blend(ink, 0.85 * stroke(toNearest(along, STALL), 0.07, gsd), 226, 226, 222, 200)
    const own = fraction2(mix(seed, light.seed), stall, block * 2 + row)
    if (own > full) return
    const middle = row === 0 ? STALL_LENGTH / 2 : BLOCK - STALL_LENGTH / 2
    const inU = inBlock - middle
    const inV = along - (stall + 0.5) * STALL
    if (gsd < 1) {
      if (!carInk(ink, inU * (row === 0 ? 1 : -1), inV, own / full) && gsd < 0.5 && inShadow(inU, inV, frame, light))
        for (let i = 0; i < 4; i++) ink[i]! *= 0.6
    } else {
      const [red, green, blue] = carColour(own / full)
      if (Math.abs(inU) < 2.2) blend(ink, 0.7 * faint, red, green, blue, red)
    }
  }
}

/** Whether a place beside a car lies in its shadow. */
function inShadow(along: number, across: number, { ux, uy }: Frame, { sunX, sunY, shadow }: Light): boolean {
  const reach = shadow * 1.1
  const sunAcross = (sunX * ux + sunY * uy) * reach
  const sunAlong = (sunY * ux - sunX * uy) * reach
  return Math.abs(along + sunAlong) < 2.2 && Math.abs(across + sunAcross) < 0.9
}

const oneCar: PatternFactory = ({ frame, seed, light, gsd }) => {
  const own = fraction(mix(seed, light.seed), 7)
  return (ink, x, y) => {
    const along = alongOf(frame, x, y)
    const across = acrossOf(frame, x, y)
    if (gsd < 0.5 && Math.abs(along) > frame.halfLength - 0.2) blend(ink, 0.6, 226, 226, 222, 200)
    if (own < 0.65) carInk(ink, along, across, own / 0.65)
  }
}

const apron: PatternFactory =
  ({ frame, gsd }) =>
  (ink, x, y) => {
    const along = alongOf(frame, x, y)
    const across = acrossOf(frame, x, y)
    brighten(ink, -14 * Math.max(stroke(toNearest(along, 7.5), 0.06, gsd), stroke(toNearest(across, 7.5), 0.06, gsd)))
    blend(ink, 0.9 * stroke(toNearest(along, 45), 0.2, gsd), 206, 176, 60, 180)
  }

const landing: PatternFactory = ({ frame, gsd }) => {
  const radius = Math.max(4, Math.min(frame.halfWidth, 11) * 0.8)
  return (ink, x, y) => {
    const u = alongOf(frame, x, y)
    const v = acrossOf(frame, x, y)
    const size = radius * 0.45
    const legs = Math.abs(v) < size ? stroke(Math.abs(u) - size * 0.6, radius * 0.06, gsd) : 0
    const bar = Math.abs(u) < size * 0.6 ? stroke(v, radius * 0.06, gsd) : 0
    blend(ink, Math.max(legs, bar, stroke(Math.hypot(u, v) - radius * 0.85, radius * 0.045, gsd)), 236, 236, 232, 210)
  }
}

const play: PatternFactory = ({ frame, seed, gsd }) => {
  const colours = [
    [196, 66, 54],
    [60, 104, 168],
    [224, 184, 66],
    [88, 148, 84],
  ] as const
  return (ink, x, y) => {
    const along = alongOf(frame, x, y)
    const across = acrossOf(frame, x, y)
    const column = Math.floor(along / 6)
    const row = Math.floor(across / 6)
    const own = fraction2(seed, column, row)
    if (own > 0.6) return
    const u = along - (column + 0.5) * 6
    const v = across - (row + 0.5) * 6
    const [red, green, blue] = colours[Math.floor((own / 0.6) * colours.length)]!
    if (own < 0.3 ? Math.hypot(u, v) < 1.7 : Math.abs(u) < 1.6 && Math.abs(v) < 0.7)
      blend(ink, Math.min(1, 1.2 / gsd), red, green, blue, 120)
    else if (gsd < 0.6 && own < 0.3 && Math.hypot(u, v) < 2.1) brighten(ink, -30)
  }
}

export const PATTERNS: Readonly<Record<string, PatternFactory>> = {
  ...FARM_PATTERNS,
  pools,
  graves,
  tents: scattered(
    [14, 14],
    0.4,
    [6.5, 2.6],
    [
      [236, 236, 232],
      [214, 208, 196],
      [120, 146, 178],
      [226, 226, 222],
    ],
  ),
  lots: scattered(
    [34, 30],
    0.5,
    [30, 26],
    [
      [122, 122, 124],
      [168, 164, 158],
      [130, 130, 131],
      [184, 180, 172],
    ],
  ),
  yard: scattered([14, 5], 0.2, [12, 2.6], CONTAINERS),
  digging: scattered(
    [24, 20],
    0.16,
    [7, 3.2],
    [
      [220, 172, 48],
      [216, 160, 44],
      [190, 188, 180],
      [150, 120, 88],
    ],
  ),
  rubbish: scattered(
    [3, 3],
    0.4,
    [1.6, 1.4],
    [
      [216, 212, 204],
      [92, 82, 72],
      [112, 126, 150],
      [170, 92, 72],
      [60, 56, 52],
    ],
  ),
  switchgear: scattered(
    [6, 9],
    0.62,
    [3.4, 1.1],
    [
      [96, 98, 100],
      [206, 206, 202],
      [120, 118, 112],
      [84, 86, 90],
    ],
  ),
  terraces: lines(22, 0.16, 44),
  crags: lines(9, 0.24, 30),
  crevasses: lines(16, 0.1, 46),
  ripples: lines(4, 0.3, 9),
  walls: gridLines(7, 5.5, 0.4, -34),
  slabs: gridLines(6, 6, 0.06, -16),
  tiles: gridLines(3.2, 3.2, 0.12, -14),
  planks: gridLines(1e6, 0.5, 0.07, -22),
  panels,
  stalls,
  'one-car': oneCar,
  apron,
  landing,
  play,
  ...SPORT_PATTERNS,
}
