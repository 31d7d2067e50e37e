import { fraction2, hashText } from './hash.ts'

/**
 * Tables of noise, repeated over the Earth, that give ground, leaves and water their texture. They are sampled by position
 * in metres, so that a place looks the same in every window.
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

/** Values of the fractal table in order, every 64th. */
const ranked = Float32Array.from(
  { length: fractalTable.length / 64 },
  (_, i) => fractalTable[i * 64 + ((i * 7) % 64)]!,
).sort()

/** The value that `mottle` exceeds on a share of the Earth. */
export function mottleAbove(share: number): number {
  const rank = Math.round((1 - Math.max(0, Math.min(1, share))) * (ranked.length - 1))
  return ranked[rank]!
}
