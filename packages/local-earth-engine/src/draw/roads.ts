/** Roads, paths, railways and runways. */

import { addBar, type Canvas, coloured, flat, paint, paintShadow, type Shader } from './canvas.ts'
import { fraction, mix } from './hash.ts'
import { CARS } from './ink.ts'
import { grain, mottle } from './noise.ts'
import { paintRecipe, type Way } from './recipes.ts'
import { addDashes, addStroke, forEachStep, type Segment, shifted } from './strokes.ts'
import { type Colour, colourAt, paletteNamed } from './styles/colours.ts'

const PAVING = paletteNamed('paving')

/** From here on, in metres per pixel, markings and cars no longer show. */
const MARKINGS_GSD = 0.35
const CARS_GSD = 1.1
/** Looks that strokes.csv draws over the paving; they have neither markings nor cars. */
const OVERLAID = new Set(['tram', 'track', 'steps', 'cycleway', 'old-railway', 'road-works'])

const isLoose = (surface: string): boolean => surface === 'gravel' || surface === 'grass'

/** Paints the verge: kerb, gutter or worn grass on both sides. */
export function paintRoadEdges(canvas: Canvas, { style, segments }: Way): void {
  const isWide = style.look === 'motorway' || style.width > 5
  const edge = style.look === 'motorway' ? 2.6 : isWide ? 1.5 : 0.5
  if (canvas.gsd > edge * 6) return
  addStroke(canvas, segments, style.width + 2 * edge)
  const verge = isLoose(style.detail) ? coloured([158, 150, 108, 150], 8) : coloured([164, 160, 148, 150], 6)
  paint(canvas, verge, isWide ? 0.8 : 0.5)
}

/** Paints the shadow of a bridge and the edge of its deck. */
export function paintBridgeShadow(canvas: Canvas, way: Way): void {
  const { style, segments } = way
  addStroke(canvas, shifted(segments, canvas.light, style.height * canvas.light.shadow), style.width + 1.5)
  paintShadow(canvas, 0.42)
  paintRecipe(canvas, way, 'bridge')
}

/** Paints a road, a path or a track with its markings and cars. */
export function paintRoad(canvas: Canvas, way: Way): void {
  const { style, segments, seed } = way
  const { look, width, detail } = style
  addStroke(canvas, segments, width)
  paint(canvas, pavingShader(PAVING.get(detail) ?? PAVING.get('asphalt')!, seed))
  if (OVERLAID.has(look)) {
    if (look !== 'track' || detail !== 'asphalt') paintRecipe(canvas, way, look)
    return
  }
  if (isLoose(detail)) return
  if (look === 'motorway' && canvas.gsd < MARKINGS_GSD) addLanes(canvas, way)
  if (look !== 'street' || width > 6.5) paintRecipe(canvas, way, look)
  if (canvas.gsd < CARS_GSD && width >= 3.4) paintCars(canvas, way)
}

function pavingShader([red, green, blue, infrared]: Colour, seed: number): Shader {
  const change = (fraction(seed, 1) - 0.5) * 18
  return (ink, x, y, column, row) => {
    const noise = change + 4 * grain(column, row) + 6 * mottle(x, y, 1 / 18)
    ink[0] = red + noise
    ink[1] = green + noise
    ink[2] = blue + noise
    ink[3] = infrared + noise
  }
}

function addLanes(canvas: Canvas, { style: { width }, segments }: Way): void {
  const lanes = Math.max(2, Math.round(width / 3.7))
  for (let lane = 1; lane < lanes; lane++) addDashes(canvas, segments, 0.16, 6, 18, -width / 2 + (lane * width) / lanes)
}

/** Metres between places where a car may be, and the share of them that is taken, by how busy a road is. */
const CAR_SLOTS: Readonly<Record<string, readonly [slot: number, share: number]>> = {
  motorway: [28, 0.5],
  'main-road': [30, 0.35],
  street: [11, 0.22],
  lane: [22, 0.1],
}

