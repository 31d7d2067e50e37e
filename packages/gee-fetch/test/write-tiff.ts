/** Writes small tiled GeoTIFFs of any kind, and damaged ones, without GDAL. */
import { deflateSync } from 'node:zlib'

/** Tag, type (TIFF 6.0, section 2) and values. */
export type Entry = readonly [tag: number, type: 2 | 3 | 4 | 12, values: readonly number[] | string]

export interface TiffImage {
  readonly entries: readonly Entry[]
  readonly tiles: readonly Buffer[]
}

const SIZES = { 2: 1, 3: 2, 4: 4, 12: 8 } as const

/** Little-endian; an image's tiles come before its directory. */
export function writeTiff(images: readonly TiffImage[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0x49, 0x49, 42, 0, 0, 0, 0, 0])]
  let length = 8
  const append = (bytes: Buffer): number => {
    const at = length
    parts.push(bytes, Buffer.alloc(bytes.length % 2))
    length += bytes.length + (bytes.length % 2)
    return at
  }
  const links: [part: number, at: number, target: number][] = []
  let link: [part: number, at: number] = [0, 4]
  for (const { entries, tiles } of images) {
    const offsets = tiles.map((tile) => (tile.length === 0 ? 0 : append(tile)))
    const all: Entry[] = [
      ...entries,
      [324, 4, offsets] as const,
      [325, 4, tiles.map((tile) => tile.length)] as const,
    ].sort((a, b) => a[0] - b[0])
    const values = all.map(([, type, given]) => {
      const bytes = typeof given === 'string' ? Buffer.from(`${given}\0`) : Buffer.alloc(given.length * SIZES[type])
      if (typeof given !== 'string')
        for (const [i, value] of given.entries()) {
          if (type === 12) bytes.writeDoubleLE(value, i * 8)
          else if (type === 3) bytes.writeUInt16LE(value, i * 2)
          else bytes.writeUInt32LE(value, i * 4)
        }
      return { bytes, count: bytes.length / SIZES[type] }
    })
    const places = values.map(({ bytes }) => (bytes.length > 4 ? append(bytes) : null))
    const directory = Buffer.alloc(2 + 12 * all.length + 4)
    directory.writeUInt16LE(all.length)
    for (const [i, [tag, type]] of all.entries()) {
      const at = 2 + 12 * i
      directory.writeUInt16LE(tag, at)
      directory.writeUInt16LE(type, at + 2)
      directory.writeUInt32LE(values[i]!.count, at + 4)
      const place = places[i]
      if (typeof place === 'number') directory.writeUInt32LE(place, at + 8)
      else values[i]!.bytes.copy(directory, at + 8)
    }
    const target = append(directory)
    links.push([...link, target])
    link = [parts.length - 2, directory.length - 4]
  }
  for (const [part, at, target] of links) parts[part]!.writeUInt32LE(target, at)
  return Buffer.concat(parts)
}

export type Kind = 'uint8' | 'uint16' | 'int16' | 'float32'
const KINDS = {
  uint8: { bits: 8, format: 1, write: (bytes: Buffer, value: number, at: number) => bytes.writeUInt8(value, at) },
  uint16: { bits: 16, format: 1, write: (bytes: Buffer, value: number, at: number) => bytes.writeUInt16LE(value, at) },
  int16: { bits: 16, format: 2, write: (bytes: Buffer, value: number, at: number) => bytes.writeInt16LE(value, at) },
  float32: { bits: 32, format: 3, write: (bytes: Buffer, value: number, at: number) => bytes.writeFloatLE(value, at) },
} as const

export interface Picture {
  readonly width: number
  readonly height: number
  readonly rule: (x: number, y: number, band: number) => number
  readonly bands?: number
  readonly kind?: Kind
  /** Tile side in pixels. */
  readonly tile?: number
  readonly planes?: 'together' | 'apart'
  readonly compression?: readonly [code: number, pack: (bytes: Buffer) => Buffer]
  /** Numbers of the tiles left out. */
  readonly without?: readonly number[]
  readonly entries?: readonly Entry[]
}

/** Longitude, latitude of the north-west corner and degrees per pixel, as EPSG:4326. */
export const inDegrees = (west: number, north: number, step: number): Entry[] => [
  [33550, 12, [step, step, 0]],
  [33922, 12, [0, 0, 0, west, north, 0]],
  IN_DEGREES,
]
export const IN_DEGREES: Entry = [34735, 3, [1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326]]

export const DEFLATE = [8, (bytes: Buffer) => deflateSync(bytes)] as const

export function tiffImage(picture: Picture): TiffImage {
  const { width, height, rule, bands = 3, kind = 'uint8', tile = 16, planes = 'together' } = picture
  const [code, pack] = picture.compression ?? DEFLATE
  const { bits, format, write } = KINDS[kind]
  const tiles: Buffer[] = []
  const perTile = planes === 'together' ? bands : 1
  for (let plane = 0; plane < bands / perTile; plane++) {
    for (let top = 0; top < height; top += tile) {
      for (let left = 0; left < width; left += tile) {
        const bytes = Buffer.alloc((tile * tile * perTile * bits) / 8)
        for (let i = 0; i < tile * tile * perTile; i++) {
          const pixel = Math.floor(i / perTile)
          const [x, y] = [left + (pixel % tile), top + Math.floor(pixel / tile)]
          if (x < width && y < height) write(bytes, rule(x, y, plane + (i % perTile)), (i * bits) / 8)
        }
        tiles.push(picture.without?.includes(tiles.length) ? Buffer.alloc(0) : pack(bytes))
      }
    }
  }
  const own: Entry[] = [
    [256, 4, [width]],
    [257, 4, [height]],
    [258, 3, Array(bands).fill(bits)],
    [259, 3, [code]],
    [262, 3, [bands < 3 ? 1 : 2]],
    [277, 3, [bands]],
    [284, 3, [planes === 'together' ? 1 : 2]],
    [322, 4, [tile]],
    [323, 4, [tile]],
    [339, 3, Array(bands).fill(format)],
  ]
  const given = picture.entries ?? []
  const isGiven = new Set(given.map(([tag]) => tag))
  return { entries: [...own.filter(([tag]) => !isGiven.has(tag)), ...given], tiles }
}
