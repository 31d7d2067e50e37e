import { fraction, fraction2 } from '../hash.ts'
import {
  addBar,
  addDisc,
  addRing,
  type Canvas,
  flat,
  type Path,
  paint,
  paintShadow,
  paintSpeck,
  type Shader,
} from './canvas.ts'
import { type Frame, frameOf } from './frame.ts'
import { whiten } from './ground.ts'
import { grain, mottle } from './noise.ts'
import { acrossOf, alongOf, blend, brighten, shown, stroke, toNearest } from './pattern-tools.ts'
import type { Style } from './style.ts'

type Colour = readonly [number, number, number]

const TILES: readonly Colour[] = [
  [166, 92, 68],
  [150, 84, 66],
  [178, 110, 82],
  [128, 78, 66],
  [112, 96, 88],
  [96, 94, 96],
]
const FLAT_ROOFS: readonly Colour[] = [
  [176, 174, 170],
  [198, 196, 190],
  [150, 148, 146],
  [128, 127, 128],
  [188, 178, 162],
]
const METAL: readonly Colour[] = [
  [186, 190, 192],
  [206, 208, 208],
  [150, 162, 174],
  [168, 162, 152],
  [132, 142, 140],
]
const BARNS: readonly Colour[] = [
  [142, 82, 66],
  [120, 100, 88],
  [112, 108, 104],
  [158, 120, 92],
]

const pick = (colours: readonly Colour[], seed: number): Colour =>
  colours[Math.floor(fraction(seed, 1) * colours.length)]!

/** Buildings smaller than this many pixels are a speck of their roof's mean colour. */
const SPECK_PIXELS = 2.2

export interface Building {
  readonly style: Style
  readonly seed: number
  /** Square metres. */
  readonly area: number
  readonly paths: readonly Path[]
}

/** Whether a building is drawn as a mere speck at a resolution. */
export const isSpeck = (area: number, gsd: number): boolean => area < SPECK_PIXELS * gsd * gsd

/** Adds what a building shades on the ground: its outline, moved away from the sun by its height. */
export function addBuildingShadow(canvas: Canvas, { style, paths, area }: Building): void {
  const { sunX, sunY, shadow } = canvas.light
  const reach = style.height * shadow
  // Copies close enough that nothing shines through between them.
  const copies = Math.max(1, Math.min(8, Math.ceil(reach / Math.max(2, Math.sqrt(area) * 0.5))))
  for (let i = 1; i <= copies; i++) {
    const part = (reach * i) / copies
    for (const path of paths) addRing(canvas, path, -sunX * part, -sunY * part)
  }
}

export function paintSpeckBuilding(canvas: Canvas, { style, seed, area, paths }: Building): void {
  const [red, green, blue] = roofColour(style, seed)
  const ring = paths[0]!
  // Half of it is lit and half in shadow, with the shade beside it.
  paintSpeck(
    canvas,
    ring[0]!,
    ring[1]!,
    (area / (canvas.gsd * canvas.gsd)) * 0.9,
    red * 0.88,
    green * 0.88,
    blue * 0.9,
    red * 0.8,
  )
}

export function paintRoof(canvas: Canvas, building: Building): void {
  const { style, seed, paths } = building
  const frame = frameOf(paths)
  for (const path of paths) addRing(canvas, path)
  paint(canvas, roofShader(canvas, building, frame))
  if (style.look === 'church' && canvas.gsd < 1.2) paintSteeple(canvas, frame, seed)
}

function roofColour({ look, colour }: Style, seed: number): Colour {
  if (colour) return colour
  switch (look) {
    case 'flat-roof':
      return pick(FLAT_ROOFS, seed)
    case 'hall':
      return pick(METAL, seed)
    case 'barn':
      return pick(BARNS, seed)
    case 'glasshouse':
      return [204, 218, 218]
    case 'church':
      return fraction(seed, 2) < 0.5 ? [92, 88, 90] : [138, 82, 66]
    case 'ruins':
      return [160, 146, 118]
    case 'building-site':
      return [190, 180, 164]
    case 'tank':
      return [220, 220, 216]
    default:
      return pick(TILES, seed)
  }
}

function roofShader(canvas: Canvas, { style, seed }: Building, frame: Frame): Shader {
  const { light, gsd } = canvas
  const [red, green, blue] = roofColour(style, seed)
  const change = (fraction(seed, 3) - 0.5) * 20
  const slope = slopeOf(style, frame, light.sunX, light.sunY)
  const detail = roofDetail(style, seed, frame, gsd)
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
    detail(ink, along, across)
    if (snow > 0) whiten(ink, snow)
  }
}

/** How brightly a roof is lit at a place on its frame: each face by how far it turns to the sun. */
function slopeOf(
  { look, detail }: Style,
  { ux, uy, halfLength, halfWidth }: Frame,
  sunX: number,
  sunY: number,
): (along: number, across: number) => number {
  const shape =
    detail === ''
      ? look === 'pitched-roof' || look === 'barn'
        ? 'gabled'
        : look === 'church'
          ? 'gabled'
          : 'flat'
      : detail
  const sunAlong = sunX * ux + sunY * uy
  const sunAcross = sunY * ux - sunX * uy
  const steep = look === 'church' ? 0.42 : 0.3
  if (shape === 'gabled' || shape === 'saltbox' || shape === 'gambrel')
    return (_along, across) => 1 + steep * sunAcross * Math.sign(across)
  if (shape === 'hipped' || shape === 'half-hipped' || shape === 'pyramidal' || shape === 'mansard') {
    return (along, across) => {
      const hip = halfLength - Math.abs(along) < halfWidth - Math.abs(across)
      return 1 + steep * (hip ? sunAlong * Math.sign(along) : sunAcross * Math.sign(across))
    }
  }
  if (shape === 'dome' || shape === 'onion' || shape === 'round' || shape === 'cone' || look === 'tank') {
    const radius = Math.max(1, (halfLength + halfWidth) / 2)
    return (along, across) => 1 + (0.32 * (along * sunAlong + across * sunAcross)) / radius
  }
  if (shape === 'skillion') return () => 1 + 0.15 * sunAcross
  return () => 1
}

