import { type Canvas, flat, paint, paintShadow } from './canvas.ts'
import { addTreeShadow, paintCrown } from './crowns.ts'
import { fraction, mix } from './hash.ts'
import { grain, mottle } from './noise.ts'
import { reachOf } from './reach.ts'
import { paintRecipe, type Way } from './recipes.ts'
import { addStroke, forEachStep, shifted } from './strokes.ts'
import { waterShader } from './water.ts'

/** Paints a line other than a road, a railway or a runway. */
export function paintLine(canvas: Canvas, way: Way): void {
  const { look } = way.style
  if (look === 'river') paintWatercourse(canvas, way)
  else if (look === 'wires') paintWires(canvas, way)
  else if (look === 'tree-row') paintTreeRow(canvas, way)
  else paintRecipe(canvas, way, look)
}

/** Banks of grass and reed, then water of the mapped width. */
function paintWatercourse(canvas: Canvas, { style, segments, seed }: Way): void {
  const bank = Math.min(4, style.width * 0.5)
  if (canvas.gsd < bank * 3) {
    addStroke(canvas, segments, style.width + 2 * bank)
    paint(
      canvas,
      (ink, x, y, column, row) => {
        const noise = 14 * mottle(x, y, 1 / 5) + 4 * grain(column, row)
        ink[0] = 92 + noise
        ink[1] = 112 + noise
        ink[2] = 66 + noise
        ink[3] = 165 + noise
      },
      0.75,
    )
  }
  addStroke(canvas, segments, style.width)
  paint(canvas, waterShader('river', seed, canvas))
}

function paintWires(canvas: Canvas, { style, segments }: Way): void {
  if (canvas.gsd > 0.9) return
  const count = Number(style.detail)
  const apart = count === 3 ? 4.5 : 1
  const offsets = Array.from({ length: count }, (_, wire) => (wire - (count - 1) / 2) * apart)
  const shadow = shifted(segments, canvas.light, style.height * canvas.light.shadow)
  for (const offset of offsets) addStroke(canvas, shadow, 0.14, offset)
  paintShadow(canvas, 0.3)
  for (const offset of offsets) addStroke(canvas, segments, style.width, offset)
  paint(canvas, flat(206, 206, 204), 0.75)
}

/** Metres between the trees of a row. */
const TREE_SPACING = 7

/** Crowns in a row, touching here and there. */
function paintTreeRow(canvas: Canvas, { style, segments, seed }: Way): void {
  const trees: { x: number; y: number; radius: number; seed: number }[] = []
  for (const segment of segments) {
    forEachStep(canvas, segment, { period: TREE_SPACING, before: 0, reach: reachOf(style) }, (along, step) => {
      if (along < 0) return
      const own = mix(seed, step)
      const at = along + (fraction(own, 1) - 0.5) * 2
      trees.push({
        x: segment.x0 + segment.ux * at,
        y: segment.y0 + segment.uy * at,
        radius: 2.4 + 1.6 * fraction(own, 2),
        seed: own,
      })
    })
  }
  if (canvas.gsd < 2) {
    for (const { x, y, radius } of trees) addTreeShadow(canvas, x, y, radius, style.height)
    paintShadow(canvas, 0.42)
  }
  for (const tree of trees) paintCrown(canvas, tree.x, tree.y, tree.radius, tree.seed, '')
}
