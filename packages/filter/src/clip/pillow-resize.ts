/**
 * Pillow's `Image.resize` for 8-bit RGB, bit for bit: OpenCLIP's preprocessing is defined by it, and another bicubic
 * (libvips' for one) moves similarities by up to 0.015. Rules from Pillow's `src/libImaging/Resample.c`: two passes,
 * columns first, with an 8-bit image between; the kernel widens when shrinking; weights are fixed-point numbers.
 */

/** Bits after the point of a weight: 32 minus 8 for the sample, minus 2 so that overshooting kernels don't overflow. */
const PRECISION_BITS = 32 - 8 - 2
const ONE = 2 ** PRECISION_BITS
const HALF = 2 ** (PRECISION_BITS - 1)

interface Kernel {
  /** Half its width, in samples of the smaller image. */
  readonly support: number
  weight(distance: number): number
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI))

/** Names as in `preprocessor_config.json`'s `resample`: the numbers of `PIL.Image.Resampling`. */
const KERNELS = {
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: (x) => cubic(Math.abs(x)) },
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
} satisfies Record<string, Kernel>

export type Interpolation = keyof typeof KERNELS

/** Keys' cubic with a = -0.5, factored as in Pillow so that every rounding is the same. */
function cubic(x: number): number {
  const a = -0.5
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a
  return 0
}

/** For every output sample of one axis: where its input samples start, how many they are, and their weights. */
interface Weights {
  readonly starts: Int32Array
  readonly counts: Int32Array
  /** `taps` weights for each output sample. */
  readonly weights: Int32Array
  readonly taps: number
}

/** Weights of the output samples from `from` on, `length` of them, when `input` samples become `output`. */
function weightsFor(input: number, output: number, kernel: Kernel, from: number, length: number): Weights {
  const scale = input / output
  const filterScale = Math.max(scale, 1)
  const support = kernel.support * filterScale
  const inverse = 1 / filterScale
  const taps = Math.ceil(support) * 2 + 1
  const starts = new Int32Array(length)
  const counts = new Int32Array(length)
  const weights = new Int32Array(length * taps)
  const exact = new Float64Array(taps)
  for (let i = 0; i < length; i++) {
    const center = (from + i + 0.5) * scale
    const start = Math.max(0, Math.trunc(center - support + 0.5))
    const count = Math.min(input, Math.trunc(center + support + 0.5)) - start
    let sum = 0
    for (let tap = 0; tap < count; tap++) {
      const weight = kernel.weight((tap + start - center + 0.5) * inverse)
      exact[tap] = weight
      sum += weight
    }
    for (let tap = 0; tap < count; tap++) {
      const weight = sum === 0 ? exact[tap]! : exact[tap]! / sum
      weights[i * taps + tap] = Math.trunc((weight < 0 ? -0.5 : 0.5) + weight * ONE)
    }
    starts[i] = start
    counts[i] = count
  }
  return { starts, counts, weights, taps }
}

/** Three bytes a pixel, row by row from the top. */
export interface RgbImage {
  readonly data: Uint8Array
  /** Pixels. */
  readonly width: number
  readonly height: number
}

/** A part of the resized image, in its pixels. */
export interface Window {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/**
 * The part `window` of `image` resized to `width` x `height` pixels. Only that part is worked out, which changes no
 * pixel of it: of a long image CLIP sees the middle square.
 */
export function resizeAsPillow(
  image: RgbImage,
  size: { readonly width: number; readonly height: number; readonly interpolation: Interpolation },
  window: Window,
): RgbImage {
  const kernel = KERNELS[size.interpolation]
  if (size.height === image.height) return resizeColumns(image, size.width, kernel, window, window.top, window.height)
  const vertical = weightsFor(image.height, size.height, kernel, window.top, window.height)
  const last = window.height - 1
  const firstRow = vertical.starts[0]!
  const rows = vertical.starts[last]! + vertical.counts[last]! - firstRow
  const narrow = resizeColumns(image, size.width, kernel, window, firstRow, rows)
  for (let i = 0; i < window.height; i++) vertical.starts[i]! -= firstRow
  return resizeRows(narrow, vertical)
}

function resizeColumns(
  { data, width }: RgbImage,
  newWidth: number,
  kernel: Kernel,
  window: Window,
  firstRow: number,
  rows: number,
): RgbImage {
  const out = new Uint8Array(window.width * rows * 3)
  if (newWidth === width) {
    for (let y = 0; y < rows; y++) {
      const start = ((firstRow + y) * width + window.left) * 3
      out.set(data.subarray(start, start + window.width * 3), y * window.width * 3)
    }
    return { data: out, width: window.width, height: rows }
  }
  const { starts, counts, weights, taps } = weightsFor(width, newWidth, kernel, window.left, window.width)
  let at = 0
  for (let y = 0; y < rows; y++) {
    const row = (firstRow + y) * width * 3
    for (let x = 0; x < window.width; x++) {
      let pixel = row + starts[x]! * 3
      let weight = x * taps
      const end = weight + counts[x]!
      let [red, green, blue] = [HALF, HALF, HALF]
      for (; weight < end; weight++, pixel += 3) {
        const k = weights[weight]!
        red += data[pixel]! * k
        green += data[pixel + 1]! * k
        blue += data[pixel + 2]! * k
      }
      out[at++] = clip(red >> PRECISION_BITS)
      out[at++] = clip(green >> PRECISION_BITS)
      out[at++] = clip(blue >> PRECISION_BITS)
    }
  }
  return { data: out, width: window.width, height: rows }
}

function resizeRows({ data, width }: RgbImage, { starts, counts, weights, taps }: Weights): RgbImage {
  const height = starts.length
  const stride = width * 3
  const out = new Uint8Array(stride * height)
  const sums = new Int32Array(stride)
  for (let y = 0; y < height; y++) {
    sums.fill(HALF)
    for (let tap = 0; tap < counts[y]!; tap++) {
      const k = weights[y * taps + tap]!
      const row = (starts[y]! + tap) * stride
      for (let x = 0; x < stride; x++) sums[x]! += data[row + x]! * k
    }
    for (let x = 0; x < stride; x++) out[y * stride + x] = clip(sums[x]! >> PRECISION_BITS)
  }
  return { data: out, width, height }
}

const clip = (value: number) => Math.max(0, Math.min(255, value))
