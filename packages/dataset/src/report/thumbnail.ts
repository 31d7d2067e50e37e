import type { Storage } from '@skyscript/core'
import sharp from 'sharp'

/** Pixels of the longer side: sharp enough on a contact sheet, and 48 of them make a page of less than 1 MB. */
const SIDE = 240

/** A small JPEG of an image of the dataset, never enlarged; null where it is missing or doesn't decode. */
export async function thumbnail(storage: Storage, filepath: string): Promise<Uint8Array | null> {
  const bytes = await storage.get(filepath)
  if (bytes === null) return null
  try {
    return await sharp(bytes)
      .resize(SIDE, SIDE, { fit: 'inside', withoutEnlargement: true })
      .jpeg({ quality: 74, mozjpeg: false })
      .toBuffer()
  } catch {
    return null
  }
}
