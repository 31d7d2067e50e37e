/** Reads the tiles or strips of a TIFF image, by number, as numeric values. */
import type { GeoTIFFImage } from 'geotiff'
import { type Remembered, remembering } from '../shared-work.ts'
import { checkCompression, MOST_TILE_BYTES, unpacked } from './decoders.ts'
import type { FileBytes } from './file-bytes.ts'
import { checkNumbers, lineBytes, type NumberLayout, type Numbers, numbersOf } from './numbers.ts'

/** TIFF's tags, https://www.loc.gov/preservation/digital/formats/content/tiff_tags.shtml */
const COMPRESSION = 259
const PHOTOMETRIC = 262
const FILL_ORDER = 266
const STRIP_OFFSETS = 273
const STRIP_BYTES = 279
const PREDICTOR = 317
const TILE_OFFSETS = 324
const TILE_BYTES = 325
const JPEG_TABLES = 347
/** Compressions whose streams define their own bit order: JPEG and WebP. */
const OWN_BIT_ORDER = [7, 50001]

export interface Blocks {
  readonly width: number
  readonly height: number
  /** Block size in pixels; the last strip may be shorter. */
  readonly blockWidth: number
  readonly blockHeight: number
  /** Number of blocks from west to east. */
  readonly across: number
  /** Size in bytes of an unpacked block, with all bands to read. */
  bytesOf(bands: readonly number[]): number
  /**
   * @param bands from 1
   * @returns null if the block is sparse (left out of the file)
   */
  read(number: number, bands: readonly number[], signal?: AbortSignal): Promise<BlockValues | null>
}

/** The value of a band at a pixel, counted row by row, is `numbers[pixel * step + from]`. */
export interface BlockValues {
  readonly step: number
  /** In the order of the bands that were wanted; a band's numbers are null where its plane is sparse. */
  readonly bands: readonly { readonly numbers: ArrayLike<number> | null; readonly from: number }[]
}

/** Unpacked tiles, since neighbouring images share them: a JPEG takes longer to unpack than all that follows. */
export type UnpackedTiles = Remembered<Numbers | null, [read: (signal: AbortSignal) => Promise<Numbers | null>]>

const UNPACKED_BYTES = 64 * 2 ** 20

export const createUnpackedTiles = (): UnpackedTiles =>
  remembering(
    UNPACKED_BYTES,
    (_key, signal, read) => read(signal),
    (tile) => tile?.byteLength ?? 1,
  )

/** Files that were opened, so that tiles of a file that was replaced are not mistaken for those of its successor. */
let opened = 0

export const tagOf = (image: GeoTIFFImage, tag: number, otherwise: number): number =>
  Number(image.getFileDirectory().getValue(tag as never) ?? otherwise)

