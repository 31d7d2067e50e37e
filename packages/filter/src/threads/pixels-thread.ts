import { DataFault } from '@skyscript/core'
import type { RgbImage } from '../clip/pillow-resize.ts'
import { decodeRgb, inputSize, toSamples } from '../clip/preprocess.ts'
import type { Preprocessing } from '../clip/preprocessor-config.ts'
import { serveThread } from './serve-thread.ts'

export interface PixelsQuestion {
  readonly images: readonly Uint8Array[]
  readonly preprocessing: Preprocessing
}

/** Samples of the images that could be read, one after the other; for the others, why not. */
export interface PixelsAnswer {
  readonly samples: Float32Array<ArrayBuffer>
  /** By image: null, or the sentence of its fault. */
  readonly faults: readonly (string | null)[]
}

/** The thread that decodes and resizes, so that it goes on while the model computes. */
serveThread({
  async pixels({ images, preprocessing }: PixelsQuestion) {
    const { width, height } = inputSize(preprocessing)!
    const size = 3 * width * height
    const decoded = await Promise.all(
      images.map((image) =>
        decodeRgb(image).catch((error: unknown) => {
          if (error instanceof DataFault) return error
          throw error
        }),
      ),
    )
    const good = decoded.filter((image): image is RgbImage => !(image instanceof DataFault))
    const samples = new Float32Array(good.length * size)
    for (const [i, image] of good.entries()) {
      toSamples(image, preprocessing, samples.subarray(i * size, (i + 1) * size))
    }
    const faults = decoded.map((image) => (image instanceof DataFault ? image.message : null))
    return { value: { samples, faults } satisfies PixelsAnswer, transfer: [samples.buffer] }
  },
})
