import { fraction, fraction2 } from '../hash.ts'
import {
  addBar,
  addDisc,
  addQuad,
  type Canvas,
  flat,
  grainy,
  paint,
  paintShadow,
  paintSpeck,
  type Shader,
} from './canvas.ts'
import { frameOf } from './frame.ts'
import { groundShader } from './ground.ts'
import type { Light } from './light.ts'
import { paintPylon, paintTurbine } from './masts.ts'
import { grain, mottle } from './noise.ts'
import type { Style } from './style.ts'
import { waterShader } from './water.ts'

export interface Spot {
  readonly style: Style
  readonly seed: number
  readonly x: number
  readonly y: number
  /** Unit vector along the road beside it, for what stands across or along one. */
  readonly road: { readonly ux: number; readonly uy: number; readonly width: number } | null
}

/** Trees are drawn as crowns where one is at least this many pixels across. */
const CROWN_PIXELS = 1.5

export function treeRadius({ style, seed }: Pick<Spot, 'style' | 'seed'>): number {
  return (style.width / 2) * (0.75 + 0.5 * fraction(seed, 1))
}

/** Adds the shadow of a crown. */
export function addTreeShadow(canvas: Canvas, x: number, y: number, radius: number, height: number): void {
  const { sunX, sunY, shadow } = canvas.light
  for (const part of [0.4, 0.75])
    addDisc(canvas, x - sunX * shadow * height * part, y - sunY * shadow * height * part, radius)
}

export function paintCrown(canvas: Canvas, x: number, y: number, radius: number, seed: number, kind: string): void {
  const needle = kind === 'needleleaved'
  const { sunX, sunY, leaves } = canvas.light
  const green = needle
    ? [46, 74, 50, 120]
    : [76 + 22 * (1 - leaves), 104 - 10 * (1 - leaves), 54 + 14 * (1 - leaves), 110 + 80 * leaves]
  if (radius * 2 < canvas.gsd * CROWN_PIXELS) {
    return paintSpeck(
      canvas,
      x,
      y,
      (Math.PI * radius * radius) / canvas.gsd ** 2,
      green[0]!,
      green[1]!,
      green[2]!,
      green[3]!,
    )
  }
  const tone = 0.86 + 0.3 * fraction(seed, 2)
  const warm = (fraction(seed, 3) - 0.5) * 16
  const open = needle ? 0 : (1 - leaves) * 0.5
  addDisc(canvas, x, y, radius)
  paint(canvas, (ink, px, py) => {
    const [dx, dy] = [(px - x) / radius, (py - y) / radius]
    const out = Math.hypot(dx, dy)
    const leafy = 0.3 * mottle(px * 1.7 + seed, py * 1.7, 1 / 2.4)
    const lit = tone * (0.98 - 0.25 * out + 0.34 * (dx * sunX + dy * sunY) + leafy)
    ink[0] = (green[0]! + warm) * lit
    ink[1] = green[1]! * lit
    ink[2] = green[2]! * lit
    ink[3] = green[3]! * lit
    // Ragged at the rim, and one sees through bare branches.
    ink[4] = (out > 0.82 ? 1 - Math.max(0, (out - 0.82) * 3 - leafy * 2) : 1) * (1 - open)
  })
}

const shadowBar = (canvas: Canvas, x: number, y: number, height: number, width: number): void => {
  const { sunX, sunY, shadow } = canvas.light
  const reach = height * shadow
  if (reach < canvas.gsd) return
  addBar(canvas, x - (sunX * reach) / 2, y - (sunY * reach) / 2, sunX, sunY, reach, width)
}

