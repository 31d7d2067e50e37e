/** What nodes stand for, from trees to wind turbines. */

import {
  addBar,
  addDisc,
  addRing,
  type Canvas,
  coloured,
  type Direction,
  flat,
  paint,
  paintShadow,
  type Shader,
} from './canvas.ts'
import { addTreeShadow, paintCrown } from './crowns.ts'
import { frameOf } from './frame.ts'
import { groundShader } from './ground.ts'
import { fraction, fraction2 } from './hash.ts'
import { darken } from './ink.ts'
import type { Light } from './light.ts'
import { grain, mottle } from './noise.ts'
import { palette, paletteNamed } from './styles/colours.ts'
import type { Style } from './styles/style.ts'
import { waterShader } from './water.ts'

/** A road that a node is on. */
export interface RoadBeside {
  readonly direction: Direction
  readonly width: number
}

/** A node in view. */
export interface Spot {
  readonly style: Style
  readonly seed: number
  readonly x: number
  readonly y: number
  /** The road that it is on, for what stands across or along one. */
  readonly road: RoadBeside | null
}

type PaintSpot = (canvas: Canvas, spot: Spot, radius: number, direction: Direction) => void

/** Draws what a node stands for. */
export function paintSpot(canvas: Canvas, spot: Spot): void {
  if (spot.style.width < canvas.gsd * 0.12) return
  const angle = fraction(spot.seed, 4) * Math.PI
  const painter = Object.hasOwn(SPOTS, spot.style.look) ? SPOTS[spot.style.look]! : paintBox
  painter(canvas, spot, spot.style.width / 2, [Math.cos(angle), Math.sin(angle)])
}

/** Adds the shadow of something thin, unless it is shorter than a pixel. */
function addThinShadow(canvas: Canvas, { x, y, style }: Spot, width: number): void {
  const reach = style.height * canvas.light.shadow
  if (reach >= canvas.gsd) addShadowBar(canvas, x, y, reach, width)
}

function addShadowBar(canvas: Canvas, x: number, y: number, reach: number, width: number): void {
  const { sunX, sunY } = canvas.light
  addBar(canvas, x - (sunX * reach) / 2, y - (sunY * reach) / 2, [sunX, sunY], reach, width)
}

/** A disc of a shader. */
const disc =
  (shaderOf: (canvas: Canvas, spot: Spot, radius: number) => Shader): PaintSpot =>
  (canvas, spot, radius) => {
    addDisc(canvas, spot.x, spot.y, radius)
    paint(canvas, shaderOf(canvas, spot, radius))
  }

const ofMaterial = (look: string) => disc((canvas, { seed }) => groundShader(look, seed, frameOf([]), canvas))

/** Something round that stands up: its shadow as copies of a disc, then the disc as the sun lights it. */
const roundTower =
  (copies: number, share: number, colour: readonly number[]): PaintSpot =>
  (canvas, { x, y, style }, radius) => {
    const { sunX, sunY, shadow } = canvas.light
    const reach = (i: number, sun: number) => (sun * shadow * style.height * i) / copies
    for (let i = 1; i <= copies; i++) addDisc(canvas, x - reach(i, sunX), y - reach(i, sunY), radius * share)
    paintShadow(canvas, 0.45)
    addDisc(canvas, x, y, radius)
    paint(canvas, roundShader(x, y, radius, colour, canvas.light))
  }

const basin =
  (look: string): PaintSpot =>
  (canvas, { x, y, seed }, radius) => {
    addDisc(canvas, x, y, radius + 0.6)
    paint(canvas, flat(214, 210, 202))
    addDisc(canvas, x, y, radius)
    paint(canvas, waterShader(look, seed, canvas))
  }

const paintTree: PaintSpot = (canvas, { x, y, style, seed }, half) => {
  const radius = half * (0.75 + 0.5 * fraction(seed, 1))
  if (canvas.gsd < 2) {
    addTreeShadow(canvas, x, y, radius, style.height)
    paintShadow(canvas, 0.42)
  }
  paintCrown(canvas, x, y, radius, seed, style.detail)
}

