import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { enlargementOf } from '../src/enlargement.ts'
import { measurePixels, pixelFault } from '../src/pixel-checks.ts'
import { CHECKS } from './set-up.ts'

/** A generator of numbers in [0, 1). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Smooth noise about 0, of which each octave has `persistence` of the amplitude of the coarser one before. */
function terrain(side: number, seed: number, persistence: number, finest: number): Float32Array {
  const values = new Float32Array(side * side)
  const next = random(seed)
  for (let cell = 128, amplitude = 1; cell >= finest; cell /= 2, amplitude *= persistence) {
    const across = Math.ceil(side / cell) + 2
    const corners = Float32Array.from({ length: across * across }, () => (next() - 0.5) * amplitude)
    for (let y = 0; y < side; y++) {
      const [row, v] = [Math.floor(y / cell), (y / cell) % 1]
      for (let x = 0; x < side; x++) {
        const [column, u] = [Math.floor(x / cell), (x / cell) % 1]
        const at = row * across + column
        const upper = corners[at]! * (1 - u) + corners[at + 1]! * u
        const lower = corners[at + across]! * (1 - u) + corners[at + across + 1]! * u
        values[y * side + x]! += upper * (1 - v) + lower * v
      }
    }
  }
  return values
}

type Ground = 'town' | 'fields' | 'water' | 'snow'

/** What a camera sees of a place: ground, roofs and shadows with sharp edges, and the noise of its sensor. */
function ground(kind: Ground, side: number, seed: number): Buffer {
  const next = random(seed * 7 + 1)
  const values = terrain(side, seed, kind === 'water' ? 0.75 : 0.6, 1)
  const contrast = { town: 60, fields: 26, water: 12, snow: 14 }[kind]
  const level = { town: 110, fields: 120, water: 60, snow: 205 }[kind]
  for (let i = 0; i < values.length; i++) values[i] = level + contrast * values[i]!
  const things = { town: (side * side) / 200, fields: 5, water: 0, snow: 0 }[kind]
  for (let n = 0; n < things; n++) {
    const [x, y] = [Math.floor(next() * side), Math.floor(next() * side)]
    const long = kind === 'fields' ? side / 2 : 40
    const [w, h] = [8 + next() * long, 8 + next() * long]
    const change = (next() - 0.5) * (kind === 'fields' ? 50 : 160)
    for (let row = y; row < Math.min(side, y + h); row++)
      for (let column = x; column < Math.min(side, x + w); column++) values[row * side + column]! += change
  }
  const noise = kind === 'town' ? 3 : 2
  return Buffer.from(
    Uint8ClampedArray.from({ length: side * side * 3 }, (_, i) => {
      const sensor = (next() + next() + next() - 1.5) * noise
      return values[Math.floor(i / 3)]! * [0.95, 1, 0.85][i % 3]! + sensor
    }),
  )
}

const picture = (data: Buffer, side: number) => sharp(data, { raw: { width: side, height: side, channels: 3 } })

/** As it comes from a service, as JPEG of a quality or as PNG (null): red, green, blue and state. */
async function served(data: Buffer, side: number, quality: number | null): Promise<Buffer> {
  const image = picture(data, side)
  const file = await (quality === null ? image.png() : image.jpeg({ quality })).toBuffer()
  return sharp(file).ensureAlpha().raw().toBuffer()
}

const SIDE = 304
const KERNELS = ['nearest', 'linear', 'cubic'] as const

describe('an enlarged image', () => {
  test('is noticed, whatever the method, and its factor is found', async () => {
    for (const factor of [2, 4, 8])
      for (const kernel of KERNELS)
        for (const quality of [null, 90, 75]) {
          const side = SIDE / factor
          const coarse = ground('town', side, factor)
          const fine = await picture(coarse, side).resize(SIDE, SIDE, { kernel }).raw().toBuffer()
          const found = enlargementOf(await served(fine, SIDE, quality), SIDE)
          // Under JPEG's blocks of 8 pixels little is left to tell 4 from 8.
          if (factor === 8 && quality !== null) expect(found, `${kernel} ${quality}`).toBeGreaterThanOrEqual(2)
          else expect(found, `${factor} times, ${kernel}, ${quality ?? 'PNG'}`).toBe(factor)
        }
  })

  test.each(['town', 'fields', 'water', 'snow'] as const)('is not taken for one where it is %s', async (kind) => {
    for (const side of [304, 200, 120])
      for (let seed = 1; seed <= 3; seed++) {
        const seen = ground(kind, side, seed)
        for (const quality of [null, 90, 75, 60])
          expect(enlargementOf(await served(seen, side, quality), side), `${side} ${seed} ${quality}`).toBe(1)
      }
  })

  test('is not taken for one where it shows waves, of whatever lengths', () => {
    for (const length of [1.5, 2, 3, 5, 8, 13, 21]) {
      const waves = (x: number, y: number) =>
        128 + 50 * Math.sin(x / length) * Math.cos(y / (1.3 * length)) + 30 * Math.sin((x + y) / (2.7 * length))
      const pixels = Buffer.alloc(SIDE * SIDE * 4)
      for (let i = 0; i < SIDE * SIDE; i++) pixels.fill(waves(i % SIDE, Math.floor(i / SIDE)), i * 4, i * 4 + 4)
      expect(enlargementOf(pixels, SIDE), String(length)).toBe(1)
    }
  })

  test('can’t be told where there is nothing to see, or too little', async () => {
    const flat = Buffer.alloc(SIDE * SIDE * 4, 90)
    expect(enlargementOf(flat, SIDE)).toBe(1)
    const slope = Buffer.from(Array.from({ length: SIDE * SIDE * 4 }, (_, i) => 60 + Math.floor(((i >> 2) % SIDE) / 4)))
    expect(enlargementOf(slope, SIDE)).toBe(1)
    const small = await served(await picture(ground('town', 20, 1), 20).resize(40, 40, { kernel: 'cubic' }).raw().toBuffer(), 40, null) // biome-ignore format: one line
    expect(enlargementOf(small, 40)).toBe(1)
  })

  test('is left out by its factor, of services only', async () => {
    const fine = await picture(ground('town', SIDE / 4, 1), SIDE / 4).resize(SIDE, SIDE, { kernel: 'linear' }).raw().toBuffer() // biome-ignore format: one line
    const pixels = await served(fine, SIDE, null)
    const measures = measurePixels(pixels, SIDE, { kind: 'tiles', cloudBrightness: null })
    expect(measures.enlarged).toBe(4)
    expect(pixelFault(measures, CHECKS)).toBe('image-enlarged')
    expect(pixelFault(measures, { ...CHECKS, maxEnlarged: 4 })).toBeNull()
    const file = measurePixels(pixels, SIDE, { kind: 'cog', cloudBrightness: null })
    expect(file).not.toHaveProperty('enlarged')
    expect(pixelFault(file, CHECKS)).toBeNull()
  })
})
