import { fraction, mix } from '../hash.ts'
import { type Canvas, flat, grainy, paint, paintShadow } from './canvas.ts'
import { grain, mottle } from './noise.ts'
import { reachOf } from './reach.ts'
import type { Way } from './roads.ts'
import { addDashes, addStroke, forEachStep, type Segment } from './strokes.ts'
import { addTreeShadow, paintCrown } from './symbols.ts'
import { waterShader } from './water.ts'

/** Lines other than roads, railways and runways. */
export function paintLine(canvas: Canvas, way: Way): void {
  const { style, segments, seed } = way
  const { width, height, look } = style
  switch (look) {
    case 'river':
      return paintWatercourse(canvas, way)
    case 'wires':
      return paintWires(canvas, way)
    case 'tree-row':
      return paintTreeRow(canvas, way)
    case 'hedge':
      castWall(canvas, segments, width, height)
      addStroke(canvas, segments, width)
      return paint(canvas, (ink, x, y) => {
        const lit = 0.9 + 0.4 * mottle(x, y, 1 / 2)
        ink[0] = 72 * lit
        ink[1] = 98 * lit
        ink[2] = 54 * lit
        ink[3] = 180 * lit
      })
    case 'wall':
      castWall(canvas, segments, width, height)
      addStroke(canvas, segments, width)
      return paint(canvas, grainy(178, 170, 156, 150, 6, grain))
    case 'fence':
      if (canvas.gsd > 0.4) return
      castWall(canvas, segments, 0.1, height * 0.6)
      addStroke(canvas, segments, width)
      return paint(canvas, flat(150, 142, 130), 0.8)
    case 'cliff':
    case 'ridge':
      castWall(canvas, segments, width * 0.5, height * 0.7)
      addStroke(canvas, segments, width)
      return paint(canvas, grainy(168, 160, 150, 140, 22, grain), 0.85)
    case 'bank':
      addStroke(canvas, segments, width, width / 2)
      paintShadow(canvas, 0.18)
      addStroke(canvas, segments, width, -width / 2)
      return paint(canvas, grainy(150, 152, 100, 165, 8, grain), 0.6)
    case 'dam':
    case 'weir':
      castWall(canvas, segments, width, height)
      addStroke(canvas, segments, width)
      paint(canvas, grainy(196, 194, 188, 170, 5, grain))
      if (look !== 'weir' || canvas.gsd > 1) return
      addStroke(canvas, segments, 1.6, width / 2 + 0.8)
      return paint(canvas, flat(232, 238, 238), 0.85)
    case 'pipeline':
      castWall(canvas, segments, width, height)
      addStroke(canvas, segments, width)
      return paint(canvas, grainy(196, 198, 196, 170, 4, grain))
    case 'pier':
      castWall(canvas, segments, width, 1.5)
      addStroke(canvas, segments, width)
      paint(canvas, grainy(164, 146, 120, 140, 5, grain))
      if (canvas.gsd > 0.3) return
      addDashes(canvas, segments, width, 0.08, 0.5)
      return paint(canvas, flat(112, 98, 82), 0.6)
    case 'platform':
      addStroke(canvas, segments, width)
      paint(canvas, grainy(176, 172, 166, 150, 4, grain))
      addStroke(canvas, segments, 0.2, width / 2 - 0.6)
      return paint(canvas, flat(232, 230, 220), 0.8)
    case 'boulders':
      addStroke(canvas, segments, width)
      return paint(canvas, (ink, x, y, column, row) => {
        const noise = 26 * mottle(x, y, 1 / 2.2) + 14 * grain(column, row)
        ink[0] = 140 + noise
        ink[1] = 136 + noise
        ink[2] = 130 + noise
        ink[3] = 120 + noise
      })
    case 'bridge-deck':
      addStroke(canvas, segments, width)
      return paint(canvas, grainy(176, 172, 164, 150, 4, grain))
    case 'cutline':
      addStroke(canvas, segments, width)
      return paint(canvas, grainy(140, 140, 92, 160, 9, grain), 0.85)
    case 'running-track':
      addStroke(canvas, segments, width)
      paint(canvas, grainy(178, 84, 64, 140, 4, grain))
      for (const offset of [-2.44, -1.22, 0, 1.22, 2.44]) addStroke(canvas, segments, 0.07, offset)
      return paint(canvas, flat(234, 230, 224), 0.8)
    case 'monorail':
      castWall(canvas, segments, width, height)
      addStroke(canvas, segments, width)
      return paint(canvas, grainy(184, 182, 178, 160, 3, grain))
    case 'coastline':
      addStroke(canvas, segments, 7, -2)
      return paint(canvas, grainy(196, 184, 158, 170, 10, grain), 0.55)
    default:
      addStroke(canvas, segments, Math.max(width, 0.4))
      return paint(canvas, grainy(150, 142, 126, 130, 6, grain), 0.7)
  }

  function castWall(target: Canvas, parts: readonly Segment[], across: number, high: number): void {
    const { sunX, sunY, shadow } = target.light
    const reach = high * shadow
    if (reach < target.gsd * 0.3) return
    const moved = parts.map((part) => ({
      ...part,
      x0: part.x0 - (sunX * reach) / 2,
      y0: part.y0 - (sunY * reach) / 2,
      x1: part.x1 - (sunX * reach) / 2,
      y1: part.y1 - (sunY * reach) / 2,
    }))
    addStroke(target, moved, across + reach * 0.7)
    paintShadow(target, 0.36 + 0.02 * fraction(seed, 8))
  }
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
  paint(canvas, waterShader('river', seed, canvas.light, canvas.gsd))
}

function paintWires(canvas: Canvas, { style, segments }: Way): void {
  if (canvas.gsd > 0.9) return
  const count = Number(style.detail)
  const { sunX, sunY, shadow } = canvas.light
  const reach = style.height * shadow
  const moved = segments.map((part) => ({
    ...part,
    x0: part.x0 - sunX * reach,
    y0: part.y0 - sunY * reach,
    x1: part.x1 - sunX * reach,
    y1: part.y1 - sunY * reach,
  }))
  const apart = count === 3 ? 4.5 : 1
  for (let wire = 0; wire < count; wire++) addStroke(canvas, moved, 0.14, (wire - (count - 1) / 2) * apart)
  paintShadow(canvas, 0.3)
  for (let wire = 0; wire < count; wire++) addStroke(canvas, segments, style.width, (wire - (count - 1) / 2) * apart)
  paint(canvas, flat(206, 206, 204), 0.75)
}

/** Crowns in a row, touching here and there. */
function paintTreeRow(canvas: Canvas, { style, segments, seed }: Way): void {
  const spacing = 7
  const trees: { x: number; y: number; radius: number; seed: number }[] = []
  for (const segment of segments) {
    forEachStep(canvas, segment, { period: spacing, before: 0, reach: reachOf(style) }, (along, step) => {
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