const RECYCLING = palette('recycling containers')

const SPOTS: Readonly<Record<string, PaintSpot>> = {
  tree: paintTree,
  bush: paintTree,
  mast: paintPylon,
  pylon: paintPylon,
  'wind-turbine': paintTurbine,
  zebra: paintZebra,
  summit: paintSummit,
  tumulus: paintMound,
  boulder: paintStones,
  'ruin-spot': paintStones,
  'round-tower': roundTower(10, 1, [206, 200, 190]),
  'small-tank': roundTower(4, 1, [216, 216, 212]),
  'round-pool': basin('pool'),
  'round-fountain': basin('fountain'),
  'disc-asphalt': ofMaterial('asphalt'),
  'disc-sand': ofMaterial('sand'),
  'disc-grass': ofMaterial('lawn'),
  puddle: disc((canvas, { seed }) => waterShader('pond', seed, canvas)),
  pit: disc((canvas, { x, y }, radius) => roundShader(x, y, -radius, [136, 128, 100], canvas.light)),
  'round-helipad': disc((canvas, { seed, x, y }, radius) => {
    const [west, north, east, south] = [x - radius, y - radius, x + radius, y + radius]
    const square = Float64Array.of(west, north, east, north, east, south, west, south, west, north)
    return groundShader('helipad', seed, frameOf([square]), canvas)
  }),
  chimney(canvas, spot, radius, direction) {
    roundTower(10, 0.8, [176, 120, 104])(canvas, spot, radius, direction)
    addDisc(canvas, spot.x, spot.y, radius * 0.55)
    paint(canvas, flat(52, 46, 44))
  },
  pole(canvas, spot) {
    addThinShadow(canvas, spot, Math.max(0.22, canvas.gsd * 0.5))
    paintShadow(canvas, 0.4)
    addDisc(canvas, spot.x, spot.y, Math.max(0.28, canvas.gsd * 0.45))
    paint(canvas, flat(206, 204, 198), 0.9)
  },
  crane(canvas, spot, radius, [ux, uy]) {
    const { x, y } = spot
    addThinShadow(canvas, spot, 1)
    paintShadow(canvas, 0.3)
    addBar(canvas, x + ux * spot.style.width * 0.2, y + uy * spot.style.width * 0.2, [ux, uy], radius * 2, 1.4)
    addBar(canvas, x, y, [ux, uy], 3, 3)
    paint(canvas, flat(222, 176, 52))
  },
  monument(canvas, spot, radius, direction) {
    addThinShadow(canvas, spot, Math.max(0.8, radius * 0.6))
    paintShadow(canvas, 0.45)
    addBar(canvas, spot.x, spot.y, direction, radius * 2, radius * 2)
    paint(canvas, coloured([196, 188, 174, 165], 6))
    addDisc(canvas, spot.x, spot.y, radius * 0.4)
    paint(canvas, flat(120, 122, 110))
  },
  roundabout(canvas, { x, y }, radius) {
    addDisc(canvas, x, y, radius)
    paint(canvas, coloured([116, 116, 118, 104], 4))
    addDisc(canvas, x, y, radius * 0.42)
    paint(canvas, coloured([112, 142, 78, 185], 6))
  },
  containers(canvas, { x, y, seed }, _radius, [ux, uy]) {
    for (let i = 0; i < 4; i++) {
      const along = (i - 1.5) * 1.7
      addBar(canvas, x + ux * along, y + uy * along, [ux, uy], 1.4, 1.6)
      paint(canvas, coloured(RECYCLING[Math.floor(fraction(seed, 20 + i) * RECYCLING.length)]!))
    }
  },
  gate(canvas, { x, y, style }, _radius, direction) {
    addBar(canvas, x, y, direction, style.width, 0.3)
    paint(canvas, flat(190, 186, 178))
  },
}

