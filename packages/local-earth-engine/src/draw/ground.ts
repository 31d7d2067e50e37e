import type { Ink, Shader, View } from './canvas.ts'
import { acrossOf, alongOf, type Frame } from './frame.ts'
import { fraction } from './hash.ts'
import type { Light } from './light.ts'
import { grain, mottle } from './noise.ts'
import { PATTERNS } from './patterns/patterns.ts'
import { MATERIALS, type Material } from './styles/materials.ts'
import { treeCover } from './trees.ts'

/** How much of a wave of `metres` shows: texture finer than a pixel fades into its mean. */
const visible = (metres: number, gsd: number) => Math.min(1, metres / (2.5 * gsd))

const DEAD_GRASS = [150, 132, 92] as const
const SNOW = 236

/** The shader of one object made of a material; `frame` is what its pattern is laid out on. */
export function groundShader(look: string, seed: number, frame: Frame, view: View): Shader {
  const { light, gsd } = view
  const material = MATERIALS.get(look) ?? MATERIALS.get('asphalt')!
  const base = baseColour(material, seed, light)
  const pattern = PATTERNS[material.pattern]?.({ seed, frame, light, gsd, base })
  const trees = material.trees && treeCover(material.trees, view)
  const [patch, wave] = material.patches
  const patches = patch * visible(wave, gsd)
  const [fine, fineWave] = material.fine
  const fines = fine * visible(fineWave, gsd)
  const grains = material.grain * visible(1.2, gsd) + material.grain * 0.25
  const [frequency, fineFrequency] = [1 / wave, 1 / fineWave]
  const [shiftX, shiftY] = [(seed & 255) * 3.7, ((seed >>> 8) & 255) * 3.7]
  const snow = light.snow
  return (ink, x, y, column, row) => {
    let change = patches * mottle(x + shiftX, y + shiftY, frequency) + grains * grain(column, row)
    if (fines > 0.3) change += fines * mottle(x - shiftY, y + shiftX, fineFrequency)
    ink[0] = base[0]! + change
    ink[1] = base[1]! + change * 0.95
    ink[2] = base[2]! + change * 0.85
    ink[3] = base[3]! + change
    if (pattern) pattern(ink, alongOf(frame, x, y), acrossOf(frame, x, y), x, y)
    if (snow > 0) whiten(ink, snow * (0.85 + 0.3 * mottle(x, y, 1 / 60)))
    if (trees) trees(ink, x, y)
  }
}

function baseColour({ colour, spread, tint, living }: Material, seed: number, light: Light): Float32Array {
  const brighter = (fraction(seed, 1) - 0.5) * 2 * spread
  const hue = (fraction(seed, 2) - 0.5) * 2 * tint
  const [red, green, blue, infrared] = colour
  const base = Float32Array.of(red + brighter + hue, green + brighter, blue + brighter - hue, infrared + brighter)
  const dead = living * Math.max((1 - light.leaves) * 0.55, light.ripeness * 0.22 * (0.6 + 0.8 * fraction(seed, 3)))
  for (let i = 0; i < 3; i++) base[i]! += (DEAD_GRASS[i]! - base[i]!) * dead
  base[3]! -= base[3]! * dead * 0.35
  return base
}

/** Lays snow over a share of the ink. */
export function whiten(ink: Ink, share: number): void {
  const part = Math.max(0, Math.min(1, share))
  ink[0]! += (SNOW - ink[0]!) * part
  ink[1]! += (SNOW - ink[1]!) * part
  ink[2]! += (SNOW + 4 - ink[2]!) * part
  ink[3]! += (SNOW - 30 - ink[3]!) * part
}

/** Land that nothing is mapped on: rough grass with bare patches and bushes, browner or greener by region. */
export function openGround(view: View): Shader {
  const { light, gsd } = view
  const trees = treeCover({ kind: 'broad', density: 0.06, size: 0.7 }, view)
  const dry = (1 - light.leaves) * 0.5 + light.ripeness * 0.2
  const grains = 5 * visible(1.2, gsd) + 1
  return (ink, x, y, column, row) => {
    const region = mottle(x, y, 1 / 2400)
    const patch = mottle(x, y, 1 / 130)
    const fine = mottle(x, y, 1 / 9) * visible(9, gsd)
    const bare = Math.max(0, Math.min(1, 0.25 + 0.45 * region + 0.55 * patch + dry))
    const change = 12 * patch + 9 * fine + grains * grain(column, row)
    ink[0] = 112 + 44 * bare + change
    ink[1] = 130 + 12 * bare + change
    ink[2] = 80 + 22 * bare + change * 0.85
    ink[3] = 172 - 40 * bare + change
    if (light.snow > 0) whiten(ink, light.snow)
    trees(ink, x, y)
  }
}
