import { readFileSync } from 'node:fs'

/**
 * Pillow's `Image.resize` for 8-bit RGB, bit for bit: it defines OpenCLIP's preprocessing, and another bicubic (such as
 * libvips') changes similarities by up to 0.015. Rules from Pillow's `src/libImaging/Resample.c`: two passes, columns
 * first, with an 8-bit image in between; the kernel widens when shrinking; weights are fixed-point numbers.
 *
 * The passes are in pillow-resize.c: WebAssembly takes a fifth of the time of JavaScript, which would cost a tenth of the
 * time of ViT-B/32 on the same cores.
 */

/** Fractional bits of a weight: 32 minus 8 for the sample, minus 2 so that overshooting kernels don't overflow. */
const PRECISION_BITS = 32 - 8 - 2
const ONE = 2 ** PRECISION_BITS

interface Kernel {
  /** Half the kernel's width, in samples of the smaller image. */
  readonly support: number
  weight(distance: number): number
}

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI))

/** Keyed by `resample` in `preprocessor_config.json`: the numbers of `PIL.Image.Resampling`. */
export const KERNELS = {
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: (x) => cubic(Math.abs(x)) },
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
} satisfies Record<string, Kernel>

export type Interpolation = keyof typeof KERNELS

/** Keys' cubic with a = -0.5, factored as in Pillow so that all rounding is equal. */
function cubic(x: number): number {
  const a = -0.5
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a
  return 0
}

/** For every output sample of one axis: the start and number of its input samples, and their weights. */
export interface Weights {
  readonly starts: Int32Array
  readonly counts: Int32Array
  /** `taps` weights per output sample. */
  readonly weights: Int32Array
  readonly taps: number
}

/** Weights of `length` output samples starting at `from`, when `input` samples become `output`. */
export function weightsFor(input: number, output: number, kernel: Kernel, from: number, length: number): Weights {
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

/** Three bytes per pixel, row by row from the top. */
export interface RgbImage {
  readonly data: Uint8Array
  /** In pixels. */
  readonly width: number
  readonly height: number
}

/** A part of the resized image, in pixels. */
export interface Window {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/**
 * The part `window` of `image` resized to `width` x `height` pixels. Computing only that part changes no pixel of it, and
 * saves time, since CLIP sees only the middle square of a long image.
 */
export function resizeAsPillow(
  image: RgbImage,
  size: { readonly width: number; readonly height: number; readonly interpolation: Interpolation },
  window: Window,
): RgbImage {
  const kernel = KERNELS[size.interpolation]
  const horizontal = weightsFor(image.width, size.width, kernel, window.left, window.width)
  const vertical = weightsFor(image.height, size.height, kernel, window.top, window.height)
  const last = window.height - 1
  const firstRow = vertical.starts[0]!
  const rows = vertical.starts[last]! + vertical.counts[last]! - firstRow
  for (let i = 0; i < window.height; i++) vertical.starts[i]! -= firstRow

  // A side that keeps its length gets a single weight of 1 per sample; Pillow skips that pass.
  const [wide, narrow] = [image.width * 3, window.width * 3]
  const layout = layOut([
    wide * rows + MARGIN,
    narrow * rows + MARGIN,
    narrow * window.height + MARGIN,
    ...[horizontal, vertical].flatMap(({ starts, counts, weights }) =>
      [starts, counts, weights].map(({ byteLength }) => byteLength),
    ),
  ])
  const [source, between, result] = layout as [number, number, number]
  const bytes = new Uint8Array(memory.buffer)
  bytes.set(image.data.subarray(firstRow * wide, (firstRow + rows) * wide), source)
  const numbers = new Int32Array(memory.buffer)
  for (const [i, { starts, counts, weights }] of [horizontal, vertical].entries()) {
    for (const [j, values] of [starts, counts, weights].entries()) numbers.set(values, layout[3 + 3 * i + j]! / 4)
  }
  const tables = (i: number) => layout.slice(3 + 3 * i, 6 + 3 * i) as [number, number, number]
  passes.columns(source, image.width, rows, between, window.width, ...tables(0), horizontal.taps)
  passes.rows(between, narrow, result, window.height, ...tables(1), vertical.taps)
  return { data: bytes.slice(result, result + narrow * window.height), width: window.width, height: window.height }
}

/** Bytes beyond an image that the passes may access. */
const MARGIN = 16
const PAGE = 65_536
/** The first page belongs to the module. */
const memory = new WebAssembly.Memory({ initial: 2 })

interface Passes {
  columns(
    source: number,
    width: number,
    rows: number,
    result: number,
    newWidth: number,
    ...tables: [starts: number, counts: number, weights: number, taps: number]
  ): void
  rows(
    source: number,
    stride: number,
    result: number,
    newRows: number,
    ...tables: [starts: number, counts: number, weights: number, taps: number]
  ): void
}

const module = new WebAssembly.Module(readFileSync(new URL('./pillow-resize.wasm', import.meta.url)))
const passes = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Passes

/** Start addresses of consecutive parts with the given sizes; the memory grows to hold them, and never shrinks. */
function layOut(parts: readonly number[]): number[] {
  let end = PAGE
  const addresses = parts.map((length) => {
    const address = end
    end += Math.ceil(length / MARGIN) * MARGIN
    return address
  })
  const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE)
  if (missing > 0) memory.grow(missing)
  return addresses
}
