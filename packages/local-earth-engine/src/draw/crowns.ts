import { addDisc, type Canvas, paint, paintSpeck } from './canvas.ts'
import { fraction } from './hash.ts'
import { mottle } from './noise.ts'

/** Trees are drawn as crowns where one is at least this many pixels across. */
const CROWN_PIXELS = 1.5

/** Adds the shadow of a crown. */
export function addTreeShadow(canvas: Canvas, x: number, y: number, radius: number, height: number): void {
  const { sunX, sunY, shadow } = canvas.light
  for (const part of [0.4, 0.75])
    addDisc(canvas, x - sunX * shadow * height * part, y - sunY * shadow * height * part, radius)
}

/** Paints the crown of a single tree; `kind` is its `leaf_type`. */
export function paintCrown(canvas: Canvas, x: number, y: number, radius: number, seed: number, kind: string): void {
  const needle = kind === 'needleleaved'
  const { sunX, sunY, leaves } = canvas.light
  const bare = 1 - leaves
  const green = needle ? [46, 74, 50, 120] : [76 + 22 * bare, 104 - 10 * bare, 54 + 14 * bare, 110 + 80 * leaves]
  if (radius * 2 < canvas.gsd * CROWN_PIXELS)
    return paintSpeck(canvas, x, y, (Math.PI * radius * radius) / canvas.gsd ** 2, green)
  const tone = 0.86 + 0.3 * fraction(seed, 2)
  const warm = (fraction(seed, 3) - 0.5) * 16
  const open = needle ? 0 : bare * 0.5
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