function paintCars(canvas: Canvas, { style, segments, seed }: Way): void {
  const slots = CAR_SLOTS[style.look]
  if (!slots) return
  const [slot, share] = slots
  const parked = style.look === 'street'
  // Other cars on every scene.
  const own = mix(seed, canvas.light.seed)
  for (const segment of segments) {
    for (const side of [-1, 1]) {
      forEachStep(canvas, segment, { period: slot, before: 0, reach: style.width + slot }, (along, step) => {
        const draw = fraction(own, step * 2 + (side > 0 ? 1 : 0))
        if (draw > share || along < 2 || along > segment.length - 2) return
        const offset = side * (parked ? style.width / 2 - 0.9 : style.width / 4)
        const at = along + (draw / share) * (slot - 6) * 0.5
        const x = segment.x0 + segment.ux * at - segment.uy * offset
        const y = segment.y0 + segment.uy * at + segment.ux * offset
        paintCar(canvas, x, y, segment, side, draw / share, parked)
      })
    }
  }
}

/** @param own 0 to 1, which draws kind and colour */
function paintCar(
  canvas: Canvas,
  x: number,
  y: number,
  { ux, uy }: Segment,
  side: number,
  own: number,
  parked: boolean,
): void {
  const { sunX, sunY, shadow } = canvas.light
  const isLorry = !parked && own > 0.86
  const [length, width] = isLorry ? [11, 2.5] : [4.3, 1.8]
  const [red, green, blue] = isLorry ? [222, 222, 218] : colourAt(CARS, own * 0.999)
  addBar(canvas, x - sunX * shadow, y - sunY * shadow, [ux, uy], length, width)
  paintShadow(canvas, 0.4)
  addBar(canvas, x, y, [ux, uy], length, width)
  paint(canvas, flat(red!, green!, blue!))
  if (canvas.gsd >= 0.3 || isLorry) return
  for (const glass of [0.75, -1.35])
    addBar(canvas, x + ux * glass * -side, y + uy * glass * -side, [ux, uy], 0.65, 1.45)
  paint(canvas, flat(38, 42, 48))
}

/** Paints ballast, sleepers, rails and masts. */
export function paintRailway(canvas: Canvas, way: Way): void {
  const { style, segments, seed } = way
  addStroke(canvas, segments, style.width + 0.6)
  const change = (fraction(seed, 1) - 0.5) * 14
  paint(canvas, (ink, x, y, column, row) => {
    const noise = change + 9 * grain(column, row) + 6 * mottle(x, y, 1 / 9)
    ink[0] = 132 + noise
    ink[1] = 120 + noise
    ink[2] = 108 + noise
    ink[3] = 105 + noise
  })
  paintRecipe(canvas, way, 'railway')
  paintRecipe(canvas, way, 'rails')
  if (style.detail !== 'wires' || canvas.gsd >= 0.6) return
  for (const segment of segments) {
    const { x0, y0, ux, uy } = segment
    forEachStep(canvas, segment, { period: 55, before: 6, reach: style.width + 4 }, (along) =>
      addBar(canvas, x0 + ux * along, y0 + uy * along, [-uy, ux], style.width + 4, 0.3),
    )
  }
  paint(canvas, flat(84, 86, 88), 0.9)
}

/** Paints a runway or a taxiway with its markings. */
export function paintRunway(canvas: Canvas, way: Way): void {
  const { style, segments, seed } = way
  const { width, look, detail } = style
  const paved: Colour = look === 'runway' ? [98, 98, 101, 90] : [124, 124, 124, 112]
  addStroke(canvas, segments, width)
  paint(canvas, pavingShader(isLoose(detail) ? [140, 160, 92, 190] : paved, seed))
  if (look === 'runway' && isLoose(detail)) return
  paintRecipe(canvas, way, look)
  if (look === 'runway' && canvas.gsd <= 4) paintThresholds(canvas, way)
}

/** The piano keys at both ends. */
function paintThresholds(canvas: Canvas, { style: { width }, segments }: Way): void {
  for (const { x0, y0, x1, y1, ux, uy, length } of segments) {
    if (length < 150) continue
    for (const [x, y, side] of [[x0, y0, 1], [x1, y1, -1]] as const) // biome-ignore format: both ends
      for (let offset = -width / 2 + 2.4; offset < width / 2 - 1.5; offset += 3.4)
        addBar(canvas, x + ux * side * 24 - uy * offset, y + uy * side * 24 + ux * offset, [ux, uy], 30, 1.8)
  }
  paint(canvas, coloured([232, 232, 228, 205]), 0.95)
}
