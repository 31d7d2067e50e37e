import { fraction, mix } from '../hash.ts'
import { addBar, type Canvas, flat, grainy, paint, paintShadow, type Shader } from './canvas.ts'
import { grain, mottle } from './noise.ts'
import { carColour } from './pattern-tools.ts'
import { addDashes, addStroke, forEachStep, type Segment } from './strokes.ts'
import type { Style } from './style.ts'

/** A road, path or track in view. */
export interface Way {
  readonly style: Style
  readonly seed: number
  readonly segments: readonly Segment[]
}

type Colour = readonly [red: number, green: number, blue: number, infrared: number]

const PAVING: Readonly<Record<string, Colour>> = {
  asphalt: [116, 116, 118, 104],
  concrete: [168, 165, 158, 150],
  stone: [152, 142, 130, 130],
  gravel: [190, 174, 144, 160],
  grass: [150, 150, 102, 165],
}

/** Beyond this many metres per pixel markings and cars no longer show. */
const MARKINGS_GSD = 0.35
const CARS_GSD = 1.1

/** The verge: kerb, gutter or worn grass on both sides. */
export function paintRoadEdges(canvas: Canvas, { style, segments }: Way): void {
  const isPaved = style.detail !== 'gravel' && style.detail !== 'grass'
  const edge = style.look === 'motorway' ? 2.6 : style.width > 5 ? 1.5 : 0.5
  if (canvas.gsd > edge * 6) return
  addStroke(canvas, segments, style.width + 2 * edge)
  paint(
    canvas,
    isPaved ? grainy(164, 160, 148, 150, 6, grain) : grainy(158, 150, 108, 150, 8, grain),
    style.look === 'motorway' || style.width > 5 ? 0.8 : 0.5,
  )
}

export function paintBridgeShadow(canvas: Canvas, { style, segments }: Way): void {
  const { sunX, sunY, shadow } = canvas.light
  const reach = style.height * shadow
  const moved = segments.map(
    (segment): Segment => ({
      ...segment,
      x0: segment.x0 - sunX * reach,
      y0: segment.y0 - sunY * reach,
      x1: segment.x1 - sunX * reach,
      y1: segment.y1 - sunY * reach,
    }),
  )
  addStroke(canvas, moved, style.width + 1.5)
  paintShadow(canvas, 0.42)
  addStroke(canvas, segments, style.width + 2)
  paint(canvas, grainy(188, 185, 178, 165, 4, grain))
}

export function paintRoad(canvas: Canvas, way: Way): void {
  const { style, segments, seed } = way
  const colour = PAVING[style.detail] ?? PAVING.asphalt!
  addStroke(canvas, segments, style.width)
  paint(canvas, pavingShader(colour, seed))
  switch (style.look) {
    case 'tram':
      return paintRails(canvas, segments, 1.435, 0)
    case 'track':
      return paintWheelTracks(canvas, way)
    case 'steps':
      if (canvas.gsd < 0.25) {
        addDashes(canvas, segments, style.width, 0.16, 0.4)
        paint(canvas, flat(88, 86, 84), 0.7)
      }
      return
    case 'cycleway':
      addStroke(canvas, segments, style.width * 0.96)
      return paint(canvas, grainy(158, 96, 82, 110, 4, grain), 0.4)
    case 'old-railway':
      addStroke(canvas, segments, style.width)
      return paint(canvas, grainy(140, 130, 104, 130, 8, grain), 0.7)
    case 'road-works':
      addStroke(canvas, segments, style.width + 3)
      return paint(canvas, grainy(190, 164, 126, 140, 12, grain), 0.8)
    default:
  }
  if (style.detail === 'gravel' || style.detail === 'grass') return
  if (canvas.gsd < MARKINGS_GSD) paintMarkings(canvas, way)
  if (canvas.gsd < CARS_GSD && style.width >= 3.4) paintCars(canvas, way)
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

function paintMarkings(canvas: Canvas, { style, segments }: Way): void {
  const white = flat(228, 228, 222, 205)
  const { width, look } = style
  if (look === 'motorway') {
    const edge = width / 2 - 0.5
    for (const offset of [-edge, edge]) addStroke(canvas, segments, 0.18, offset)
    const lanes = Math.max(2, Math.round(width / 3.7))
    for (let lane = 1; lane < lanes; lane++)
      addDashes(canvas, segments, 0.16, 6, 18, -width / 2 + (lane * width) / lanes)
    paint(canvas, white, 0.9)
  } else if (look === 'main-road') {
    addDashes(canvas, segments, 0.14, 3, 9)
    for (const offset of [-width / 2 + 0.3, width / 2 - 0.3]) addStroke(canvas, segments, 0.12, offset)
    paint(canvas, white, 0.85)
  } else if (look === 'street' && width > 6.5) {
    addDashes(canvas, segments, 0.12, 2, 8)
    paint(canvas, white, 0.7)
  }
}

/** Metres between places where a car may be, by how busy a road is. */
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
  const { sunX, sunY, shadow } = canvas.light
  for (const segment of segments) {
    for (const side of [-1, 1]) {
      forEachStep(canvas, segment, { period: slot, before: 0, reach: style.width + slot }, (along, step) => {
        const draw = fraction(own, step * 2 + (side > 0 ? 1 : 0))
        if (draw > share || along < 2 || along > segment.length - 2) return
        const offset = side * (parked ? style.width / 2 - 0.9 : style.width / 4)
        const at = along + (draw / share) * (slot - 6) * 0.5
        const [x, y] = [
          segment.x0 + segment.ux * at - segment.uy * offset,
          segment.y0 + segment.uy * at + segment.ux * offset,
        ]
        const isLorry = !parked && draw / share > 0.86
        const [length, width] = isLorry ? [11, 2.5] : [4.3, 1.8]
        const [red, green, blue] = isLorry ? ([222, 222, 218] as const) : carColour((draw / share) * 0.999)
        addBar(canvas, x - sunX * shadow, y - sunY * shadow, segment.ux, segment.uy, length, width)
        paintShadow(canvas, 0.4)
        addBar(canvas, x, y, segment.ux, segment.uy, length, width)
        paint(canvas, flat(red, green, blue))
        if (canvas.gsd < 0.3 && !isLorry) {
          for (const glass of [0.75, -1.35])
            addBar(
              canvas,
              x + segment.ux * glass * -side,
              y + segment.uy * glass * -side,
              segment.ux,
              segment.uy,
              0.65,
              1.45,
            )
          paint(canvas, flat(38, 42, 48))
        }
      })
    }
  }
}