const BOXES = paletteNamed('boxes')

/** Anything small and square; a bus shelter stands beside the road that its node is on. */
function paintBox(canvas: Canvas, { style, seed, x, y, road }: Spot, _radius: number, direction: Direction): void {
  const { width, height, look } = style
  const beside = look === 'shelter' ? road : null
  const [ax, ay] = beside?.direction ?? direction
  const aside = beside ? beside.width / 2 + 1.6 : 0
  const [cx, cy] = [x - ay * aside, y + ax * aside]
  const length = width * (look === 'bench' || look === 'shelter' ? 1 : 0.9)
  const depth = look === 'bench' ? 0.7 : look === 'shelter' ? width * 0.5 : width * (0.6 + 0.35 * fraction(seed, 6))
  const { sunX, sunY, shadow } = canvas.light
  if (height > 0 && height * shadow > canvas.gsd * 0.4) {
    for (const part of [0.5, 1])
      addBar(canvas, cx - sunX * shadow * height * part, cy - sunY * shadow * height * part, [ax, ay], length, depth)
    paintShadow(canvas, 0.42)
  }
  const [red, green, blue] = BOXES.get(look) ?? BOXES.get('box')!
  const change = (fraction(seed, 5) - 0.5) * 40
  addBar(canvas, cx, cy, [ax, ay], length, depth)
  paint(canvas, flat(red + change, green + change, blue + change))
}

/** Lit on the side of the sun; a negative radius makes a hollow. */
function roundShader(x: number, y: number, radius: number, colour: readonly number[], { sunX, sunY }: Light): Shader {
  const [red, green, blue] = colour as [number, number, number]
  return (ink, px, py, column, row) => {
    const lit = 1 + 0.3 * (((px - x) * sunX + (py - y) * sunY) / radius)
    const noise = 4 * grain(column, row)
    ink[0] = red * lit + noise
    ink[1] = green * lit + noise
    ink[2] = blue * lit + noise
    ink[3] = red * lit * 0.85
  }
}

/** The stripes of a crossing, across the road. */
function paintZebra(canvas: Canvas, { x, y, road }: Spot): void {
  if (canvas.gsd > 0.8 || !road) return
  const [ux, uy] = road.direction
  for (let offset = -road.width / 2 + 0.5; offset < road.width / 2; offset += 1)
    addBar(canvas, x - uy * offset, y + ux * offset, [ux, uy], 3.4, 0.5)
  paint(canvas, coloured([232, 232, 226, 205]), 0.95)
}

/** Bare rock that thins out downhill. */
function paintSummit(canvas: Canvas, { seed, x, y }: Spot, radius: number): void {
  const { sunX, sunY } = canvas.light
  const rock = groundShader('rock', seed, frameOf([]), canvas)
  addDisc(canvas, x, y, radius)
  paint(canvas, (ink, px, py, column, row) => {
    rock(ink, px, py, column, row)
    const out = Math.hypot(px - x, py - y) / radius
    darken(ink, 1 + (0.35 * ((px - x) * sunX + (py - y) * sunY)) / radius)
    ink[4] = Math.max(0, Math.min(1, 1.4 * (1 - out) + 0.7 * mottle(px, py, 1 / 15)))
  })
}

/** A grassy mound that the sun models, with a ditch round it. */
function paintMound(canvas: Canvas, { seed, x, y }: Spot, half: number): void {
  const { sunX, sunY } = canvas.light
  const radius = half * (0.8 + 0.4 * fraction(seed, 1))
  const grass = groundShader('mound', seed, frameOf([]), canvas)
  addDisc(canvas, x, y, radius * 1.25)
  paint(canvas, (ink, px, py, column, row) => {
    grass(ink, px, py, column, row)
    const [dx, dy] = [(px - x) / radius, (py - y) / radius]
    const out = Math.hypot(dx, dy)
    const facing = dx * sunX + dy * sunY
    darken(ink, out < 1 ? 1 + 0.5 * facing * Math.sin(out * Math.PI * 0.8) + 0.08 * (1 - out) : 0.86 - 0.2 * facing)
    if (out > 1) ink[4] = 0.7 * (1 - (out - 1) * 4)
  })
}

