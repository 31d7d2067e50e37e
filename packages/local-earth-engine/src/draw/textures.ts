import { fraction2, hashText } from '../hash.ts'

/**
 * Tables of noise, made once and repeated over the Earth, that give ground, leaves and water their texture. All are
 * sampled by position in metres, so that a place looks the same in every window.
 */

const SIZE = 512
const MASK = SIZE - 1
/** Texels of the longest wave in the fractal table. */
const LONGEST = 64

const fractalTable = makeFractal(hashText('fractal'))
const whiteTable = makeWhite(hashText('white'))

/** Grain of one native pixel, -1 to 1, the same for the same pixel of the Earth. */
export function grain(column: number, row: number): number {
  return whiteTable[((row & MASK) * SIZE + (column & MASK)) | 0]!
}

/** Soft patches of all sizes up to `1 / frequency` metres, about -1 to 1. */
export function mottle(x: number, y: number, frequency: number): number {
  const u = x * frequency * LONGEST
  const v = y * frequency * LONGEST
  const [floorU, floorV] = [Math.floor(u), Math.floor(v)]
  const [du, dv] = [u - floorU, v - floorV]
  const [u0, v0] = [floorU & MASK, (floorV & MASK) * SIZE]
  const [u1, v1] = [(floorU + 1) & MASK, ((floorV + 1) & MASK) * SIZE]
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
export interface Canopy {
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

/** Broad crowns of 4 to 9 m that close, and needle trees of 3 to 5 m with pointed tops. */
export const BROAD = makeCanopy(hashText('broad'), 20, 0.78, 'round')
export const NEEDLE = makeCanopy(hashText('needle'), 30, 0.66, 'pointed')

export function canopyLevel({ levels }: Canopy, gsd: number): CanopyLevel {
  const level = Math.round(Math.log2(Math.max(1, gsd * FINEST_TEXELS)))
  return levels[Math.min(level, levels.length - 1)]!
}

/** Index of a position in a level's tables. */
export function canopyIndex({ size, texelsPerMetre }: CanopyLevel, x: number, y: number): number {
  const column = Math.floor(x * texelsPerMetre) & (size - 1)
  const row = Math.floor(y * texelsPerMetre) & (size - 1)
  return row * size + column
}

function makeCanopy(seed: number, cells: number, reach: number, top: 'round' | 'pointed'): Canopy {
  const size = CANOPY_METRES * FINEST_TEXELS
  const [slopeX, slopeY, height, tree] = [0, 1, 2, 3].map(() => new Float32Array(size * size)) as [Float32Array, Float32Array, Float32Array, Float32Array]
  const cell = size / cells
  const crowns = Array.from({ length: cells * cells }, (_, i) => ({
    x: (fraction2(seed, i, 1) * 0.8 + 0.1) * cell,
    y: (fraction2(seed, i, 2) * 0.8 + 0.1) * cell,
    radius: cell * reach * (0.6 + 0.55 * fraction2(seed, i, 3)),
    which: fraction2(seed, i, 4),
  }))
  tree.fill(-1)
  for (let row = 0; row < cells; row++) {
    for (let column = 0; column < cells; column++) {
      const { x, y, radius, which } = crowns[row * cells + column]!
      const [centerX, centerY] = [column * cell + x, row * cell + y]
      const reached = Math.ceil(radius)
      for (let dy = -reached; dy <= reached; dy++) {
        for (let dx = -reached; dx <= reached; dx++) {
          const [px, py] = [Math.floor(centerX) + dx, Math.floor(centerY) + dy]
          // Edges of crowns are ragged.
          const ragged = 1 + 0.16 * mottle(px / 8, py / 8, 1 / 6)
          const distance = Math.hypot(px - centerX, py - centerY) / (radius * ragged)
          if (distance >= 1) continue
          const at = (py & (size - 1)) * size + (px & (size - 1))
          const lift = (top === 'round' ? Math.sqrt(1 - distance * distance) : 1 - distance) * (0.75 + 0.25 * which)
          if (lift <= height[at]!) continue
          height[at] = lift
          const steep = top === 'round' ? distance : 0.8
          const rough = 0.35 * mottle(px / 8, py / 8, 1 / 3)
          slopeX[at] = distance === 0 ? 0 : ((px - centerX) / radius / distance) * steep + rough
          slopeY[at] = distance === 0 ? 0 : ((py - centerY) / radius / distance) * steep - rough
          tree[at] = which
        }
      }
    }
  }
  const levels: CanopyLevel[] = [{ size, texelsPerMetre: FINEST_TEXELS, slopeX, slopeY, height, tree }]
  for (let level = 1; level < LEVELS; level++) levels.push(halved(levels.at(-1)!))
  return { levels }
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
  return { size: half, texelsPerMetre: texelsPerMetre / 2, slopeX: shrink(slopeX), slopeY: shrink(slopeY), height: shrink(height), tree: shrink(tree) }
}

/** Values of the fractal table in order, every 64th. */
const ranked = Float32Array.from({ length: fractalTable.length / 64 }, (_, i) => fractalTable[i * 64 + ((i * 7) % 64)]!).sort()

/** The value that `mottle` exceeds on a share of the Earth. */
export function mottleAbove(share: number): number {
  const rank = Math.round((1 - Math.max(0, Math.min(1, share))) * (ranked.length - 1))
  return ranked[rank]!
}
