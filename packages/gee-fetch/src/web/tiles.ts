/**
 * Pictures of web services, in tiles: decodes each tile once, and puts pixels of the source's own together, without
 * resampling.
 *
 * @example
 * import { createTileImagery, sourcesOf } from '@skyscript/gee-fetch'
 * const tiles = createTileImagery({ fillIn: (address) => address })
 * const [image] = await tiles.find(source, [7.44, 46.94, 7.45, 46.95])
 * const pixels = await tiles.pixels(source, image.imageId, { crs: 'EPSG:3857', ...grid })
 */
import { boxCenter, fingerprint, type Position, ServiceError } from '@skyscript/core'
import sharp from 'sharp'
import { mayCover, middleOf } from '../coverage.ts'
import { PIXEL_STATE } from '../pixel-state.ts'
import { refusalOf } from '../refusals.ts'
import { tilesIn } from '../request-shares.ts'
import { remembering } from '../shared-work.ts'
import type { SourceClient } from '../source-client.ts'
import { featureDate } from './feature-date.ts'
import { createHosts, type HostOptions } from './hosts.ts'
import { placeholderOf } from './no-data-picture.ts'
import { imageIdOf, type Picture, placeAt, TILE_BYTES, type TilePlace, type TileSource } from './tile-source.ts'

/** Decoded tiles that are kept, since neighbours share them. */
const TILES_BYTES = 64 * 2 ** 20
/** Answers about dates that are kept. */
const INFOS = 1000
const INFO_BYTES = 2 ** 20

export interface TileImagery extends SourceClient<TileSource> {
  /**
   * The file of one tile as the service sends it; null where it has none.
   *
   * @param at where, degrees; default: in the middle of the source's extent
   * @throws ServiceError or InputError where it can't be asked
   */
  check(source: TileSource, at?: Position): Promise<Buffer | null>
  stats(): { readonly requests: number; readonly bytes: number }
  close(): Promise<void>
}

export function createTileImagery(options: HostOptions): TileImagery {
  const hosts = createHosts(options)
  const count = { requests: 0, bytes: 0 }
  /** null where the service has none. */
  const fileAt = async (shown: string, source: TileSource, signal?: AbortSignal): Promise<Buffer | null> => {
    const { http, url } = await hosts.open(shown, source.requests)
    count.requests++
    const bytes = await http.file(url, { shown, most: TILE_BYTES }, signal)
    count.bytes += bytes?.length ?? 0
    return bytes
  }
  /** By address. */
  const tiles = remembering(
    TILES_BYTES,
    async (shown, signal, source: TileSource) => {
      const bytes = await fileAt(shown, source, signal)
      return bytes && decoded(bytes, source, shown)
    },
    (tile) => tile?.pixels.length ?? 1,
  )
  const tileAt = async (source: TileSource, picture: Picture, place: TilePlace, signal?: AbortSignal) =>
    isWithin(place.column, source.columns) && isWithin(place.row, source.rows)
      ? tiles.get(source.addressOf(place, picture), signal, source)
      : null

  /**
   * Whether a tile says that there is no imagery: it is fill, or a drawing that a tile beside it repeats. Only tiles at
   * fixed places decide that, so that it is the same whichever images are asked for.
   */
  const isBlank = async (tile: Tile, source: TileSource, picture: Picture, place: TilePlace, signal?: AbortSignal) => {
    if (tile.placeholder === null || tile.placeholder === 'fill') return tile.placeholder === 'fill'
    for (const [x, y] of BESIDE) {
      const beside = { ...place, column: place.column + x, row: place.row + y }
      const other = await tileAt(source, picture, beside, signal).catch((error: unknown) => {
        if (refusalOf(error) === 'image') return null
        throw error
      })
      if (other?.placeholder === tile.placeholder) return true
    }
    return false
  }

  /** What services say of squares of maps. */
  const infos = remembering(INFOS, async (shown, signal, source: TileSource) => {
    const { http, url } = await hosts.open(shown, source.requests)
    return (await http.document(url, { shown, most: INFO_BYTES }, signal)).toString('utf8')
  })

  return {
    async find(source, box) {
      const { extent, outline, pictures } = source
      if (!mayCover(source, box)) return []
      return pictures.map((each) => ({
        imageId: imageIdOf(source, each),
        time: each.time,
        cloud: null,
        footprint: extent,
        ...(outline && { outline }),
      }))
    },
    // A service of tiles has no version that could be requested.
    origin: async ({ url }) => fingerprint('tiles', url),
    async dateOf(source, imageId, box) {
      const { dates } = source
      if (!dates) return null
      const place = placeAt(source, boxCenter(box))
      return featureDate(
        await infos.get(dates.addressOf(place, pictureOf(source, imageId)), undefined, source),
        dates.property,
      )
    },
    async check(source, at = middleOf(source)) {
      const place = placeAt(source, at)
      if (!isWithin(place.column, source.columns) || !isWithin(place.row, source.rows)) return null
      const file = await fileAt(source.addressOf(place, source.pictures.at(-1)!), source)
      if (file !== null) await decoded(file, source, source.url)
      return file
    },
    async pixels(source, imageId, grid, signal) {
      const { tile, corner } = source
      const picture = pictureOf(source, imageId)
      const { width, height, stepX, stepY } = grid
      // Of all pixels, from the north-west.
      const left = Math.round((grid.west - corner.x) / stepX)
      const top = Math.round((corner.y - grid.north) / stepY)
      const pixels = Buffer.alloc(width * height * 4)
      const draw = async (column: number, row: number) => {
        const place = { column, row, stepX, stepY }
        const found = await tileAt(source, picture, place, signal)
        if (found === null) return
        const from = (await isBlank(found, source, picture, place, signal)) ? blankOf(found.pixels) : found.pixels
        const first = Math.max(left, column * tile.width)
        const end = Math.min(left + width, (column + 1) * tile.width)
        const last = Math.min(top + height, (row + 1) * tile.height)
        for (let y = Math.max(top, row * tile.height); y < last; y++) {
          const start = ((y - row * tile.height) * tile.width + first - column * tile.width) * 4
          from.copy(pixels, ((y - top) * width + first - left) * 4, start, start + (end - first) * 4)
        }
      }
      await Promise.all([...tilesIn(source, grid)].map(([column, row]) => draw(column, row)))
      return pixels
    },
    stats: () => ({ ...count }),
    close: () => hosts.close(),
  }
}

