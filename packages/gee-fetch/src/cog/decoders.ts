/** Decompresses tiles and strips, with a limit on the unpacked size. */
import { promisify } from 'node:util'
import { inflate, zstdDecompress } from 'node:zlib'
import sharp from 'sharp'
import { unpackLzw, unpackPackBits } from './unpack.ts'

/** Maximum bytes of one decoded tile or strip, whatever a damaged or hostile file claims. */
export const MOST_TILE_BYTES = 64 * 2 ** 20

/** Layout of an unpacked tile or strip. */
export interface Block {
  readonly width: number
  readonly height: number
  /** Values per pixel: all bands, or one if planes are stored separately. */
  readonly samples: number
  readonly bits: number
  /** PhotometricInterpretation. */
  readonly colours: number
  /** JPEG tables shared by all tiles of a file. */
  readonly jpegTables: Uint8Array | null
}

type Decoder = (packed: Uint8Array, block: Block) => Promise<Uint8Array> | Uint8Array

const LIMIT = { maxOutputLength: MOST_TILE_BYTES }
// In worker threads: unpacking two million pixels takes about 200 ms.
const inflated = promisify<Uint8Array, typeof LIMIT, Buffer>(inflate)
const zstdDecompressed = promisify<Uint8Array, typeof LIMIT, Buffer>(zstdDecompress)

/** By TIFF compression number, https://www.loc.gov/preservation/digital/formats/content/tiff_tags.shtml */
const DECODERS: Readonly<Record<number, Decoder>> = {
  // A copy, since predictors are undone in place.
  1: (packed) => packed.slice(),
  5: lzw,
  7: jpeg,
  8: (packed) => inflated(packed, LIMIT),
  32946: (packed) => inflated(packed, LIMIT),
  32773: (packed) => new Uint8Array(unpackPackBits(packed, MOST_TILE_BYTES)),
  50000: (packed) => zstdDecompressed(packed, LIMIT),
  50001: webp,
}

/** Unsupported compressions found in the wild, by name for the error message. */
const OTHERS: Readonly<Record<number, string>> = {
  2: 'CCITT Huffman',
  3: 'CCITT fax 3',
  4: 'CCITT fax 4',
  6: 'old-style JPEG',
  33003: 'JPEG 2000',
  33005: 'JPEG 2000',
  34712: 'JPEG 2000',
  34887: 'LERC',
  34925: 'LZMA',
  50002: 'JPEG XL',
  52546: 'JPEG XL',
}

/** @throws Error that names an unsupported compression */
export function checkCompression(compression: number): void {
  if (DECODERS[compression]) return
  const name = OTHERS[compression] ?? `compression ${compression}`
  throw new Error(`its tiles are compressed by ${name}, which isn't read; gdal_translate -of COG writes another`)
}

/** @returns a new array with the bytes before prediction is undone */
export async function unpacked(compression: number, packed: Uint8Array, block: Block): Promise<Uint8Array> {
  checkCompression(compression)
  return DECODERS[compression]!(packed, block)
}

function lzw(packed: Uint8Array): Uint8Array {
  // Old-style LZW, with codes lowest bit first as written before TIFF 6.0, starts like this.
  if (packed[0] === 0 && (packed[1]! & 1) === 1)
    throw new Error("its tiles are compressed by LZW of the old style, which isn't read; gdal_translate writes the new")
  return new Uint8Array(unpackLzw(packed, MOST_TILE_BYTES))
}

/** Returns RGB if the three bands are stored as YCbCr; else the bands as they are. */
async function jpeg(packed: Uint8Array, block: Block): Promise<Uint8Array> {
  if (block.bits !== 8) throw new Error(`its tiles are JPEGs of ${block.bits} bits, which are not read`)
  const image = sharp(jpegStream(packed, block), { limitInputPixels: MOST_TILE_BYTES / 4 })
  const { channels, width, height } = await image.metadata()
  if (channels !== block.samples || ![1, 3, 4].includes(channels))
    throw new Error(`its tiles are JPEGs of ${channels} bands, where ${block.samples} are expected`)
  if (width !== block.width || height < block.height)
    throw new Error(`its tiles are JPEGs of ${width} x ${height}, where ${block.width} x ${block.height} are expected`)
  if (channels === 1) return image.toColourspace('b-w').raw().toBuffer()
  if (channels === 3) return image.raw().toBuffer()
  // Four bands are read as inverted CMYK; no colour is converted on the way.
  const inks = await image.pipelineColourspace('cmyk').toColourspace('cmyk').raw().toBuffer()
  for (let i = 0; i < inks.length; i++) inks[i] = 255 - inks[i]!
  return inks
}

const START = Buffer.from([0xff, 0xd8])
/** Marker APP14; its last byte says how three bands are stored: 0 as they are, 1 as YCbCr. */
const adobe = (transform: number) =>
  Buffer.from([0xff, 0xee, 0, 14, ...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, transform])
const Y_CB_CR = 6

/**
 * The file's tables and the tile's own stream combined. The TIFF says how the bands are stored; the tile's own marker is
 * ignored, as in libtiff.
 */
function jpegStream(packed: Uint8Array, { samples, colours, jpegTables }: Block): Buffer {
  const parts = jpegTables ? [Buffer.from(jpegTables).subarray(2, -2)] : []
  if (samples === 3) parts.push(adobe(colours === Y_CB_CR ? 1 : 0))
  return Buffer.concat([START, ...parts, withoutAdobe(Buffer.from(packed))])
}

/** A JPEG without its first marker (SOI) and without any APP14 before the picture. */
function withoutAdobe(stream: Buffer): Buffer {
  const parts: Buffer[] = []
  let at = 2
  while (at + 4 <= stream.length && stream[at] === 0xff) {
    const marker = stream[at + 1]!
    const end = at + 2 + stream.readUInt16BE(at + 2)
    // The picture starts, or this marker has no length.
    if (marker === 0xda || marker === 0xff || marker === 0xd9) break
    if (marker !== 0xee) parts.push(stream.subarray(at, end))
    at = end
  }
  return Buffer.concat([...parts, stream.subarray(at)])
}

async function webp(packed: Uint8Array, { samples, width, height }: Block): Promise<Uint8Array> {
  const image = sharp(packed, { limitInputPixels: MOST_TILE_BYTES / 4 })
  const found = await image.metadata()
  if (found.width !== width || found.height < height)
    throw new Error(`its tiles are WebP of ${found.width} x ${found.height}, where ${width} x ${height} are expected`)
  if (samples !== 3 && samples !== 4) throw new Error(`its tiles are WebP of ${samples} bands`)
  // An opaque tile is stored without its alpha band.
  return (samples === 4 ? image.ensureAlpha() : image.removeAlpha()).raw().toBuffer()
}
