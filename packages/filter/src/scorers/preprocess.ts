import { DataFault } from '@skyscript/core'
import sharp from 'sharp'
import type { Preprocessing } from './model-folder.ts'

// Only what a dataset holds is decoded: every other loader is a surface for hostile files.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({ operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer'] })

/** 100 megapixels; the largest image of a dataset has one. */
const MAX_PIXELS = 1e8

/**
 * An image as CLIP's vision tower takes it: shorter side resized as Pillow's bicubic does, the middle cut out,
 * normalised, channel by channel (torchvision's Resize, CenterCrop and Normalize, which OpenCLIP uses).
 *
 * @param into 3 x crop x crop floats
 * @throws DataFault `unreadable-image`
 */
export async function imageToTensor(
  image: Uint8Array,
  { size, crop, mean, std }: Preprocessing,
  into: Float32Array,
): Promise<void> {
  const { data, width, height } = await decode(image)
  const [resizedWidth, resizedHeight] =
    width <= height ? [size, Math.trunc((size * height) / width)] : [Math.trunc((size * width) / height), size]
  const resized = resizeBicubic(data, width, height, resizedWidth, resizedHeight)
  // Python's round, which goes to the even neighbour at a half; a smaller image is padded with black.
  const left = roundHalfEven((resizedWidth - crop) / 2)
  const top = roundHalfEven((resizedHeight - crop) / 2)
  const plane = crop * crop
  for (let y = 0; y < crop; y++) {
    for (let x = 0; x < crop; x++) {
      const [column, row] = [x + left, y + top]
      const inside = column >= 0 && row >= 0 && column < resizedWidth && row < resizedHeight
      const from = (row * resizedWidth + column) * 3
      const to = y * crop + x
      for (let channel = 0; channel < 3; channel++) {
        into[channel * plane + to] = ((inside ? resized[from + channel]! : 0) / 255 - mean[channel]!) / std[channel]!
      }
    }
  }
}

async function decode(image: Uint8Array): Promise<{ data: Uint8Array; width: number; height: number }> {
  try {
    const { data, info } = await sharp(image, { failOn: 'warning', limitInputPixels: MAX_PIXELS })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true })
    if (info.channels === 3) return { data, width: info.width, height: info.height }
    throw new Error(`${info.channels} channels`)
  } catch (error) {
    throw new DataFault('unreadable-image', 'The image can not be decoded.', { cause: error })
  }
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  return value - floor === 0.5 ? floor + (floor % 2 === 0 ? 0 : 1) : Math.round(value)
}

/** Fixed-point digits of Pillow's 8-bit resampling: 32 bits less 8 of the value and 2 of headroom. */
const PRECISION_BITS = 22
const ONE = 2 ** PRECISION_BITS
/** Reach of the bicubic kernel, in pixels of the larger of the two images. */
const SUPPORT = 2

/** Pillow's bicubic: Keys' kernel with a = -0.5. */
function bicubic(distance: number): number {
  const x = Math.abs(distance)
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0
}

interface Weights {
  /** By output pixel: first input pixel and number of them. */
  readonly first: Int32Array
  readonly count: Int32Array
  /** `stride` weights for each output pixel, as fixed-point integers. */
  readonly values: Int32Array
  readonly stride: number
}

function weightsFor(from: number, to: number): Weights {
  const scale = from / to
  const stretch = Math.max(1, scale)
  const support = SUPPORT * stretch
  const stride = Math.ceil(support) * 2 + 1
  const [first, count, values] = [new Int32Array(to), new Int32Array(to), new Int32Array(to * stride)]
  const exact = new Float64Array(stride)
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale
    const low = Math.max(0, Math.trunc(center - support + 0.5))
    const high = Math.min(from, Math.trunc(center + support + 0.5))
    let sum = 0
    for (let j = low; j < high; j++) sum += exact[j - low] = bicubic((j - center + 0.5) * (1 / stretch))
    for (let j = 0; j < high - low; j++) {
      const weight = sum === 0 ? exact[j]! : exact[j]! / sum
      values[i * stride + j] = Math.trunc(weight * ONE + (weight < 0 ? -0.5 : 0.5))
    }
    first[i] = low
    count[i] = high - low
  }
  return { first, count, values, stride }
}

const clip8 = (sum: number): number => {
  const value = sum >> PRECISION_BITS
  return value < 0 ? 0 : value > 255 ? 255 : value
}

/**
 * Pillow's two-pass bicubic on 8-bit RGB, bit for bit (libImaging/Resample.c: rows first, rounded to bytes between the
 * passes). Other libraries' cubic differs by up to 0.015 in the cosine.
 */
export function resizeBicubic(
  data: Uint8Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
): Uint8Array {
  const wide = toWidth === width ? data : resizeRows(data, width, height, toWidth)
  return toHeight === height ? wide : resizeColumns(wide, toWidth, height, toHeight)
}

function resizeRows(data: Uint8Array, width: number, height: number, toWidth: number): Uint8Array {
  const { first, count, values, stride } = weightsFor(width, toWidth)
  const out = new Uint8Array(toWidth * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < toWidth; x++) {
      let [red, green, blue] = [ONE / 2, ONE / 2, ONE / 2]
      let from = (y * width + first[x]!) * 3
      for (let j = 0, at = x * stride; j < count[x]!; j++, at++, from += 3) {
        const weight = values[at]!
        red += data[from]! * weight
        green += data[from + 1]! * weight
        blue += data[from + 2]! * weight
      }
      const to = (y * toWidth + x) * 3
      out[to] = clip8(red)
      out[to + 1] = clip8(green)
      out[to + 2] = clip8(blue)
    }
  }
  return out
}

function resizeColumns(data: Uint8Array, width: number, height: number, toHeight: number): Uint8Array {
  const { first, count, values, stride } = weightsFor(height, toHeight)
  const row = width * 3
  const out = new Uint8Array(row * toHeight)
  const sums = new Int32Array(row)
  for (let y = 0; y < toHeight; y++) {
    sums.fill(ONE / 2)
    for (let j = 0; j < count[y]!; j++) {
      const weight = values[y * stride + j]!
      const from = (first[y]! + j) * row
      for (let i = 0; i < row; i++) sums[i]! += data[from + i]! * weight
    }
    for (let i = 0; i < row; i++) out[y * row + i] = clip8(sums[i]!)
  }
  return out
}
