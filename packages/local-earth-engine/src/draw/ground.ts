import { fraction } from '../hash.ts'
import type { Ink, Shader } from './canvas.ts'
import type { Light } from './light.ts'
import { MATERIALS, type Material } from './materials.ts'
import type { Frame } from './frame.ts'
import type { Pattern } from './pattern-tools.ts'
import { PATTERNS } from './patterns.ts'
import { BROAD, canopyIndex, canopyLevel, type CanopyLevel, grain, mottle, NEEDLE } from './textures.ts'

/** Below this a wave of `metres` shows fully; texture finer than a pixel fades into its mean. */
const visible = (metres: number, gsd: number) => Math.min(1, metres / (2.5 * gsd))

/** Fewer metres per pixel than this show trees one by one. */
const SINGLE_TREES_GSD = 1.6

const DEAD_GRASS = [150, 132, 92] as const
const BARE_TREES = [104, 90, 74] as const
const SNOW = 236

/** The shader of one object made of a material. */
export function groundShader(look: string, seed: number, frame: Frame, light: Light, gsd: number): Shader {
  const material = MATERIALS[look] ?? MATERIALS.asphalt!
  const base = baseColour(material, seed, light)
  const pattern: Pattern | undefined = material.pattern === undefined ? undefined : PATTERNS[material.pattern]?.({ seed, frame, light, gsd, base })
  const trees = material.trees ? treeCover(material.trees[0], material.trees[1], material.treeScale ?? 1, light, gsd) : null
  const [patch, wave] = material.mottle
  const patches = patch * visible(wave, gsd)
  const [fine, fineWave] = material.fine ?? [0, 1]
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
    if (pattern) pattern(ink, x, y)
    if (snow > 0) whiten(ink, snow * (0.85 + 0.3 * mottle(x, y, 1 / 60)))
    if (trees) trees(ink, x, y)
  }
}

function baseColour(material: Material, seed: number, light: Light): Float32Array {
  const brighter = (fraction(seed, 1) - 0.5) * 2 * material.spread
  const hue = (fraction(seed, 2) - 0.5) * 2 * (material.tint ?? material.spread * 0.4)
  const base = Float32Array.of(
    material.colour[0] + brighter + hue,
    material.colour[1] + brighter,
    material.colour[2] + brighter - hue,
    material.infrared + brighter,
  )
  const dead = material.living * Math.max((1 - light.leaves) * 0.55, light.ripeness * 0.22 * (0.6 + 0.8 * fraction(seed, 3)))
  for (let i = 0; i < 3; i++) base[i]! += (DEAD_GRASS[i]! - base[i]!) * dead
  base[3]! -= base[3]! * dead * 0.35
  return base
}

export function whiten(ink: Ink, share: number): void {
  const part = Math.max(0, Math.min(1, share))
  ink[0]! += (SNOW - ink[0]!) * part
  ink[1]! += (SNOW - ink[1]!) * part
  ink[2]! += (SNOW + 4 - ink[2]!) * part
  ink[3]! += (SNOW - 30 - ink[3]!) * part
}

const BROAD_LEAVES = [74, 104, 52, 190] as const
const NEEDLES = [44, 70, 50, 120] as const

/** Puts trees over what the ink holds: crown by crown where they show, else as a blend of leaves and ground. */
function treeCover(kind: 'broad' | 'needle' | 'mixed', density: number, scale: number, light: Light, gsd: number): (ink: Ink, x: number, y: number) => void {
  const table = kind === 'needle' ? NEEDLE : BROAD
  const level = canopyLevel(table, gsd / scale)
  const leaf = leafColour(kind === 'needle' ? NEEDLES : BROAD_LEAVES, kind === 'needle' ? 1 : light.leaves)
  const needle = leafColour(NEEDLES, 1)
  const single = gsd / scale < SINGLE_TREES_GSD
  return (ink, x, y) => {
    const at = canopyIndex(level, x / scale, y / scale)
    const patch = mottle(x, y, 1 / 90)
    // Trees stand in groups, except where they close.
    const stand = density >= 1 ? 1 : density * (1 + 1.2 * patch)
    if (single) {
      if (density < 1) castTreeShadow(ink, level, x, y, scale, stand, light)
      const tree = level.tree[at]!
      if (tree < 0 || tree >= stand) return
      shadeCrown(ink, level, at, tree, kind === 'mixed' && mottle(x, y, 1 / 70) + tree - 0.5 > 0.18 ? needle : leaf, light)
    } else {
      const cover = Math.min(1, stand) * (density >= 1 ? 0.94 : 0.75)
      const lit = 0.86 + 0.5 * (level.height[at]! - 0.5) + 0.35 * (level.slopeX[at]! * light.sunX + level.slopeY[at]! * light.sunY) + 0.1 * patch
      const colour = kind === 'mixed' && patch > 0.05 ? needle : leaf
      for (let i = 0; i < 4; i++) ink[i]! += (colour[i]! * lit - ink[i]!) * cover
    }
  }
}

function leafColour(colour: readonly [number, number, number, number], leaves: number): Float32Array {
  const mixed = Float32Array.from(colour)
  for (let i = 0; i < 3; i++) mixed[i]! += (BARE_TREES[i]! - mixed[i]!) * (1 - leaves) * 0.8
  mixed[3]! *= 0.5 + 0.5 * leaves
  return mixed
}

function shadeCrown(ink: Ink, level: CanopyLevel, at: number, tree: number, colour: Float32Array, light: Light): void {
  const facing = level.slopeX[at]! * light.sunX + level.slopeY[at]! * light.sunY
  const lit = 0.62 + 0.42 * level.height[at]! + 0.42 * facing + 0.22 * (((tree * 37) % 1) - 0.5)
  const warm = (((tree * 91) % 1) - 0.5) * 18
  ink[0] = (colour[0]! + warm) * lit
  ink[1] = (colour[1]! + warm * 0.4) * lit
  ink[2] = colour[2]! * lit
  ink[3] = colour[3]! * lit
}

const TREE_METRES = 5

function castTreeShadow(ink: Ink, level: CanopyLevel, x: number, y: number, scale: number, stand: number, light: Light): void {
  const reach = light.shadow * TREE_METRES * 0.6
  const at = canopyIndex(level, x / scale + light.sunX * reach, y / scale + light.sunY * reach)
  const tree = level.tree[at]!
  if (tree < 0 || tree >= stand) return
  for (let i = 0; i < 4; i++) ink[i]! *= 0.58
}

/** Open land that nothing is mapped on: rough grass with bare patches and bushes, browner or greener by region. */
export function openGround(light: Light, gsd: number): Shader {
  const trees = treeCover('broad', 0.06, 0.7, light, gsd)
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
