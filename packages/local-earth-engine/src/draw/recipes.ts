/** Lines drawn by strokes.csv: each row adds a stroke, dashes or the shadow of a wall; a colour paints what was added. */

import { type Canvas, coloured, paint, paintShadow, type Shader } from './canvas.ts'
import { fraction } from './hash.ts'
import { grain, mottle } from './noise.ts'
import { addDashes, addStroke, type Segment, shifted } from './strokes.ts'
import type { Colour } from './styles/colours.ts'
import type { Style } from './styles/style.ts'
import { readTable } from './styles/table.ts'

/** The part of a line that is in view. */
export interface Way {
  readonly style: Style
  readonly seed: number
  readonly segments: readonly Segment[]
}

type Length = (style: Style) => number

interface Step {
  readonly draw: string
  /** The finest and coarsest GSD in metres at which it is drawn. */
  readonly from: number
  readonly to: number
  readonly width: Length
  readonly offsets: readonly Length[]
  readonly on: number
  readonly every: number
  readonly height: Length
  readonly shader: Shader | 'shadow' | null
  readonly opacity: number
}

/** Metres, or a part of the style's width or height and metres: `0.14`, `w`, `0.5w-0.6`, `0.7h`. */
function lengthOf(text: string): Length {
  const [, factor, of, more] = /^(-?[\d.]*)([wh]?)([+-][\d.]+)?$/.exec(text)!
  if (of === '') return () => Number(factor)
  const [share, metres] = [factor === '' ? 1 : Number(factor), Number(more ?? 0)]
  return ({ width, height }) => (of === 'w' ? width : height) * share + metres
}

/** Leaves of a hedge, and stones as large as they show. */
const TEXTURES: Readonly<Record<string, Shader>> = {
  leaves(ink, x, y) {
    const lit = 0.9 + 0.4 * mottle(x, y, 1 / 2)
    ink[0] = 72 * lit
    ink[1] = 98 * lit
    ink[2] = 54 * lit
    ink[3] = 180 * lit
  },
  boulders(ink, x, y, column, row) {
    const noise = 26 * mottle(x, y, 1 / 2.2) + 14 * grain(column, row)
    ink[0] = 140 + noise
    ink[1] = 136 + noise
    ink[2] = 130 + noise
    ink[3] = 120 + noise
  },
}

const RECIPES = new Map<string, Step[]>()
for (const row of readTable('strokes')) {
  const colour = row.colour!
  const step: Step = {
    draw: row.draw!,
    from: Number(row.from),
    to: Number(row.to || Number.POSITIVE_INFINITY),
    width: lengthOf(row.width!),
    offsets: (row.at || '0').split(' ').map(lengthOf),
    on: Number(row.on),
    every: Number(row.every),
    height: lengthOf(row.height!),
    shader:
      colour === ''
        ? null
        : colour === 'shadow'
          ? colour
          : (TEXTURES[colour] ?? coloured(colour.split(' ').map(Number) as unknown as Colour, Number(row.grain))),
    opacity: Number(row.opacity || 1),
  }
  for (const look of row.look!.split('|')) RECIPES.set(look, [...(RECIPES.get(look) ?? []), step])
}

/** Draws a way as strokes.csv says of a look; nothing where it says nothing. */
export function paintRecipe(canvas: Canvas, way: Way, look: string): void {
  const { style, segments, seed } = way
  for (const step of RECIPES.get(look) ?? []) {
    if (canvas.gsd < step.from || canvas.gsd > step.to) continue
    const width = step.width(style)
    if (step.draw === 'wall') castWall(canvas, segments, width, step.height(style), seed)
    for (const offset of step.draw === 'wall' ? [] : step.offsets) {
      if (step.draw === 'dash') addDashes(canvas, segments, width, step.on, step.every, offset(style))
      else addStroke(canvas, segments, width, offset(style))
    }
    if (step.shader === 'shadow') paintShadow(canvas, step.opacity)
    else if (step.shader) paint(canvas, step.shader, step.opacity)
  }
}

function castWall(canvas: Canvas, segments: readonly Segment[], width: number, height: number, seed: number): void {
  const reach = height * canvas.light.shadow
  if (reach < canvas.gsd * 0.3) return
  addStroke(canvas, shifted(segments, canvas.light, reach / 2), width + reach * 0.7)
  paintShadow(canvas, 0.36 + 0.02 * fraction(seed, 8))
}
