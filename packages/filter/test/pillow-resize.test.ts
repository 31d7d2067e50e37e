// @module-tag slow
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Interpolation,
  KERNELS,
  type RgbImage,
  resizeAsPillow,
  type Weights,
  type Window,
  weightsFor,
} from '../src/clip/pillow-resize.ts'

/** One pass along lines of samples, `step` apart, like Pillow's C code: fixed-point sums, halves rounded up, clipped. */
function pass(from: Uint8Array, { starts, counts, weights, taps }: Weights, line: number, step: number): number[] {
  return Array.from(starts, (start, i) => {
    let sum = 1 << 21
    for (let tap = 0; tap < counts[i]!; tap++) sum += from[line + (start + tap) * step]! * weights[i * taps + tap]!
    return Math.max(0, Math.min(255, sum >> 22))
  })
}

/** Resizes the whole image in plain JavaScript, columns first, then takes the window. */
function resizedPlainly(image: RgbImage, width: number, height: number, kind: Interpolation, window: Window): number[] {
  const across = weightsFor(image.width, width, KERNELS[kind], 0, width)
  const down = weightsFor(image.height, height, KERNELS[kind], 0, height)
  const narrow = new Uint8Array(width * image.height * 3)
  for (let y = 0; y < image.height; y++) {
    for (let c = 0; c < 3; c++) {
      const row = pass(image.data, across, y * image.width * 3 + c, 3)
      for (const [x, value] of row.entries()) narrow[(y * width + x) * 3 + c] = value
    }
  }
  const columns = Array.from({ length: width * 3 }, (_, x) => pass(narrow, down, x, width * 3))
  const seen: number[] = []
  for (let y = window.top; y < window.top + window.height; y++) {
    for (let x = window.left * 3; x < (window.left + window.width) * 3; x++) seen.push(columns[x]![y]!)
  }
  return seen
}

const side = fc.integer({ min: 1, max: 70 })
const sizes = fc.record({ width: side, height: side, newWidth: side, newHeight: side })

test('the result equals the plain implementation for every size, kernel and window', () => {
  fc.assert(
    fc.property(sizes, fc.constantFrom(...(Object.keys(KERNELS) as Interpolation[])), fc.nat(), (size, kind, seed) => {
      const { width, height, newWidth, newHeight } = size
      // Adjacent black and white pixels make kernels overshoot.
      const data = Uint8Array.from({ length: width * height * 3 }, (_, i) =>
        ((i * 2_654_435_761 + seed) >>> 13) % 3 === 0
          ? 0
          : ((i * 40_503 + seed) >>> 3) % 3 === 0
            ? 255
            : (i * seed) % 256,
      )
      const window = {
        left: seed % newWidth,
        top: (seed >> 3) % newHeight,
        width: newWidth - (seed % newWidth),
        height: newHeight - ((seed >> 3) % newHeight),
      }
      const target = { width: newWidth, height: newHeight, interpolation: kind }
      const made = resizeAsPillow({ data, width, height }, target, window)
      expect([made.width, made.height]).toEqual([window.width, window.height])
      expect([...made.data]).toEqual(resizedPlainly({ data, width, height }, newWidth, newHeight, kind, window))
    }),
    { numRuns: 200 },
  )
})

test('resizing a large image after a small one, or a small one after a large one, changes neither', () => {
  const plain = (width: number, height: number) => ({
    data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 31) % 251),
    width,
    height,
  })
  const half = (image: RgbImage) => {
    const size = { width: image.width >> 1, height: image.height >> 1 }
    return resizeAsPillow(image, { ...size, interpolation: 'bicubic' }, { left: 0, top: 0, ...size }).data
  }
  const [small, large] = [plain(40, 30), plain(3000, 2000)]
  const first = half(small)
  const alone = half(large)
  expect(half(small)).toEqual(first)
  expect(half(large)).toEqual(alone)
})
