import {
  addBar,
  addDisc,
  addRing,
  type Canvas,
  flat,
  type Ink,
  type Path,
  paint,
  paintShadow,
  paintSpeck,
  type Shader,
} from './canvas.ts'
import { acrossOf, alongOf, type Frame, frameOf } from './frame.ts'
import { whiten } from './ground.ts'
import { fraction, fraction2 } from './hash.ts'
import { blend, brighten, shown, stroke, toNearest } from './ink.ts'
import type { Light } from './light.ts'
import { grain, mottle } from './noise.ts'
import { type Colour, palette, pick } from './styles/colours.ts'
import type { Style } from './styles/style.ts'

/** A building in view. */
export interface Building {
  readonly style: Style
  readonly seed: number
  /** Square metres. */
  readonly area: number
  readonly paths: readonly Path[]
}

/** Draws what is on a roof, over the ink, at metres along and across its frame. */
type Detail = (ink: Ink, along: number, across: number) => void

interface Roof {
  readonly colour: (seed: number) => Colour
  /** Its shape where `roof:shape` says nothing. */
  readonly shape: string
  readonly detail?: (seed: number, frame: Frame, gsd: number) => Detail
}

/** Buildings smaller than this many pixels are a speck of their roof's mean colour. */
const SPECK_PIXELS = 2.2

const [TILES, FLAT_ROOFS, METAL, BARNS] = ['tiles', 'flat roofs', 'metal', 'barns'].map(palette)
const oneColour = (red: number, green: number, blue: number) => () => [red, green, blue, red] as const

/** Metres from the edge of the frame inwards. */
const edge = ({ halfLength, halfWidth }: Frame, along: number, across: number) =>
  Math.min(halfLength - Math.abs(along), halfWidth - Math.abs(across))

/** Lines at the multiples of two periods. */
const grid = (along: number, across: number, u: number, v: number, halfU: number, halfV: number, gsd: number) =>
  Math.max(stroke(toNearest(along, u), halfU, gsd), stroke(toNearest(across, v), halfV, gsd))

/** A bright ridge, and close by rows of tiles and a chimney. */
const ridge: Roof['detail'] =
  (seed, { halfLength, halfWidth }, gsd) =>
  (ink, along, across) => {
    brighten(ink, 16 * stroke(across, 0.14, gsd))
    if (gsd >= 0.3) return
    brighten(ink, 5 * Math.sin(across * 18))
    const chimney = halfLength * (fraction(seed, 6) - 0.5)
    if (Math.abs(along - chimney) < 0.45 && Math.abs(across - halfWidth * 0.25) < 0.45) blend(ink, 1, 92, 72, 66, 70)
  }

