import { type CanopyLevel, canopyIndex, canopyLevel } from './canopy.ts'
import type { Ink } from './canvas.ts'
import type { Light } from './light.ts'
import { mottle } from './noise.ts'

/** Fewer metres per pixel than this show trees one by one. */
const SINGLE_TREES_GSD = 1.6

type Colour = readonly [red: number, green: number, blue: number, infrared: number]

const BROAD_LEAVES: Colour = [74, 104, 52, 190]
const NEEDLES: Colour = [44, 70, 50, 120]
const BARE_TREES = [104, 90, 74] as const
const TREE_METRES = 5
const SHADE = 0.58

/** Puts trees over what the ink holds. */
export type TreeCover = (ink: Ink, x: number, y: number) => void

/** Crown by crown where crowns show, else a blend of leaves and ground. `density` 1 is a closed wood. */
export function treeCover(
  kind: 'broad' | 'needle' | 'mixed',
  density: number,
  scale: number,
  light: Light,
  gsd: number,
): TreeCover {
  const level = canopyLevel(density < 1 ? 'scattered' : kind === 'needle' ? 'needle' : 'broad', gsd / scale)
  const leaf = leafColour(kind === 'needle' ? NEEDLES : BROAD_LEAVES, kind === 'needle' ? 1 : light.leaves)
  const needle = kind === 'mixed' ? leafColour(NEEDLES, 1) : leaf
  if (gsd / scale >= SINGLE_TREES_GSD) return blendedTrees(level, density, leaf, needle, light)
  return density < 1
    ? scatteredTrees(level, density, scale, leaf, light)
    : closedWood(level, scale, leaf, needle, light)
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
  scale: number,
  leaf: Float32Array,
  needle: Float32Array,
  light: Light,
): TreeCover {
  const mixed = needle !== leaf
  return (ink, x, y) => {
    const at = canopyIndex(level, x / scale, y / scale)
    const tree = level.tree[at]!
    if (tree < 0) return
    shadeCrown(ink, level, at, tree, mixed && mottle(x, y, 1 / 70) + tree > 0.68 ? needle : leaf, light)
  }
}

/** Trees apart from each other, in groups, each with its shadow. */
function scatteredTrees(
  level: CanopyLevel,
  density: number,
  scale: number,
  leaf: Float32Array,
  light: Light,
): TreeCover {
  const reach = light.shadow * TREE_METRES * 0.6
  const [castX, castY] = [light.sunX * reach, light.sunY * reach]
  return (ink, x, y) => {
    const at = canopyIndex(level, x / scale, y / scale)
    const tree = level.tree[at]!
    const caster = level.tree[canopyIndex(level, x / scale + castX, y / scale + castY)]!
    if (tree < 0 && caster < 0) return
    const stand = density * (1 + 1.2 * mottle(x, y, 1 / 90))
    if (tree >= 0 && tree < stand) return shadeCrown(ink, level, at, tree, leaf, light)
    if (caster >= 0 && caster < stand) for (let i = 0; i < 4; i++) ink[i]! *= SHADE
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
