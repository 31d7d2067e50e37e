import { fraction2, hashText } from '../hash.ts'

/**
 * Tables of noise, repeated over the Earth, that give ground, leaves and water their texture. All are sampled by position
 * in metres, so that a place looks the same in every window. Each is made when it is first needed: together they take most
 * of a second and 70 MB.
 */

const SIZE = 512
const MASK = SIZE - 1
/** Texels of the longest wave in the fractal table. */
const LONGEST = 64

let fractalTable: Float32Array | undefined
let whiteTable: Float32Array | undefined

/** Grain of one native pixel, -1 to 1, the same for the same pixel of the Earth. */
export function grain(column: number, row: number): number {
  whiteTable ??= makeWhite(hashText('white'))
  return whiteTable[((row & MASK) * SIZE + (column & MASK)) | 0]!
}

/** Soft patches of all sizes up to `1 / frequency` metres, about -1 to 1. */
export function mottle(x: number, y: number, frequency: number): number {
  fractalTable ??= makeFractal(hashText('fractal'))
  const u = x * frequency * LONGEST
  const v = y * frequency * LONGEST
  const floorU = Math.floor(u)
  const floorV = Math.floor(v)
  const du = u - floorU
  const dv = v - floorV
  const u0 = floorU & MASK
  const u1 = (floorU + 1) & MASK
  const v0 = (floorV & MASK) * SIZE
  const v1 = ((floorV + 1) & MASK) * SIZE
  const above = fractalTable[v0 + u0]! * (1 - du) + fractalTable[v0 + u1]! * du
  const below = fractalTable[v1 + u0]! * (1 - du) + fractalTable[v1 + u1]! * du
  return above * (1 - dv) + below * dv
}

function makeWhite(seed: number): Float32Array {
  const table = new Float32Array(SIZE * SIZE)
  for (let i = 0; i < table.length; i++) table[i] = fraction2(seed, i, 1) + fraction2(seed, i, 2) - 1
  return table
}

function makeFractal(seed: number): Float32Array {
  const table = new Float32Array(SIZE * SIZE)
  let weight = 0.5
  for (let wave = LONGEST; wave >= 2; wave /= 2, weight *= 0.62) {
    const cells = SIZE / wave
    const knots = Float32Array.from({ length: cells * cells }, (_, i) => fraction2(seed, wave, i) * 2 - 1)
    for (let y = 0; y < SIZE; y++) {
      const row = Math.floor(y / wave)
      const dy = smooth(y / wave - row)
      const [r0, r1] = [row * cells, ((row + 1) % cells) * cells]
      for (let x = 0; x < SIZE; x++) {
        const column = Math.floor(x / wave)
        const dx = smooth(x / wave - column)
        const next = (column + 1) % cells
        const above = knots[r0 + column]! * (1 - dx) + knots[r0 + next]! * dx
        const below = knots[r1 + column]! * (1 - dx) + knots[r1 + next]! * dx
        table[y * SIZE + x]! += weight * (above * (1 - dy) + below * dy)
      }
    }
  }
  return table
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t)
}

/** Crowns of a wood seen from above, one texel per 1/8 m at level 0, half as fine at each level after it. */
interface Canopy {
  readonly levels: readonly CanopyLevel[]
}

export interface CanopyLevel {
  readonly size: number
  readonly texelsPerMetre: number
  /** East and south slope of the crown's surface, -1 to 1: what faces the sun is bright. */
  readonly slopeX: Float32Array
  readonly slopeY: Float32Array
  /** 0 in the gaps between crowns, 1 on top. */
  readonly height: Float32Array
  /** Which tree it is, as a number 0 to 1 that thins out and tints; below 0 there is none. */
  readonly tree: Float32Array
}

const CANOPY_METRES = 128
const FINEST_TEXELS = 8
const LEVELS = 8

/** Broad crowns of 4 to 9 m that close, needle trees of 3 to 5 m with pointed tops, and broad crowns that stand apart. */
const CANOPIES = {
  broad: { cells: 20, reach: 0.78, top: 'round', apart: false },
  needle: { cells: 30, reach: 0.66, top: 'pointed', apart: false },
  scattered: { cells: 15, reach: 0.42, top: 'round', apart: true },
} as const satisfies Record<string, CanopySettings>

export type CanopyKind = keyof typeof CANOPIES

const canopies = new Map<CanopyKind, Canopy>()

/** A canopy's tables for images of a GSD in metres. */
export function canopyLevel(kind: CanopyKind, gsd: number): CanopyLevel {
  const canopy = canopies.get(kind) ?? makeCanopy(hashText(kind), CANOPIES[kind])
  canopies.set(kind, canopy)
  const { levels } = canopy
  const level = Math.round(Math.log2(Math.max(1, gsd * FINEST_TEXELS)))
  return levels[Math.min(level, levels.length - 1)]!
}