const ROOFS: Readonly<Record<string, Roof>> = {
  'pitched-roof': { colour: (seed) => pick(TILES!, seed), shape: 'gabled', detail: ridge },
  barn: { colour: (seed) => pick(BARNS!, seed), shape: 'gabled', detail: ridge },
  church: {
    colour: (seed) => (fraction(seed, 2) < 0.5 ? [92, 88, 90, 92] : [138, 82, 66, 138]),
    shape: 'gabled',
    detail: ridge,
  },
  'flat-roof': {
    colour: (seed) => pick(FLAT_ROOFS!, seed),
    shape: 'flat',
    detail: (seed, frame, gsd) => (ink, along, across) => {
      brighten(ink, 20 * stroke(edge(frame, along, across) - 0.3, 0.25, gsd))
      boxesOnRoof(ink, along, across, seed, gsd)
    },
  },
  hall: {
    colour: (seed) => pick(METAL!, seed),
    shape: 'flat',
    detail:
      (_seed, { halfWidth }, gsd) =>
      (ink, along, across) => {
        brighten(ink, 10 * shown(2, gsd) * Math.sin(along * 3.2) - 26 * stroke(across, 0.2, gsd))
        if (Math.abs(toNearest(along, 11)) < 0.8 && Math.abs(Math.abs(across) - halfWidth * 0.5) < halfWidth * 0.28)
          blend(ink, 0.55, 226, 232, 232, 200)
      },
  },
  glasshouse: {
    colour: oneColour(204, 218, 218),
    shape: 'flat',
    detail: (_seed, _frame, gsd) => (ink, along, across) => {
      brighten(ink, 26 * shown(3.2, gsd) * Math.sin((across / 3.2) * 2 * Math.PI))
      blend(ink, grid(along, across, 4, 3.2, 0.07, 0.09, gsd), 240, 244, 244, 220)
      blend(ink, 0.16, 96, 138, 92, 150)
    },
  },
  ruins: {
    colour: oneColour(160, 146, 118),
    shape: 'flat',
    detail: (_seed, frame) => (ink, along, across) => {
      const isWall = edge(frame, along, across) < 0.9 || Math.abs(toNearest(along, 8)) < 0.45
      if (!isWall) blend(ink, 0.9, 134, 136, 92, 140)
    },
  },
  'building-site': {
    colour: oneColour(190, 180, 164),
    shape: 'flat',
    detail: (seed, _frame, gsd) => (ink, along, across) => {
      brighten(ink, -40 * grid(along, across, 5, 5, 0.25, 0.25, gsd))
      if (fraction2(seed, Math.floor(along / 5), Math.floor(across / 5)) < 0.3) blend(ink, 0.8, 140, 118, 92, 110)
    },
  },
  tank: {
    colour: oneColour(220, 220, 216),
    shape: 'dome',
    detail:
      (_seed, { halfLength, halfWidth }, gsd) =>
      (ink, along, across) => {
        const out = Math.hypot(along, across) / Math.max(1, (halfLength + halfWidth) / 2)
        brighten(ink, -36 * stroke((out - 0.94) * halfLength, 0.25, gsd) - (out < 0.12 ? 30 : 0))
      },
  },
}

const roofOf = ({ look }: Style): Roof => ROOFS[look] ?? ROOFS['pitched-roof']!

const roofColour = (style: Style, seed: number): readonly number[] => style.colour ?? roofOf(style).colour(seed)

/** Whether a building is drawn as a mere speck at a resolution. */
export const isSpeck = (area: number, gsd: number): boolean => area < SPECK_PIXELS * gsd * gsd

/** Adds what a building shades on the ground: its outline, moved away from the sun by its height. */
export function addBuildingShadow(canvas: Canvas, { style, paths, area }: Omit<Building, 'seed'>): void {
  const { sunX, sunY, shadow } = canvas.light
  const reach = style.height * shadow
  // Copies close enough that nothing shines through between them.
  const copies = Math.max(1, Math.min(8, Math.ceil(reach / Math.max(2, Math.sqrt(area) * 0.5))))
  for (let i = 1; i <= copies; i++) {
    const part = (reach * i) / copies
    for (const path of paths) addRing(canvas, path, -sunX * part, -sunY * part)
  }
}

/** Paints a building that is a mere speck: half of it lit and half in shadow, with the shade beside it. */
export function paintSpeckBuilding(canvas: Canvas, { style, seed, area, paths }: Building): void {
  const [red, green, blue] = roofColour(style, seed) as Colour
  const [x, y] = [paths[0]![0]!, paths[0]![1]!]
  const share = (area / (canvas.gsd * canvas.gsd)) * 0.9
  paintSpeck(canvas, x, y, share, [red * 0.88, green * 0.88, blue * 0.9, red * 0.8])
}

/** Paints the roof of a building, and a church's steeple. */
export function paintRoof(canvas: Canvas, { style, seed, paths }: Building): void {
  const frame = frameOf(paths)
  for (const path of paths) addRing(canvas, path)
  paint(canvas, roofShader(canvas, style, seed, frame))
  if (style.look === 'church' && canvas.gsd < 1.2) paintSteeple(canvas, frame, seed)
}

function roofShader({ light, gsd }: Canvas, style: Style, seed: number, frame: Frame): Shader {
  const [red, green, blue] = roofColour(style, seed) as Colour
  const change = (fraction(seed, 3) - 0.5) * 20
  const slope = slopeOf(style, frame, light)
  const isBare = roofOf(style).detail === ridge && style.detail === 'flat'
  const detail = isBare ? undefined : roofOf(style).detail?.(seed, frame, gsd)
  const grains = Math.min(5, 2 + 2 / gsd)
  const snow = light.snow * 0.8
  return (ink, x, y, column, row) => {
    const along = alongOf(frame, x, y)
    const across = acrossOf(frame, x, y)
    const lit = slope(along, across)
    const noise = change + grains * grain(column, row) + 5 * mottle(x, y, 1 / 6)
    ink[0] = (red + noise) * lit
    ink[1] = (green + noise) * lit
    ink[2] = (blue + noise) * lit
    ink[3] = (red * 0.9 + noise) * lit
    detail?.(ink, along, across)
    if (snow > 0) whiten(ink, snow)
  }
}

