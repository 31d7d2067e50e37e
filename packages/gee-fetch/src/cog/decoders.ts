import { promisify } from 'node:util'
import { inflate, zstdDecompress } from 'node:zlib'
import { addDecoder, BaseDecoder } from 'geotiff'
import sharp from 'sharp'
import { unpackLzw, unpackPackBits } from './unpack.ts'

/** Bytes of one tile or strip as it is decoded: what a damaged or hostile file may make of its few bytes at most. */
export const MOST_TILE_BYTES = 64 * 2 ** 20

/** TIFF's numbers of compressions, https://www.loc.gov/preservation/digital/formats/content/tiff_tags.shtml */
const LZW = 5
const JPEG = 7
const DEFLATE = [8, 32946]
const PACK_BITS = 32773
const ZSTD = 50000

const LIMIT = { maxOutputLength: MOST_TILE_BYTES }
// In threads: a picture of two million pixels is some 200 ms of unpacking.
const inflated = promisify<Uint8Array, typeof LIMIT, Buffer>(inflate)
const zstdDecompressed = promisify<Uint8Array, typeof LIMIT, Buffer>(zstdDecompress)

class Inflate extends BaseDecoder {
  override async decodeBlock(data: ArrayBuffer): Promise<ArrayBuffer> {
    return whole(await inflated(new Uint8Array(data), LIMIT))
  }
}

class Zstd extends BaseDecoder {
  override async decodeBlock(data: ArrayBuffer): Promise<ArrayBuffer> {
    return whole(await zstdDecompressed(new Uint8Array(data), LIMIT))
  }
}

class Lzw extends BaseDecoder {
  override decodeBlock(data: ArrayBuffer): ArrayBuffer {
    return unpackLzw(new Uint8Array(data), MOST_TILE_BYTES)
  }
}

class PackBits extends BaseDecoder {
  override decodeBlock(data: ArrayBuffer): ArrayBuffer {
    return unpackPackBits(new Uint8Array(data), MOST_TILE_BYTES)
  }
}

/** Gives red, green and blue whatever the colours of the file: libjpeg converts, and takes less time than a decoder in JavaScript. */
class Jpeg extends BaseDecoder {
  override async decodeBlock(data: ArrayBuffer): Promise<ArrayBuffer> {
    const tables = (this.parameters as { JPEGTables?: Uint8Array }).JPEGTables
    const own = Buffer.from(data)
    // The file's tables, without their end, go before the tile's own stream, without its start.
    const stream = tables ? Buffer.concat([Buffer.from(tables).subarray(0, -2), own.subarray(2)]) : own
    const image = sharp(stream, { limitInputPixels: MOST_TILE_BYTES / 4 })
    const { channels } = await image.metadata()
    // They would be taken for CMYK.
    if (channels > 3) throw new Error('its tiles are JPEGs of four bands, which are not read')
    return whole(await (channels === 1 ? image.toColourspace('b-w') : image).raw().toBuffer())
  }
}

/** Instead of geotiff's own, which know no limit to what they unpack. */
export function registerDecoders(): void {
  addDecoder(DEFLATE, async () => Inflate)
  addDecoder(ZSTD, async () => Zstd)
  addDecoder(LZW, async () => Lzw)
  addDecoder(PACK_BITS, async () => PackBits)
  addDecoder(
    JPEG,
    async () => Jpeg,
    async (directory) => ({
      tileWidth: 0,
      tileHeight: 0,
      predictor: 1,
      planarConfiguration: 1,
      bitsPerSample: 8,
      JPEGTables: await directory.loadValue('JPEGTables'),
    }),
  )
}

const whole = (bytes: Buffer): ArrayBuffer =>
  bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
