import { fraction } from '../hash.ts'
import { addBar, addDisc, type Canvas, flat, grainy, paint, paintShadow } from './canvas.ts'
import { grain } from './noise.ts'
import type { Spot } from './symbols.ts'

/** A lattice mast: four feet, a cross of beams, and a long thin shadow. */
export function paintPylon(canvas: Canvas, { style, seed, x, y }: Spot): void {
  const { width, height } = style
  const { sunX, sunY, shadow } = canvas.light
  const reach = height * shadow
  addBar(canvas, x - (sunX * reach) / 2, y - (sunY * reach) / 2, sunX, sunY, reach, Math.max(0.5, canvas.gsd * 0.5))
  for (const part of [0.7, 0.85, 0.97])
    addBar(
      canvas,
      x - sunX * reach * part,
      y - sunY * reach * part,
      -sunY,
      sunX,
      width * 1.3,
      Math.max(0.4, canvas.gsd * 0.4),
    )
  paintShadow(canvas, 0.42)
  const angle = fraction(seed, 4) * Math.PI
  const [ux, uy] = [Math.cos(angle), Math.sin(angle)]
  if (style.look === 'pylon')
    for (const side of [-1, 1])
      addBar(canvas, x + uy * side * width * 0.1, y - ux * side * width * 0.1, ux, uy, width * 1.6, 0.5)
  addBar(canvas, x, y, ux + uy, uy - ux, width * 0.55, 0.45)
  addBar(canvas, x, y, uy - ux, -ux - uy, width * 0.55, 0.45)
  addDisc(canvas, x, y, Math.max(0.6, width * 0.12))
  paint(canvas, flat(196, 198, 196), 0.95)
}

export function paintTurbine(canvas: Canvas, { style, seed, x, y }: Spot): void {
  const { height, width } = style
  const { sunX, sunY, shadow } = canvas.light
  const start = fraction(seed, 4) * 2
  const blades = (cx: number, cy: number, thick: number) => {
    for (let i = 0; i < 3; i++) {
      const angle = start + (i * 2 * Math.PI) / 3
      const [bx, by] = [Math.cos(angle), Math.sin(angle)]
      addBar(canvas, cx + (bx * width) / 4, cy + (by * width) / 4, bx, by, width / 2, thick)
    }
  }
  const reach = height * shadow
  addBar(canvas, x - (sunX * reach) / 2, y - (sunY * reach) / 2, sunX, sunY, reach, 3)
  blades(x - sunX * reach, y - sunY * reach, 1.6)
  paintShadow(canvas, 0.4)
  addDisc(canvas, x, y, 9)
  paint(canvas, grainy(190, 180, 160, 160, 6, grain))
  blades(x, y, 2)
  addDisc(canvas, x, y, 2.4)
  paint(canvas, flat(240, 240, 238))
}