/** Draws what a node stands for. */
export function paintSpot(canvas: Canvas, spot: Spot): void {
  const { style, seed, x, y } = spot
  const { gsd, light } = canvas
  const { width, height, look } = style
  const radius = width / 2
  if (width < gsd * 0.12) return
  const square = fraction(seed, 4) * Math.PI
  const [ux, uy] = [Math.cos(square), Math.sin(square)]
  switch (look) {
    case 'tree':
    case 'bush': {
      const crown = treeRadius(spot)
      if (gsd < 2) {
        addTreeShadow(canvas, x, y, crown, height)
        paintShadow(canvas, 0.42)
      }
      return paintCrown(canvas, x, y, crown, seed, style.detail)
    }
    case 'pole':
      shadowBar(canvas, x, y, height, Math.max(0.22, gsd * 0.5))
      paintShadow(canvas, 0.4)
      addDisc(canvas, x, y, Math.max(0.28, gsd * 0.45))
      return paint(canvas, flat(206, 204, 198), 0.9)
    case 'mast':
    case 'pylon':
      return paintPylon(canvas, spot)
    case 'crane':
      shadowBar(canvas, x, y, height, 1)
      paintShadow(canvas, 0.3)
      addBar(canvas, x + ux * width * 0.2, y + uy * width * 0.2, ux, uy, width, 1.4)
      addBar(canvas, x, y, ux, uy, 3, 3)
      return paint(canvas, flat(222, 176, 52))
    case 'wind-turbine':
      return paintTurbine(canvas, spot)
    case 'chimney':
    case 'round-tower':
      for (let i = 1; i <= 10; i++)
        addDisc(
          canvas,
          x - (light.sunX * light.shadow * height * i) / 10,
          y - (light.sunY * light.shadow * height * i) / 10,
          radius * (look === 'chimney' ? 0.8 : 1),
        )
      paintShadow(canvas, 0.45)
      addDisc(canvas, x, y, radius)
      paint(canvas, roundShader(x, y, radius, look === 'chimney' ? [176, 120, 104] : [206, 200, 190], light))
      if (look === 'chimney') {
        addDisc(canvas, x, y, radius * 0.55)
        paint(canvas, flat(52, 46, 44))
      }
      return
    case 'small-tank':
      for (let i = 1; i <= 4; i++)
        addDisc(
          canvas,
          x - (light.sunX * light.shadow * height * i) / 4,
          y - (light.sunY * light.shadow * height * i) / 4,
          radius,
        )
      paintShadow(canvas, 0.45)
      addDisc(canvas, x, y, radius)
      return paint(canvas, roundShader(x, y, radius, [216, 216, 212], light))
    case 'monument':
      shadowBar(canvas, x, y, height, Math.max(0.8, radius * 0.6))
      paintShadow(canvas, 0.45)
      addBar(canvas, x, y, ux, uy, width, width)
      paint(canvas, grainy(196, 188, 174, 165, 6, grain))
      addDisc(canvas, x, y, radius * 0.4)
      return paint(canvas, flat(120, 122, 110))
    case 'zebra':
      return paintZebra(canvas, spot)
    case 'roundabout':
      addDisc(canvas, x, y, radius)
      paint(canvas, grainy(116, 116, 118, 104, 4, grain))
      addDisc(canvas, x, y, radius * 0.42)
      return paint(canvas, grainy(112, 142, 78, 185, 6, grain))
    case 'summit':
      return paintSummit(canvas, spot)
    case 'tumulus':
      return paintMound(canvas, spot)
    case 'round-helipad':
      addDisc(canvas, x, y, radius)
      return paint(
        canvas,
        groundShader(
          'helipad',
          seed,
          frameOf([
            Float64Array.of(
              x - radius,
              y - radius,
              x + radius,
              y - radius,
              x + radius,
              y + radius,
              x - radius,
              y + radius,
              x - radius,
              y - radius,
            ),
          ]),
          light,
          gsd,
        ),
      )
    case 'round-pool':
    case 'round-fountain':
      addDisc(canvas, x, y, radius + 0.6)
      paint(canvas, flat(214, 210, 202))
      addDisc(canvas, x, y, radius)
      return paint(canvas, waterShader(look === 'round-pool' ? 'pool' : 'fountain', seed, light, gsd))
    case 'containers':
      for (let i = 0; i < 4; i++) {
        addBar(canvas, x + ux * (i - 1.5) * 1.7, y + uy * (i - 1.5) * 1.7, ux, uy, 1.4, 1.6)
        const tone = CONTAINERS[Math.floor(fraction(seed, 20 + i) * CONTAINERS.length)]!
        paint(canvas, flat(...tone))
      }
      return
    case 'gate':
      addBar(canvas, x, y, ux, uy, width, 0.3)
      return paint(canvas, flat(190, 186, 178))
    case 'boulder':
    case 'ruin-spot':
      return paintStones(canvas, spot)
    case 'pit':
      addDisc(canvas, x, y, radius)
      return paint(canvas, roundShader(x, y, -radius, [136, 128, 100], light))
    default:
      if (look.startsWith('disc-')) {
        addDisc(canvas, x, y, radius)
        return paint(canvas, groundShader(DISCS[look] ?? 'asphalt', seed, frameOf([]), light, gsd))
      }
      if (look === 'puddle') {
        addDisc(canvas, x, y, radius)
        return paint(canvas, waterShader('pond', seed, light, gsd))
      }
      return paintBox(canvas, spot, ux, uy)
  }
}

const DISCS: Readonly<Record<string, string>> = { 'disc-asphalt': 'asphalt', 'disc-sand': 'sand', 'disc-grass': 'lawn' }

const CONTAINERS: readonly (readonly [number, number, number])[] = [
  [70, 120, 82],
  [66, 92, 140],
  [196, 176, 70],
  [210, 210, 206],
]

const BOX_COLOURS: Readonly<Record<string, readonly [number, number, number]>> = {
  box: [176, 172, 164],
  bench: [150, 118, 88],
  shelter: [196, 200, 200],
  manhole: [82, 82, 84],
}