/** Boulders, or what is left of walls. */
function paintStones(canvas: Canvas, { style, seed, x, y }: Spot): void {
  const isRuin = style.look === 'ruin-spot'
  const count = isRuin ? 9 : 3
  const { sunX, sunY, shadow } = canvas.light
  for (const move of [shadow * style.height * 0.6, 0]) {
    for (let i = 0; i < count; i++) {
      const cx = x + (fraction2(seed, i, 1) - 0.5) * style.width * 0.7 - sunX * move
      const cy = y + (fraction2(seed, i, 2) - 0.5) * style.width * 0.7 - sunY * move
      const size = (style.width / Math.sqrt(count)) * (0.3 + 0.3 * fraction2(seed, i, 3))
      const angle = fraction2(seed, i, 4) * Math.PI
      const [wide, half] = [size * 0.7, size * 0.5]
      if (isRuin) addBar(canvas, cx, cy, [Math.cos(angle), Math.sin(angle)], size * 2.4, 0.9)
      else
        addRing(canvas, [cx - size, cy - size * 0.6, cx + wide, cy - size, cx + size, cy + wide, cx - half, cy + size])
    }
    if (move > 0) paintShadow(canvas, 0.45)
    else paint(canvas, coloured([166, 160, 150, 140], 12))
  }
}

/** A lattice mast: four feet, a cross of beams, and a long thin shadow. */
function paintPylon(canvas: Canvas, { style, x, y }: Spot, _radius: number, [ux, uy]: Direction): void {
  const { width, height, look } = style
  const { gsd, light } = canvas
  const reach = height * light.shadow
  addShadowBar(canvas, x, y, reach, Math.max(0.5, gsd * 0.5))
  for (const part of [0.7, 0.85, 0.97]) {
    const [cx, cy] = [x - light.sunX * reach * part, y - light.sunY * reach * part]
    addBar(canvas, cx, cy, [-light.sunY, light.sunX], width * 1.3, Math.max(0.4, gsd * 0.4))
  }
  paintShadow(canvas, 0.42)
  if (look === 'pylon')
    for (const side of [-1, 1])
      addBar(canvas, x + uy * side * width * 0.1, y - ux * side * width * 0.1, [ux, uy], width * 1.6, 0.5)
  addBar(canvas, x, y, [ux + uy, uy - ux], width * 0.55, 0.45)
  addBar(canvas, x, y, [uy - ux, -ux - uy], width * 0.55, 0.45)
  addDisc(canvas, x, y, Math.max(0.6, width * 0.12))
  paint(canvas, flat(196, 198, 196), 0.95)
}

/** Three blades and a tower, and the shadow of both. */
function paintTurbine(canvas: Canvas, { style, seed, x, y }: Spot): void {
  const { height, width } = style
  const { sunX, sunY, shadow } = canvas.light
  const start = fraction(seed, 4) * 2
  const addBlades = (cx: number, cy: number, thick: number) => {
    for (let i = 0; i < 3; i++) {
      const angle = start + (i * 2 * Math.PI) / 3
      const [bx, by] = [Math.cos(angle), Math.sin(angle)]
      addBar(canvas, cx + (bx * width) / 4, cy + (by * width) / 4, [bx, by], width / 2, thick)
    }
  }
  const reach = height * shadow
  addShadowBar(canvas, x, y, reach, 3)
  addBlades(x - sunX * reach, y - sunY * reach, 1.6)
  paintShadow(canvas, 0.4)
  addDisc(canvas, x, y, 9)
  paint(canvas, coloured([190, 180, 160, 160], 6))
  addBlades(x, y, 2)
  addDisc(canvas, x, y, 2.4)
  paint(canvas, flat(240, 240, 238))
}