/** @throws ServiceError `image-gone` for an image that the source no longer has */
function pictureOf(source: TileSource, imageId: string): Picture {
  const picture = source.pictures.find((each) => imageIdOf(source, each) === imageId)
  if (picture) return picture
  throw new ServiceError('image-gone', `${imageId} is no longer among the pictures of ${source.alias}.`, {
    retry: false,
    status: 404,
  })
}

const isWithin = (place: number, range: readonly [first: number, last: number] | undefined): boolean =>
  range === undefined || (range[0] <= place && place <= range[1])

/** The tiles beside one, by columns and rows. */
const BESIDE = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
] as const

interface Tile {
  /** Red, green, blue and PIXEL_STATE. */
  readonly pixels: Buffer
  /** See `placeholderOf`. */
  readonly placeholder: string | null
}

function blankOf(pixels: Buffer): Buffer {
  const blank = Buffer.from(pixels)
  for (let i = 3; i < blank.length; i += 4) if (blank[i] !== PIXEL_STATE.masked) blank[i] = PIXEL_STATE.blank
  return blank
}

async function decoded(bytes: Buffer, { tile, sizeSetting }: TileSource, shown: string): Promise<Tile> {
  const image = await sharp(bytes)
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((cause) => {
      throw new ServiceError('image-damaged', `${shown} is a damaged image.`, { retry: false, cause })
    })
  const { data, info } = image
  if (info.width !== tile.width || info.height !== tile.height) {
    throw new ServiceError(
      'imagery-bad-answer',
      `${shown} is an image of ${info.width} x ${info.height} pixels${
        sizeSetting === null
          ? `, not ${tile.width} x ${tile.height}`
          : `; set ${sizeSetting} of its source to the size of its tiles`
      }.`,
      { retry: false },
    )
  }
  const placeholder = placeholderOf(data, bytes)
  for (let i = 0; i < data.length; i += 4) {
    const isClear = data[i + 3]! === 255
    const isBlack = data[i]! + data[i + 1]! + data[i + 2]! === 0
    data[i + 3] = !isClear ? PIXEL_STATE.masked : isBlack ? PIXEL_STATE.black : PIXEL_STATE.clear
    if (!isClear) data[i] = data[i + 1] = data[i + 2] = 0
  }
  return { pixels: data, placeholder }
}
