import { sha256 } from '@skyscript/core'
import sharp from 'sharp'
import type { Fault } from './faults.ts'

/** Larger than any image the pipeline can request (10,000 pixels a side), small enough to stop a decompression bomb. */
const MAX_PIXELS = 100_000_000

/**
 * Checks one JPEG against its manifest row: hash, end marker, three components, a full decode, and the size.
 *
 * Every decoder warning counts: if data ends early but an end marker follows, libjpeg only warns. The end marker is
 * checked separately, because a decode also accepts a file that lacks only its last two bytes.
 */
export async function checkImage(
  path: string,
  bytes: Uint8Array,
  expected: { readonly sha256: string; readonly width: number; readonly height: number },
): Promise<Fault[]> {
  const faults: Fault[] = []
  const actual = sha256(bytes)
  if (actual !== expected.sha256) {
    faults.push({ check: 'image-hash', path, message: `sha256 is ${actual}, the manifest says ${expected.sha256}` })
  }
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || bytes[2] !== 0xff) {
    return [...faults, { check: 'image-format', path, message: 'is not a JPEG' }]
  }
  if (bytes.at(-2) !== 0xff || bytes.at(-1) !== 0xd9) {
    faults.push({ check: 'image-end', path, message: 'does not end with the end-of-image marker' })
  }
  try {
    const image = sharp(bytes, { failOn: 'warning', limitInputPixels: MAX_PIXELS, sequentialRead: true })
    const { format, channels, space, orientation } = await image.metadata()
    if (format !== 'jpeg' || channels !== 3 || space !== 'srgb') {
      const message = `is ${format} with ${channels} channels in ${space}, not a 3-channel RGB JPEG`
      faults.push({ check: 'image-format', path, message })
    }
    if (orientation !== undefined && orientation !== 1) {
      faults.push({ check: 'image-format', path, message: `has EXIF orientation ${orientation}, so viewers rotate it` })
    }
    const { info } = await image.raw().toBuffer({ resolveWithObject: true })
    if (info.width !== expected.width || info.height !== expected.height) {
      const message = `is ${info.width}x${info.height} pixels, the manifest says ${expected.width}x${expected.height}`
      faults.push({ check: 'image-size', path, message })
    }
  } catch (error) {
    faults.push({ check: 'image-decode', path, message: `does not decode: ${firstLine(error)}` })
  }
  return faults
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0] ?? ''
}