/** Index of a position in a level's tables. */
export function canopyIndex({ size, texelsPerMetre }: CanopyLevel, x: number, y: number): number {
  const column = Math.floor(x * texelsPerMetre) & (size - 1)
  const row = Math.floor(y * texelsPerMetre) & (size - 1)
  return row * size + column
}

interface CanopySettings {
  /** Trees a side of the table, each in a cell of its own. */
  readonly cells: number
  /** Mean radius of a crown in cells. */
  readonly reach: number
  readonly top: 'round' | 'pointed'
  /** Whether crowns stay within their cells, so that each is whole when others are left out. */
  readonly apart: boolean
}

function makeCanopy(seed: number, { cells, reach, top, apart }: CanopySettings): Canopy {
  const size = CANOPY_METRES * FINEST_TEXELS
  const table = (): Float32Array => new Float32Array(size * size)
  const level: CanopyLevel = {
    size,
    texelsPerMetre: FINEST_TEXELS,
    slopeX: table(),
    slopeY: table(),
    height: table(),
    tree: table().fill(-1),
  }
  const cell = size / cells
  for (let row = 0; row < cells; row++) {
    for (let column = 0; column < cells; column++) {
      const i = row * cells + column
      const radius = cell * reach * (apart ? 0.55 + 0.6 * fraction2(seed, i, 3) : 0.6 + 0.55 * fraction2(seed, i, 3))
      const room = apart ? Math.max(0, 1 - (2.2 * radius) / cell) : 0.8
      const x = (column + 0.5 + (fraction2(seed, i, 1) - 0.5) * room) * cell
      const y = (row + 0.5 + (fraction2(seed, i, 2) - 0.5) * room) * cell
      growCrown(level, x, y, radius, top, fraction2(seed, i, 4))
    }
  }
  const levels = [level]
  for (let i = 1; i < LEVELS; i++) levels.push(halved(levels.at(-1)!))
  return { levels }
}

/** Adds a crown to a table where it rises above the others. */
function growCrown(
  { size, slopeX, slopeY, height, tree }: CanopyLevel,
  x: number,
  y: number,
  radius: number,
  top: 'round' | 'pointed',
  which: number,
): void {
  const reached = Math.ceil(radius * 1.1)
  for (let dy = -reached; dy <= reached; dy++) {
    for (let dx = -reached; dx <= reached; dx++) {
      if (dx * dx + dy * dy > reached * reached) continue
      const px = Math.floor(x) + dx
      const py = Math.floor(y) + dy
      const rough = mottle(px / 8, py / 8, 1 / 4)
      // Edges of crowns are ragged.
      const distance = Math.hypot(px - x, py - y) / (radius * (1 + 0.14 * rough))
      if (distance >= 1) continue
      const at = (py & (size - 1)) * size + (px & (size - 1))
      const lift = (top === 'round' ? Math.sqrt(1 - distance * distance) : 1 - distance) * (0.75 + 0.25 * which)
      if (lift <= height[at]!) continue
      height[at] = lift
      const steep = top === 'round' ? distance : 0.8
      const outward = distance === 0 ? 0 : steep / radius / distance
      slopeX[at] = (px - x) * outward + 0.35 * rough
      slopeY[at] = (py - y) * outward - 0.35 * rough
      tree[at] = which
    }
  }
}

function halved({ size, texelsPerMetre, slopeX, slopeY, height, tree }: CanopyLevel): CanopyLevel {
  const half = size / 2
  const shrink = (table: Float32Array) => {
    const smaller = new Float32Array(half * half)
    for (let y = 0; y < half; y++) {
      for (let x = 0; x < half; x++) {
        const at = 2 * y * size + 2 * x
        smaller[y * half + x] = (table[at]! + table[at + 1]! + table[at + size]! + table[at + size + 1]!) / 4
      }
    }
    return smaller
  }
  return {
    size: half,
    texelsPerMetre: texelsPerMetre / 2,
    slopeX: shrink(slopeX),
    slopeY: shrink(slopeY),
    height: shrink(height),
    tree: shrink(tree),
  }
}

let ranked: Float32Array | undefined

/** The value that `mottle` exceeds on a share of the Earth. */
export function mottleAbove(share: number): number {
  ranked ??= rankedValues()
  const rank = Math.round((1 - Math.max(0, Math.min(1, share))) * (ranked.length - 1))
  return ranked[rank]!
}

/** Values of the fractal table in order, every 64th. */
function rankedValues(): Float32Array {
  const table = (fractalTable ??= makeFractal(hashText('fractal')))
  return Float32Array.from({ length: table.length / 64 }, (_, i) => table[i * 64 + ((i * 7) % 64)]!).sort()
}