/** Two ruts with grass between them. */
function paintWheelTracks(canvas: Canvas, { style, segments }: Way): void {
  if (canvas.gsd > 0.5 || style.detail === 'asphalt') return
  addStroke(canvas, segments, style.width * 0.3)
  paint(canvas, grainy(138, 146, 92, 170, 9, grain), 0.75)
}

export function paintRailway(canvas: Canvas, { style, segments, seed }: Way): void {
  addStroke(canvas, segments, style.width + 0.6)
  const change = (fraction(seed, 1) - 0.5) * 14
  paint(canvas, (ink, x, y, column, row) => {
    const noise = change + 9 * grain(column, row) + 6 * mottle(x, y, 1 / 9)
    ink[0] = 132 + noise
    ink[1] = 120 + noise
    ink[2] = 108 + noise
    ink[3] = 105 + noise
  })
  if (canvas.gsd < 0.3) {
    addDashes(canvas, segments, 2.5, 0.26, 0.65)
    paint(canvas, flat(92, 82, 74), 0.8)
  } else {
    addStroke(canvas, segments, 2.4)
    paint(canvas, grainy(104, 94, 86, 85, 6, grain), 0.7)
  }
  paintRails(canvas, segments, 1.435, 0)
  if (style.detail === 'wires' && canvas.gsd < 0.6) {
    for (const segment of segments)
      forEachStep(canvas, segment, { period: 55, before: 6, reach: style.width + 4 }, (along) =>
        addBar(
          canvas,
          segment.x0 + segment.ux * along,
          segment.y0 + segment.uy * along,
          -segment.uy,
          segment.ux,
          style.width + 4,
          0.3,
        ),
      )
    paint(canvas, flat(84, 86, 88), 0.9)
  }
}

/** Two bright lines a gauge apart; one pale line where they can't be told apart. */
function paintRails(canvas: Canvas, segments: readonly Segment[], gauge: number, offset: number): void {
  if (canvas.gsd > 1.2) return
  for (const side of [-gauge / 2, gauge / 2]) addStroke(canvas, segments, 0.16, offset + side)
  paint(canvas, flat(196, 192, 186, 160), 0.95)
}

export function paintRunway(canvas: Canvas, { style, segments, seed }: Way): void {
  const { width, look, detail } = style
  const isGrass = detail === 'grass' || detail === 'gravel'
  addStroke(canvas, segments, width)
  paint(
    canvas,
    pavingShader(isGrass ? [140, 160, 92, 190] : look === 'runway' ? [98, 98, 101, 90] : [124, 124, 124, 112], seed),
  )
  if (canvas.gsd > 4) return
  if (look === 'taxiway') {
    addStroke(canvas, segments, 0.35)
    return paint(canvas, flat(206, 178, 62, 190), 0.9)
  }
  if (isGrass) return
  addDashes(canvas, segments, 0.9, 30, 50)
  for (const side of [-1, 1]) addStroke(canvas, segments, 0.7, side * (width / 2 - 1))
  paint(canvas, flat(228, 228, 224, 200), 0.95)
  paintThresholds(canvas, style, segments)
}

/** The piano keys at both ends. */
function paintThresholds(canvas: Canvas, { width }: Style, segments: readonly Segment[]): void {
  for (const { x0, y0, x1, y1, ux, uy, length } of segments) {
    if (length < 150) continue
    for (const [x, y, side] of [
      [x0, y0, 1],
      [x1, y1, -1],
    ] as const) {
      for (let offset = -width / 2 + 2.4; offset < width / 2 - 1.5; offset += 3.4)
        addBar(canvas, x + ux * side * 24 - uy * offset, y + uy * side * 24 + ux * offset, ux, uy, 30, 1.8)
    }
  }
  paint(canvas, flat(232, 232, 228, 205), 0.95)
}
