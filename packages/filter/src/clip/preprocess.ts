import { DataFault, InputError } from '@skyscript/core'
import sharp, { type Sharp } from 'sharp'
import { type PillowMode, pillowMode, rgbOfCmyk, rgbOfGrey16 } from './pillow-modes.ts'
import { type RgbImage, resizeAsPillow } from './pillow-resize.ts'
import type { Preprocessing } from './preprocessor-config.ts'

/** Raise with every change to samples: scores stored with another version are not reused. */
export const PREPROCESSING_VERSION = 2

/** The settings allow images up to 10,000 pixels a side; a decompression bomb is refused by its header. */
const LARGEST_IMAGE_PIXELS = 10_000 * 10_000

// The network only ever delivers JPEG or PNG, and every other decoder is attack surface. The decoders are blocked one by
// one, because the block applies to the whole process: blocking all and unblocking two would leave a moment in which
// another thread's image fails.
sharp.block({
  operation: [
    ...['Csv', 'Heif', 'Jp2k', 'Jxl', 'Magick', 'Magick7', 'Matrix', 'Nsgif', 'OpenExr', 'Openslide', 'Pdf', 'Ppm'],
    ...['Rad', 'Raw', 'Svg', 'Tiff', 'Uhdr', 'Vips', 'Webp', 'Fits', 'Mat', 'Nifti', 'Analyze', 'DcRaw'],
  ].map((kind) => `VipsForeignLoad${kind}`),
})

/** First bytes of each format; libvips chooses its decoder by the same bytes. */
const SIGNATURES = {
  JPEG: [[0xff, 0xd8, 0xff]],
  PNG: [[0x89, 0x50, 0x4e, 0x47]],
  TIFF: [
    [0x49, 0x49],
    [0x4d, 0x4d],
  ],
  WebP: [[0x52, 0x49, 0x46, 0x46]],
}

export type ImageFormat = keyof typeof SIGNATURES

/** Formats accepted from the network. */
export const NETWORK_FORMATS: readonly ImageFormat[] = ['JPEG', 'PNG']
/** Formats accepted of the user's own files: UC Merced's and RSI-CB256's images are TIFF, those of CLIP_benchmark WebP. */
export const FILE_FORMATS: readonly ImageFormat[] = [...NETWORK_FORMATS, 'TIFF', 'WebP']

const raw = (image: Sharp, depth: 'uchar' | 'ushort') => image.raw({ depth }).toBuffer({ resolveWithObject: true })

const DECODERS: Readonly<Record<PillowMode, (image: Sharp) => Promise<RgbImage>>> = {
  async CMYK(image) {
    const { data, info } = await raw(image.pipelineColourspace('cmyk').toColourspace('cmyk'), 'uchar')
    if (info.channels !== 4) throw new Error(`it has ${info.channels} channels`)
    return { data: rgbOfCmyk(data), width: info.width, height: info.height }
  },
  async 'I;16'(image) {
    const { data, info } = await raw(image.toColourspace('grey16'), 'ushort')
    const samples = new Uint16Array(new Uint8Array(data).buffer)
    return { data: rgbOfGrey16(samples, info.channels), width: info.width, height: info.height }
  },
  async other(image) {
    const { data, info } = await raw(image.toColourspace('srgb').removeAlpha(), 'uchar')
    if (info.channels !== 3) throw new Error(`it has ${info.channels} channels`)
    return { data, width: info.width, height: info.height }
  },
}

/**
 * RGB pixels of a JPEG or PNG, equal to Pillow's `open().convert('RGB')`: colour profiles and orientation are not
 * applied, transparency is dropped.
 *
 * @param formats accepted formats; call `unblockFileFormats` before accepting others than JPEG and PNG
 * @throws DataFault `unreadable-image` for other formats, truncated files, and more than 100 million pixels
 */
export async function decodeRgb(bytes: Uint8Array, formats = NETWORK_FORMATS): Promise<RgbImage> {
  try {
    const known = formats.some((format) =>
      SIGNATURES[format].some((start) => start.every((byte, i) => bytes[i] === byte)),
    )
    if (!known) throw new Error('it has another format')
    const image = sharp(bytes, { failOn: 'truncated', ignoreIcc: true, limitInputPixels: LARGEST_IMAGE_PIXELS })
    return await DECODERS[pillowMode(bytes)](image)
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).split('\n')[0]
    throw new DataFault('unreadable-image', `The image can't be decoded as ${formats.join(' or ')}: ${why}.`, {
      cause: error,
    })
  }
}

