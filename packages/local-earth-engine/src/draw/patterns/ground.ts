/** What is scattered or laid out on the ground: graves, containers, paving, parked cars. */

import { acrossOf, alongOf } from '../frame.ts'
import { fraction, fraction2, mix } from '../hash.ts'
import { blend, brighten, CARS, carInk, darken, shown, stroke, toNearest } from '../ink.ts'
import { mottle } from '../noise.ts'
import { colourAt, palette } from '../styles/colours.ts'
import type { PatternFactory } from './pattern.ts'

/** Open water between tussocks. */
const pools: PatternFactory = ({ seed }) => {
  const shift = (seed & 1023) * 1.3
  return (ink, _u, _v, x, y) => {
    const wet = mottle(x + shift, y, 1 / 55) + 0.35 * mottle(x, y + shift, 1 / 12)
    if (wet > 0.12) blend(ink, Math.min(1, (wet - 0.12) * 6) * 0.85, 46, 60, 60, 22)
    else brighten(ink, 14 * mottle(x, y, 1 / 4))
  }
}

/** Rows of graves in blocks, with gravel paths between them. */
const graves: PatternFactory = ({ seed, gsd }) => {
  const strength = gsd < 0.9 ? 1 : Math.max(0.25, 1.1 - gsd * 0.4)
  return (ink, u, v) => {
    if (Math.abs(toNearest(u, 26)) < 1.4 || Math.abs(toNearest(v, 34)) < 1.4) return blend(ink, 0.9, 200, 188, 164, 165)
    const [column, row] = [Math.floor(u / 1.6), Math.floor(v / 3.2)]
    const [inU, inV] = [u - column * 1.6, v - row * 3.2]
    if (inU < 0.35 || inV < 0.9 || inV > 2.9) return
    const own = fraction2(seed, column, row)
    if (own < 0.12) return
    const stone = own < 0.6 ? 150 + 70 * own : 70 + 40 * own
    blend(ink, strength, stone, stone, stone + 4, stone * 0.9)
    if (inV > 2.5) brighten(ink, -45 * strength)
    else if (own > 0.75) blend(ink, 0.6 * strength, 90, 120, 64, 170)
  }
}

/**
 * Small things scattered on cells of the frame, with their shadows.
 *
 * @param cell metres along and across
 * @param share of the cells that hold one
 * @param size metres along and across
 * @param colours a palette
 */
const scattered =
  (cell: readonly [number, number], share: number, size: readonly [number, number], colours: string): PatternFactory =>
  ({ frame, seed, light, gsd }) => {
    const painted = palette(colours)
    const ownAt = (u: number, v: number): number => {
      const [column, row] = [Math.floor(u / cell[0]), Math.floor(v / cell[1])]
      const own = fraction2(seed, column, row)
      if (own >= share) return -1
      const jitter = (fraction2(seed + 3, column, row) - 0.5) * 0.3
      const du = Math.abs(u - (column + 0.5 + jitter) * cell[0])
      const dv = Math.abs(v - (row + 0.5 - jitter) * cell[1])
      return du < size[0] / 2 + gsd / 4 && dv < size[1] / 2 + gsd / 4 ? own / share : -1
    }
    const [shadowX, shadowY] = [light.sunX * light.shadow * 2.2, light.sunY * light.shadow * 2.2]
    const strength = Math.min(1, (size[1] * 1.5) / gsd)
    return (ink, u, v, x, y) => {
      const own = ownAt(u, v)
      if (own >= 0) {
        const [red, green, blue] = colourAt(painted, own)
        blend(ink, strength, red, green, blue, (red + green) / 2)
        if (gsd < 0.4) brighten(ink, toNearest(v, cell[1]) > 0 ? 8 : -8)
      } else if (gsd < 1.5) {
        const [towardsX, towardsY] = [x + shadowX, y + shadowY]
        if (ownAt(alongOf(frame, towardsX, towardsY), acrossOf(frame, towardsX, towardsY)) >= 0) darken(ink, 0.62)
      }
    }
  }

/** Contour lines of the noise: edges of terraces, cracks, ripples. */
const contours =
  (wave: number, sharpness: number, depth: number): PatternFactory =>
  ({ seed, gsd }) => {
    const shift = (seed & 511) * 2.1
    const strength = depth * shown(wave * 0.5, gsd)
    return (ink, _u, _v, x, y) => {
      const level = mottle(x + shift, y - shift, 1 / (wave * 6)) * 6 + 0.3 * mottle(x, y, 1 / wave)
      const edge = Math.abs(level - Math.round(level))
      brighten(ink, edge < sharpness ? -strength * (1 - edge / sharpness) : strength * 0.25 * (edge - sharpness))
    }
  }

/** Lines at multiples of two lengths, of a half width, brighter or darker by `change`. */
const gridLines =
  (along: number, across: number, half: number, change: number): PatternFactory =>
  ({ gsd }) =>
  (ink, u, v) =>
    brighten(ink, change * Math.max(stroke(toNearest(u, along), half, gsd), stroke(toNearest(v, across), half, gsd)))

/** Metres from one row of solar panels to the next, and of each. */
const [PANEL_ROWS, PANEL_DEPTH] = [7, 4]

/** Solar panels: rows run east to west and face the equator. */
const panels: PatternFactory =
  ({ gsd, light }) =>
  (ink, _u, _v, x, y) => {
    const across = (y / PANEL_ROWS - Math.floor(y / PANEL_ROWS)) * PANEL_ROWS
    if (across >= PANEL_DEPTH) {
      if (across > PANEL_ROWS - light.shadow * 1.2) darken(ink, 0.6)
      return
    }
    if (Math.abs(toNearest(x, 42)) < 1.2) return
    const shine = 10 * mottle(x, y, 1 / 40)
    blend(ink, 1, 38 + shine, 50 + shine, 88 + shine, 40)
    if (gsd < 0.5) brighten(ink, 38 * Math.max(stroke(toNearest(x, 1.05), 0.04, gsd), stroke(across - 2, 0.05, gsd)))
  }

