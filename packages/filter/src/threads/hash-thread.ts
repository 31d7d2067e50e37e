import { messageOf } from '@skyscript/core'
import sharp from 'sharp'
import { perceptualHash } from '../duplicates/perceptual-hash.ts'
import { serveThread } from './serve-thread.ts'

const LARGEST_IMAGE_PIXELS = 10_000 * 10_000

// Blocked for what comes over the network, which has all been read by now; UC Merced's images are TIFF.
sharp.unblock({ operation: ['VipsForeignLoadTiffBuffer'] })

/** The thread that hashes a benchmark's images: the user's own files, in formats that nothing from the network may have. */
serveThread({
  async hash(bytes: Uint8Array) {
    try {
      const { data, info } = await sharp(bytes, { limitInputPixels: LARGEST_IMAGE_PIXELS })
        .toColourspace('srgb')
        .removeAlpha()
        .raw({ depth: 'uchar' })
        .toBuffer({ resolveWithObject: true })
      return { value: perceptualHash({ data, width: info.width, height: info.height }) }
    } catch (error) {
      return { value: { why: messageOf(error).split('\n')[0] } }
    }
  },
})
