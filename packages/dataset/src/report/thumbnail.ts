import type { Storage } from '@skyscript/core'
import sharp from 'sharp'

/** Pixels of the longer side: sharp enough for a contact sheet, and a page with 48 of them is smaller than 1 MB. */
const SIDE = 240

/**
 * A small JPEG of one of the dataset's images, never enlarged; null if it is missing or can't be decoded.
 *
 * @param side pixels of its longer side
 */
export async function thumbnail(storage: Storage, filepath: string, side = SIDE): Promise<Uint8Array | null> {
  const bytes = await storage.get(filepath)
  if (bytes === null) return null
  try {
    return await sharp(bytes)
      .resize(side, side, { fit: 'inside', withoutEnlargement: true })
      .jpeg({ quality: 74, mozjpeg: false })
      .toBuffer()
  } catch {
    return null
  }
}