/** @throws Error that names the unsupported property of the image */
export function blocksOf(image: GeoTIFFImage, source: FileBytes, tiles: UnpackedTiles): Blocks {
  const own = opened++
  const directory = image.getFileDirectory()
  const [width, height] = [image.getWidth(), image.getHeight()]
  const [blockWidth, blockHeight] = [image.getTileWidth(), image.getTileHeight()]
  const bands = image.getSamplesPerPixel()
  const areApart = image.planarConfiguration === 2
  const samples = areApart ? 1 : bands
  const compression = tagOf(image, COMPRESSION, 1)
  const colours = tagOf(image, PHOTOMETRIC, 1)
  const isReversed = tagOf(image, FILL_ORDER, 1) === 2 && !OWN_BIT_ORDER.includes(compression)
  const layout: NumberLayout = {
    bits: sameOf(directory.getValue('BitsPerSample'), 'bits') ?? 1,
    format: sameOf(directory.getValue('SampleFormat'), 'sample format') ?? 1,
    littleEndian: image.littleEndian,
    // JPEG and WebP have no predictor; some programs write the tag anyway.
    predictor: OWN_BIT_ORDER.includes(compression) ? 1 : tagOf(image, PREDICTOR, 1),
    samples,
    width: blockWidth,
    height: blockHeight,
  }
  const bytes = lineBytes(layout) * blockHeight
  if (!(width > 0 && height > 0)) throw new Error('it has no size')
  if (!(blockWidth > 0 && blockHeight > 0 && bytes > 0 && bytes <= MOST_TILE_BYTES))
    throw new Error(`its tiles are ${blockWidth} x ${blockHeight}`)
  const across = Math.ceil(width / blockWidth)
  const down = Math.ceil(height / blockHeight)
  const tables = directory.getValue(JPEG_TABLES as never) as Uint8Array | undefined
  const jpegTables = tables ? Uint8Array.from(tables) : null

  const unpack = async (number: number, signal: AbortSignal): Promise<Numbers | null> => {
    const [offset, length] = await Promise.all([
      entryOf(image, source, image.isTiled ? TILE_OFFSETS : STRIP_OFFSETS, number, signal),
      entryOf(image, source, image.isTiled ? TILE_BYTES : STRIP_BYTES, number, signal),
    ])
    if (offset === 0 || length === 0) return null
    if (offset === undefined || length === undefined) throw new Error(`it does not say where its tile ${number} is`)
    const [packed] = await source.fetch([{ offset, length }], signal)
    const given = new Uint8Array(packed!)
    if (given.length < length) throw new Error(`it ends before its tile ${number} does`)
    if (isReversed) for (let i = 0; i < given.length; i++) given[i] = REVERSED[given[i]!]!
    // Strips end with the image; tiles have their full size.
    const rows = image.isTiled
      ? blockHeight
      : Math.min(blockHeight, height - Math.floor((number % (across * down)) / across) * blockHeight)
    const block = { width: blockWidth, height: rows, samples, bits: layout.bits, colours, jpegTables }
    return numbersOf(await unpacked(compression, given, block), { ...layout, height: rows })
  }

  const readOne = (number: number, signal?: AbortSignal) =>
    tiles.get(`${own} ${number}`, signal, (shared) => unpack(number, shared))

  return {
    width,
    height,
    blockWidth,
    blockHeight,
    across,
    bytesOf: (wanted) => bytes * (areApart ? wanted.length : 1),
    async read(number, wanted, signal) {
      for (const band of wanted) if (band > bands) throw new Error(`it has ${bands} bands, and no band ${band}`)
      checkCompression(compression)
      checkNumbers(layout)
      if (!areApart) {
        const numbers = await readOne(number, signal)
        return numbers && { step: samples, bands: wanted.map((band) => ({ numbers, from: band - 1 })) }
      }
      const planes = await Promise.all(wanted.map((band) => readOne((band - 1) * across * down + number, signal)))
      if (planes.every((plane) => plane === null)) return null
      return { step: 1, bands: planes.map((numbers) => ({ numbers, from: 0 })) }
    },
  }
}

/** The value shared by all bands; undefined if the file doesn't say. */
function sameOf(values: unknown, name: string): number | undefined {
  const all = values === undefined ? [] : Array.from(values as ArrayLike<number>)
  if (all.some((value) => value !== all[0])) throw new Error(`its bands differ in ${name} (${all.join(', ')})`)
  return all[0]
}

/** A list that geotiff leaves in the file until it is read. */
interface Deferred {
  readonly arrayOffset: number
  readonly itemSize: number
  readonly length: number
}

/** One entry of a list such as TileOffsets, read directly: geotiff reads those of big-endian files as little-endian. */
async function entryOf(
  image: GeoTIFFImage,
  source: FileBytes,
  tag: number,
  index: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const directory = image.getFileDirectory()
  const deferred = (directory as unknown as { deferredArrays: Map<number, Deferred> }).deferredArrays.get(tag)
  if (!deferred) {
    const values = directory.hasTag(tag as never) ? directory.getValue(tag as never) : undefined
    const value =
      typeof values === 'number' && index === 0 ? values : (values as ArrayLike<number> | undefined)?.[index]
    return value === undefined ? undefined : Number(value)
  }
  if (index >= deferred.length) return undefined
  const { arrayOffset, itemSize } = deferred
  const [bytes] = await source.fetch([{ offset: arrayOffset + index * itemSize, length: itemSize }], signal)
  const view = new DataView(bytes!)
  if (itemSize === 2) return view.getUint16(0, image.littleEndian)
  return itemSize === 4 ? view.getUint32(0, image.littleEndian) : Number(view.getBigUint64(0, image.littleEndian))
}

/** Each byte with its bits reversed. */
const REVERSED = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number.parseInt(byte.toString(2).padStart(8, '0').split('').reverse().join(''), 2),
)
