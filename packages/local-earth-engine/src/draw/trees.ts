import { type CanopyLevel, canopyIndex, canopyLevel } from './canopy.ts'
import type { Ink, View } from './canvas.ts'
import { darken } from './ink.ts'
import type { Light } from './light.ts'
import { mottle } from './noise.ts'
import type { Colour } from './styles/colours.ts'
import type { Material } from './styles/materials.ts'

/** Below this many metres per pixel trees show one by one. */
const SINGLE_TREES_GSD = 1.6

const BROAD_LEAVES: Colour = [74, 104, 52, 190]
const NEEDLES: Colour = [44, 70, 50, 120]
const BARE_TREES = [104, 90, 74] as const
const TREE_METRES = 5
const SHADE = 0.58

/** Puts trees over what the ink holds. */
type TreeCover = (ink: Ink, x: number, y: number) => void

/** Trees crown by crown where crowns show, else a blend of leaves and ground. A density of 1 is a closed wood. */
export function treeCover({ kind, density, size }: NonNullable<Material['trees']>, { light, gsd }: View): TreeCover {
  const level = canopyLevel(density < 1 ? 'scattered' : kind === 'needle' ? 'needle' : 'broad', gsd / size)
  const leaf = kind === 'needle' ? leafColour(NEEDLES, 1) : leafColour(BROAD_LEAVES, light.leaves)
  const needle = kind === 'mixed' ? leafColour(NEEDLES, 1) : leaf
  if (gsd / size >= SINGLE_TREES_GSD) return blendedTrees(level, density, leaf, needle, light)
  return density < 1 ? scatteredTrees(level, density, size, leaf, light) : closedWood(level, size, leaf, needle, light)
}

function blendedTrees(
  level: CanopyLevel,
  density: number,
  leaf: Float32Array,
  needle: Float32Array,
  light: Light,
): TreeCover {
  return (ink, x, y) => {
    const at = canopyIndex(level, x, y)
    const patch = mottle(x, y, 1 / 90)
    const cover = density >= 1 ? 0.94 : 0.75 * Math.min(1, density * (1 + 1.2 * patch))
    const facing = level.slopeX[at]! * light.sunX + level.slopeY[at]! * light.sunY
    const lit = 0.86 + 0.5 * (level.height[at]! - 0.5) + 0.35 * facing + 0.1 * patch
    const colour = patch > 0.05 ? needle : leaf
    for (let i = 0; i < 4; i++) ink[i]! += (colour[i]! * lit - ink[i]!) * cover
  }
}

function closedWood(
  level: CanopyLevel,
  size: number,
  leaf: Float32Array,
  needle: Float32Array,
  light: Light,
): TreeCover {
  const isMixed = needle !== leaf
  return (ink, x, y) => {
    const at = canopyIndex(level, x / size, y / size)
    const tree = level.tree[at]!
    if (tree < 0) return
    shadeCrown(ink, level, at, tree, isMixed && mottle(x, y, 1 / 70) + tree > 0.68 ? needle : leaf, light)
  }
}

/** Trees apart from each other, in groups, each with its shadow. */
function scatteredTrees(
  level: CanopyLevel,
  density: number,
  size: number,
  leaf: Float32Array,
  light: Light,
): TreeCover {
  const reach = light.shadow * TREE_METRES * 0.6
  const [castX, castY] = [light.sunX * reach, light.sunY * reach]
  return (ink, x, y) => {
    const at = canopyIndex(level, x / size, y / size)
    const tree = level.tree[at]!
    const caster = level.tree[canopyIndex(level, x / size + castX, y / size + castY)]!
    if (tree < 0 && caster < 0) return
    const stand = density * (1 + 1.2 * mottle(x, y, 1 / 90))
    if (tree >= 0 && tree < stand) return shadeCrown(ink, level, at, tree, leaf, light)
    if (caster >= 0 && caster < stand) darken(ink, SHADE)
  }
}

function leafColour(colour: Colour, leaves: number): Float32Array {
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