function paintBox(canvas: Canvas, { style, seed, x, y, road }: Spot, ux: number, uy: number): void {
  const { width, height, look } = style
  const [ax, ay] = road && look === 'shelter' ? [road.ux, road.uy] : [ux, uy]
  // A bus shelter stands beside the road that its node lies on.
  const aside = road && look === 'shelter' ? road.width / 2 + 1.6 : 0
  const [cx, cy] = [x - ay * aside, y + ax * aside]
  const length = width * (look === 'bench' || look === 'shelter' ? 1 : 0.9)
  const depth = look === 'bench' ? 0.7 : look === 'shelter' ? width * 0.5 : width * (0.6 + 0.35 * fraction(seed, 6))
  const { sunX, sunY, shadow } = canvas.light
  if (height > 0 && height * shadow > canvas.gsd * 0.4) {
    for (const part of [0.5, 1])
      addBar(canvas, cx - sunX * shadow * height * part, cy - sunY * shadow * height * part, ax, ay, length, depth)
    paintShadow(canvas, 0.42)
  }
  const [red, green, blue] = BOX_COLOURS[look] ?? BOX_COLOURS.box!
  const change = (fraction(seed, 5) - 0.5) * 40
  addBar(canvas, cx, cy, ax, ay, length, depth)
  paint(canvas, flat(red + change, green + change, blue + change))
}

/** Lit on the side of the sun; a negative radius makes a hollow. */
function roundShader(
  x: number,
  y: number,
  radius: number,
  [red, green, blue]: readonly [number, number, number],
  { sunX, sunY }: Light,
): Shader {
  return (ink, px, py, column, row) => {
    const facing = ((px - x) * sunX + (py - y) * sunY) / radius
    const lit = 1 + 0.3 * facing
    const noise = 4 * grain(column, row)
    ink[0] = red * lit + noise
    ink[1] = green * lit + noise
    ink[2] = blue * lit + noise
    ink[3] = red * lit * 0.85
  }
}

function paintZebra(canvas: Canvas, { x, y, road }: Spot): void {
  if (canvas.gsd > 0.8 || !road) return
  const { ux, uy, width } = road
  for (let offset = -width / 2 + 0.5; offset < width / 2; offset += 1)
    addBar(canvas, x - uy * offset, y + ux * offset, ux, uy, 3.4, 0.5)
  paint(canvas, flat(232, 232, 226, 205), 0.95)
}

/** Bare rock that thins out downhill. */
function paintSummit(canvas: Canvas, { style, seed, x, y }: Spot): void {
  const radius = style.width / 2
  const rock = groundShader('rock', seed, frameOf([]), canvas.light, canvas.gsd)
  addDisc(canvas, x, y, radius)
  paint(canvas, (ink, px, py, column, row) => {
    rock(ink, px, py, column, row)
    const out = Math.hypot(px - x, py - y) / radius
    const lit = 1 + (0.35 * ((px - x) * canvas.light.sunX + (py - y) * canvas.light.sunY)) / radius
    for (let i = 0; i < 4; i++) ink[i]! *= lit
    ink[4] = Math.max(0, Math.min(1, 1.4 * (1 - out) + 0.7 * mottle(px, py, 1 / 15)))
  })
}

/** A grassy mound that the sun models, with a ditch round it. */
function paintMound(canvas: Canvas, { style, seed, x, y }: Spot): void {
  const radius = (style.width / 2) * (0.8 + 0.4 * fraction(seed, 1))
  const grass = groundShader('mound', seed, frameOf([]), canvas.light, canvas.gsd)
  addDisc(canvas, x, y, radius * 1.25)
  paint(canvas, (ink, px, py, column, row) => {
    grass(ink, px, py, column, row)
    const [dx, dy] = [(px - x) / radius, (py - y) / radius]
    const out = Math.hypot(dx, dy)
    const facing = dx * canvas.light.sunX + dy * canvas.light.sunY
    const lit = out < 1 ? 1 + 0.5 * facing * Math.sin(out * Math.PI * 0.8) + 0.08 * (1 - out) : 0.86 - 0.2 * facing
    for (let i = 0; i < 4; i++) ink[i]! *= lit
    if (out > 1) ink[4] = 0.7 * (1 - (out - 1) * 4)
  })
}

function paintStones(canvas: Canvas, { style, seed, x, y }: Spot): void {
  const count = style.look === 'ruin-spot' ? 9 : 3
  const { sunX, sunY, shadow } = canvas.light
  for (const stage of ['shadow', 'stone'] as const) {
    for (let i = 0; i < count; i++) {
      const [dx, dy] = [
        (fraction2(seed, i, 1) - 0.5) * style.width * 0.7,
        (fraction2(seed, i, 2) - 0.5) * style.width * 0.7,
      ]
      const size = (style.width / Math.sqrt(count)) * (0.3 + 0.3 * fraction2(seed, i, 3))
      const move = stage === 'shadow' ? shadow * style.height * 0.6 : 0
      const angle = fraction2(seed, i, 4) * Math.PI
      if (style.look === 'ruin-spot')
        addBar(canvas, x + dx - sunX * move, y + dy - sunY * move, Math.cos(angle), Math.sin(angle), size * 2.4, 0.9)
      else {
        const [cx, cy] = [x + dx - sunX * move, y + dy - sunY * move]
        addQuad(
          canvas,
          cx - size,
          cy - size * 0.6,
          cx + size * 0.7,
          cy - size,
          cx + size,
          cy + size * 0.7,
          cx - size * 0.5,
          cy + size,
        )
      }
    }
    if (stage === 'shadow') paintShadow(canvas, 0.45)
    else paint(canvas, grainy(166, 160, 150, 140, 12, grain))
  }
}
