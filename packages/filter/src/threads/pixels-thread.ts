import { DataFault, serveThread } from '@skyscript/core'
import pMap from 'p-map'
import sharp from 'sharp'
import type { RgbImage } from '../clip/pillow-resize.ts'
import { decodeRgb, type ImageFormat, inputSize, toSamples, unblockFileFormats } from '../clip/preprocess.ts'
import type { Preprocessing } from '../clip/preprocessor-config.ts'
import { perceptualHash } from '../duplicates/perceptual-hash.ts'

export interface PixelsQuestion {
  readonly images: readonly Uint8Array[]
  /** Formats that images may have. */
  readonly formats: readonly ImageFormat[]
  /** One set of samples is made for each. */
  readonly preprocessings: readonly Preprocessing[]
  /** Whether nothing else uses the machine's cores. */
  readonly alone: boolean
}

export interface PixelsAnswer {
  /** By preprocessing: samples of the readable images, one after the other. */
  readonly samples: readonly Float32Array<ArrayBuffer>[]
  /** By image: null, or why it can't be read. */
  readonly faults: readonly (string | null)[]
  /** By image: its perceptual hash, or null. */
  readonly hashes: readonly (string | null)[]
}

/** Node's thread pool has four threads. */
const DECODERS = 4

// libvips uses one thread per image: the model's threads need the cores.
sharp.concurrency(1)

/** The thread that decodes and resizes images while the model computes. */
serveThread({
  async pixels({ images, formats, preprocessings, alone }: PixelsQuestion) {
    if (formats.includes('TIFF')) unblockFileFormats()
    // While a model uses all cores, more decoding at a time would only slow its threads down.
    const decode = (image: (typeof images)[number]) =>
      decodeRgb(image, formats).catch((error: unknown) => {
        if (error instanceof DataFault) return error
        throw error
      })
    const decoded = await pMap(images, decode, { concurrency: alone ? DECODERS : 1 })
    const good = decoded.filter((image): image is RgbImage => !(image instanceof DataFault))
    const samples = preprocessings.map((preprocessing) => {
      const { width, height } = inputSize(preprocessing)!
      const size = 3 * width * height
      const made = new Float32Array(good.length * size)
      for (const [i, image] of good.entries()) {
        toSamples(image, preprocessing, made.subarray(i * size, (i + 1) * size))
      }
      return made
    })
    const faults = decoded.map((image) => (image instanceof DataFault ? image.message : null))
    const hashes = decoded.map((image) => (image instanceof DataFault ? null : perceptualHash(image)))
    return { value: { samples, faults, hashes } satisfies PixelsAnswer, transfer: samples.map(({ buffer }) => buffer) }
  },
})