/**
 * Lets libvips decode the formats of files for the rest of the process. `decodeRgb` still refuses them unless `formats` has them.
 */
export function unblockFileFormats(): void {
  sharp.unblock({ operation: ['VipsForeignLoadTiffBuffer', 'VipsForeignLoadWebpBuffer'] })
}

/** Width and height of the model's input if it is the same for every image; null if it depends on the image. */
export function inputSize({ resize, crop }: Preprocessing): { width: number; height: number } | null {
  return crop ?? (resize.kind === 'exact' ? resize : null)
}

/**
 * The input size, for a model that needs one size.
 *
 * @param folder the model's folder, for the message
 * @throws InputError `bad-model`
 */
export function fixedInputSize(preprocessing: Preprocessing, folder: string): { width: number; height: number } {
  const size = inputSize(preprocessing)
  if (size !== null) return size
  const message = `${folder}/preprocessor_config.json gives images of many shapes; set "do_center_crop" to true or both sides of "size".`
  throw new InputError('bad-model', message)
}

/** Size after the resize; the longer side is truncated to whole pixels, like torchvision's `Resize` and the hub's tools. */
function resizedSize({ width, height }: RgbImage, resize: Preprocessing['resize']): { width: number; height: number } {
  if (resize.kind === 'exact') return resize
  const { pixels } = resize
  return width <= height
    ? { width: pixels, height: Math.trunc((pixels * height) / width) }
    : { width: Math.trunc((pixels * width) / height), height: pixels }
}

/** Python's `round`: ties go to the even neighbour. torchvision's `CenterCrop` rounds its margins with it. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor
}

/**
 * Turns an image into the model's samples like torchvision does for OpenCLIP: resize, centre crop (padded with black if
 * the image is smaller), rescale, normalise.
 *
 * @param out receives the samples of red, then green, then blue, row by row; its length decides the crop size
 */
export function toSamples(image: RgbImage, preprocessing: Preprocessing, out: Float32Array): void {
  const size = resizedSize(image, preprocessing.resize)
  const crop = preprocessing.crop ?? size
  const across = placed(size.width, crop.width)
  const down = placed(size.height, crop.height)
  const seen = resizeAsPillow(
    image,
    { ...size, interpolation: preprocessing.interpolation },
    { left: across.from, top: down.from, width: across.length, height: down.length },
  )
  const area = crop.width * crop.height
  const tables = sampleTables(preprocessing)
  for (let channel = 0; channel < 3; channel++) {
    const table = tables[channel]!
    const plane = out.subarray(channel * area, (channel + 1) * area)
    if (seen.width !== crop.width || seen.height !== crop.height) plane.fill(table[0]!)
    for (let y = 0; y < seen.height; y++) {
      let from = y * seen.width * 3 + channel
      let to = (down.to + y) * crop.width + across.to
      for (let x = 0; x < seen.width; x++, from += 3) plane[to++] = table[seen.data[from]!]!
    }
  }
}

/** The range of an axis of `length` that a crop of `crop` shows, and its offset in the crop. */
function placed(length: number, crop: number): { from: number; length: number; to: number } {
  if (length >= crop) return { from: roundHalfEven((length - crop) / 2), length: crop, to: 0 }
  return { from: 0, length, to: Math.floor((crop - length) / 2) }
}

const tables = new WeakMap<Preprocessing, readonly Float32Array[]>()

/** The sample of every byte value by channel, computed in 32-bit steps like PyTorch. */
function sampleTables(preprocessing: Preprocessing): readonly Float32Array[] {
  const known = tables.get(preprocessing)
  if (known) return known
  const { rescale, mean, std } = preprocessing
  const made = [0, 1, 2].map((channel) =>
    Float32Array.from({ length: 256 }, (_, byte) => {
      const centred = Math.fround(Math.fround(byte * rescale) - Math.fround(mean[channel]!))
      return centred / Math.fround(std[channel]!)
    }),
  )
  tables.set(preprocessing, made)
  return made
}