type Detail = (ink: Float32Array, along: number, across: number) => void

function roofDetail({ look, detail }: Style, seed: number, { halfLength, halfWidth }: Frame, gsd: number): Detail {
  const edge = (along: number, across: number) => Math.min(halfLength - Math.abs(along), halfWidth - Math.abs(across))
  switch (look) {
    case 'flat-roof':
      return (ink, along, across) => {
        brighten(ink, 20 * stroke(edge(along, across) - 0.3, 0.25, gsd))
        boxesOnRoof(ink, along, across, seed, gsd)
      }
    case 'hall':
      return (ink, along, across) => {
        brighten(ink, 10 * shown(2, gsd) * Math.sin(along * 3.2) - 26 * stroke(across, 0.2, gsd))
        const light = toNearest(along, 11)
        if (Math.abs(light) < 0.8 && Math.abs(Math.abs(across) - halfWidth * 0.5) < halfWidth * 0.28)
          blend(ink, 0.55, 226, 232, 232, 200)
      }
    case 'glasshouse':
      return (ink, along, across) => {
        brighten(ink, 26 * shown(3.2, gsd) * Math.sin((across / 3.2) * 2 * Math.PI))
        blend(
          ink,
          Math.max(stroke(toNearest(along, 4), 0.07, gsd), stroke(toNearest(across, 3.2), 0.09, gsd)),
          240,
          244,
          244,
          220,
        )
        blend(ink, 0.16, 96, 138, 92, 150)
      }
    case 'ruins':
      return (ink, along, across) => {
        const wall = edge(along, across) < 0.9 || Math.abs(toNearest(along, 8)) < 0.45
        if (!wall) blend(ink, 0.9, 134, 136, 92, 140)
      }
    case 'building-site':
      return (ink, along, across) => {
        brighten(ink, -40 * Math.max(stroke(toNearest(along, 5), 0.25, gsd), stroke(toNearest(across, 5), 0.25, gsd)))
        if (fraction2(seed, Math.floor(along / 5), Math.floor(across / 5)) < 0.3) blend(ink, 0.8, 140, 118, 92, 110)
      }
    case 'tank':
      return (ink, along, across) => {
        const out = Math.hypot(along, across) / Math.max(1, (halfLength + halfWidth) / 2)
        brighten(ink, -36 * stroke((out - 0.94) * halfLength, 0.25, gsd) - (out < 0.12 ? 30 : 0))
      }
    case 'church':
    case 'barn':
    case 'pitched-roof':
      if (detail === 'flat') return () => {}
      return (ink, along, across) => {
        brighten(ink, 16 * stroke(across, 0.14, gsd))
        if (gsd < 0.3) {
          brighten(ink, 5 * Math.sin(across * 18))
          const chimney = halfLength * (fraction(seed, 6) - 0.5)
          if (Math.abs(along - chimney) < 0.45 && Math.abs(across - halfWidth * 0.25) < 0.45)
            blend(ink, 1, 92, 72, 66, 70)
        }
      }
    default:
      return () => {}
  }
}

/** Lift houses, ducts and skylights of flat roofs. */
function boxesOnRoof(ink: Float32Array, along: number, across: number, seed: number, gsd: number): void {
  const column = Math.floor(along / 7)
  const row = Math.floor(across / 7)
  const own = fraction2(seed, column, row)
  if (own > 0.34) return
  const u = along - (column + 0.5) * 7
  const v = across - (row + 0.5) * 7
  const size = 0.6 + own * 4
  if (Math.abs(u) < size && Math.abs(v) < size * 0.7) brighten(ink, (own < 0.15 ? 34 : -28) * Math.min(1, 1.2 / gsd))
  else if (u > -size && u < size + 0.9 && v > -size * 0.7 && v < size * 0.7 + 0.9)
    brighten(ink, -24 * Math.min(1, 0.9 / gsd))
}

/** The tower at one end of the nave, and the shape of a cross along it. */
function paintSteeple(canvas: Canvas, { centerX, centerY, ux, uy, halfLength, halfWidth }: Frame, seed: number): void {
  const side = fraction(seed, 7) < 0.5 ? 1 : -1
  const size = Math.max(3, Math.min(7, halfWidth * 0.7))
  const at = side * Math.max(0, halfLength - size / 2)
  const x = centerX + ux * at
  const y = centerY + uy * at
  const { sunX, sunY, shadow } = canvas.light
  for (let i = 1; i <= 6; i++)
    addBar(
      canvas,
      x - (sunX * shadow * 26 * i) / 6,
      y - (sunY * shadow * 26 * i) / 6,
      ux,
      uy,
      size * (1.1 - i * 0.12),
      size * (1.1 - i * 0.12),
    )
  paintShadow(canvas, 0.45)
  addBar(canvas, x, y, ux, uy, size, size)
  paint(canvas, (ink, px, py) => {
    const facing = ((px - x) * sunX + (py - y) * sunY) / size
    const lit = 1 + 0.5 * facing
    ink[0] = 112 * lit
    ink[1] = 124 * lit
    ink[2] = 118 * lit
    ink[3] = 90 * lit
  })
  addDisc(canvas, x, y, 0.5)
  paint(canvas, flat(230, 214, 150))
}