/** Values of `roof:shape` by how light falls on them. */
const SLOPES: Readonly<Record<string, string>> = {
  saltbox: 'gabled',
  gambrel: 'gabled',
  'half-hipped': 'hipped',
  pyramidal: 'hipped',
  mansard: 'hipped',
  onion: 'dome',
  round: 'dome',
  cone: 'dome',
}

/** How brightly a roof is lit at a place on its frame: each face by how far it turns to the sun. */
function slopeOf(
  style: Style,
  { ux, uy, halfLength, halfWidth }: Frame,
  { sunX, sunY }: Light,
): (along: number, across: number) => number {
  const shape = style.detail || roofOf(style).shape
  const slope = Object.hasOwn(SLOPES, shape) ? SLOPES[shape] : shape
  const sunAlong = sunX * ux + sunY * uy
  const sunAcross = sunY * ux - sunX * uy
  const steep = style.look === 'church' ? 0.42 : 0.3
  if (slope === 'gabled') return (_along, across) => 1 + steep * sunAcross * Math.sign(across)
  if (slope === 'hipped')
    return (along, across) => {
      const isHip = halfLength - Math.abs(along) < halfWidth - Math.abs(across)
      return 1 + steep * (isHip ? sunAlong * Math.sign(along) : sunAcross * Math.sign(across))
    }
  if (slope === 'dome' || style.look === 'tank') {
    const radius = Math.max(1, (halfLength + halfWidth) / 2)
    return (along, across) => 1 + (0.32 * (along * sunAlong + across * sunAcross)) / radius
  }
  if (slope === 'skillion') return () => 1 + 0.15 * sunAcross
  return () => 1
}

/** Lift houses, ducts and skylights of flat roofs. */
function boxesOnRoof(ink: Ink, along: number, across: number, seed: number, gsd: number): void {
  const [column, row] = [Math.floor(along / 7), Math.floor(across / 7)]
  const own = fraction2(seed, column, row)
  if (own > 0.34) return
  const u = along - (column + 0.5) * 7
  const v = across - (row + 0.5) * 7
  const size = 0.6 + own * 4
  if (Math.abs(u) < size && Math.abs(v) < size * 0.7) brighten(ink, (own < 0.15 ? 34 : -28) * Math.min(1, 1.2 / gsd))
  else if (u > -size && u < size + 0.9 && v > -size * 0.7 && v < size * 0.7 + 0.9)
    brighten(ink, -24 * Math.min(1, 0.9 / gsd))
}

/** The tower at one end of the nave, with its shadow and a cross on top. */
function paintSteeple(canvas: Canvas, { centerX, centerY, ux, uy, halfLength, halfWidth }: Frame, seed: number): void {
  const size = Math.max(3, Math.min(7, halfWidth * 0.7))
  const at = (fraction(seed, 7) < 0.5 ? 1 : -1) * Math.max(0, halfLength - size / 2)
  const [x, y] = [centerX + ux * at, centerY + uy * at]
  const { sunX, sunY, shadow } = canvas.light
  for (let i = 1; i <= 6; i++) {
    const taper = size * (1.1 - i * 0.12)
    addBar(canvas, x - (sunX * shadow * 26 * i) / 6, y - (sunY * shadow * 26 * i) / 6, [ux, uy], taper, taper)
  }
  paintShadow(canvas, 0.45)
  addBar(canvas, x, y, [ux, uy], size, size)
  paint(canvas, (ink, px, py) => {
    const lit = 1 + 0.5 * (((px - x) * sunX + (py - y) * sunY) / size)
    ink[0] = 112 * lit
    ink[1] = 124 * lit
    ink[2] = 118 * lit
    ink[3] = 90 * lit
  })
  addDisc(canvas, x, y, 0.5)
  paint(canvas, flat(230, 214, 150))
}