/** Metres of a stall, of the aisle between two rows, and of both rows with their aisle. */
const STALL = { width: 2.5, length: 5 }
const AISLE = 6
const BLOCK = 2 * STALL.length + AISLE

/** Rows of stalls on both sides of aisles, with other cars on every scene. */
const stalls: PatternFactory = ({ frame, seed, light, gsd }) => {
  const scene = mix(seed, light.seed)
  const full = 0.3 + 0.6 * fraction(scene, 6)
  const faint = Math.min(1, 0.9 / gsd)
  const reach = light.shadow * 1.1
  const sunAcross = (light.sunX * frame.ux + light.sunY * frame.uy) * reach
  const sunAlong = (light.sunY * frame.ux - light.sunX * frame.uy) * reach
  return (ink, u, v) => {
    const block = Math.floor((v + BLOCK / 2) / BLOCK)
    const inBlock = v + BLOCK / 2 - block * BLOCK
    const row = inBlock < STALL.length ? 0 : inBlock > BLOCK - STALL.length ? 1 : -1
    if (row < 0 || Math.abs(u) > frame.halfLength - 1.5 || Math.abs(v) > frame.halfWidth - 0.3) return
    const stall = Math.floor(u / STALL.width)
    if (gsd < 1.2) blend(ink, 0.85 * stroke(toNearest(u, STALL.width), 0.07, gsd), 226, 226, 222, 200)
    const own = fraction2(scene, stall, block * 2 + row)
    if (own > full) return
    const along = inBlock - (row === 0 ? STALL.length / 2 : BLOCK - STALL.length / 2)
    const across = u - (stall + 0.5) * STALL.width
    if (gsd < 1) {
      if (carInk(ink, along * (row === 0 ? 1 : -1), across, own / full) || gsd >= 0.5) return
      if (Math.abs(along + sunAlong) < 2.2 && Math.abs(across + sunAcross) < 0.9) darken(ink, 0.6)
    } else if (Math.abs(along) < 2.2) {
      const [red, green, blue] = colourAt(CARS, own / full)
      blend(ink, 0.7 * faint, red, green, blue, red)
    }
  }
}

/** A single stall, taken on two scenes of three. */
const oneCar: PatternFactory = ({ frame, seed, light, gsd }) => {
  const own = fraction(mix(seed, light.seed), 7)
  return (ink, u, v) => {
    if (gsd < 0.5 && Math.abs(u) > frame.halfLength - 0.2) blend(ink, 0.6, 226, 226, 222, 200)
    if (own < 0.65) carInk(ink, u, v, own / 0.65)
  }
}

/** Slabs of concrete with yellow lines for aircraft. */
const apron: PatternFactory = (settings) => {
  const { gsd } = settings
  const slabs = gridLines(7.5, 7.5, 0.06, -14)(settings)
  return (ink, u, v, x, y) => {
    slabs(ink, u, v, x, y)
    blend(ink, 0.9 * stroke(toNearest(u, 45), 0.2, gsd), 206, 176, 60, 180)
  }
}

/** The H of a helipad in its circle. */
const landing: PatternFactory = ({ frame, gsd }) => {
  const radius = Math.max(4, Math.min(frame.halfWidth, 11) * 0.8)
  const size = radius * 0.45
  return (ink, u, v) => {
    const legs = Math.abs(v) < size ? stroke(Math.abs(u) - size * 0.6, radius * 0.06, gsd) : 0
    const bar = Math.abs(u) < size * 0.6 ? stroke(v, radius * 0.06, gsd) : 0
    blend(ink, Math.max(legs, bar, stroke(Math.hypot(u, v) - radius * 0.85, radius * 0.045, gsd)), 236, 236, 232, 210)
  }
}

const TOYS = palette('playground')

/** Swings, slides and sandpits. */
const play: PatternFactory =
  ({ seed, gsd }) =>
  (ink, u, v) => {
    const [column, row] = [Math.floor(u / 6), Math.floor(v / 6)]
    const own = fraction2(seed, column, row)
    if (own > 0.6) return
    const [inU, inV] = [u - (column + 0.5) * 6, v - (row + 0.5) * 6]
    const out = Math.hypot(inU, inV)
    const [red, green, blue] = TOYS[Math.floor((own / 0.6) * TOYS.length)]!
    if (own < 0.3 ? out < 1.7 : Math.abs(inU) < 1.6 && Math.abs(inV) < 0.7)
      blend(ink, Math.min(1, 1.2 / gsd), red, green, blue, 120)
    else if (gsd < 0.6 && own < 0.3 && out < 2.1) brighten(ink, -30)
  }

/** Patterns of ground that is neither farmed nor played on. */
export const GROUND_PATTERNS: Readonly<Record<string, PatternFactory>> = {
  pools,
  graves,
  tents: scattered([14, 14], 0.4, [6.5, 2.6], 'tents'),
  lots: scattered([34, 30], 0.5, [30, 26], 'lots'),
  yard: scattered([14, 5], 0.2, [12, 2.6], 'shipping containers'),
  digging: scattered([24, 20], 0.16, [7, 3.2], 'diggers'),
  rubbish: scattered([3, 3], 0.4, [1.6, 1.4], 'rubbish'),
  switchgear: scattered([6, 9], 0.62, [3.4, 1.1], 'switchgear'),
  terraces: contours(22, 0.16, 44),
  crags: contours(9, 0.24, 30),
  crevasses: contours(16, 0.1, 46),
  ripples: contours(4, 0.3, 9),
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
}
