/**
 * Image tiles of web maps: decodes each tile once, and puts pixels of the source's own together, without resampling.
 *
 * @example
 * import { createXyzImagery, sourcesOf } from '@skyscript/gee-fetch'
 * const tiles = createXyzImagery({ fillIn: (address) => address })
 * const [image] = await tiles.find(source, [7.44, 46.94, 7.45, 46.95])
 * const pixels = await tiles.pixels(source, image.imageId, { crs: 'EPSG:3857', ...grid })
 */
import { boxesIntersect, fingerprint, ServiceError } from '@skyscript/core'
import sharp from 'sharp'
import { createHttp, type Http } from '../http.ts'
import { createLimiter, type Limiter } from '../limiter.ts'
import type { Outages } from '../outages.ts'
import { PIXEL_STATE } from '../pixel-state.ts'
import { remembering } from '../shared-work.ts'
import type { SourceClient } from '../source-client.ts'
import { tileUrl, type XyzSource } from './xyz-source.ts'

/** Decoded tiles that are kept, since neighbours share them: 64 MB where they are 256 pixels wide. */
const TILES = 256
/** No tile of a web map comes near it. */
const TILE_BYTES = 8 * 2 ** 20

export interface XyzImageryOptions {
  /** Puts secrets into an address. @throws InputError where one isn't set */
  fillIn(address: string): string
  /** Shared with other processes, by host; default: one for this process. */
  limiter?(host: string, requests: XyzSource['requests']): Promise<Limiter | undefined>
  readonly deadlineMs?: number | undefined
  /** Waits up to `patienceMs` for servers that are down. */
  readonly outages?: Outages | undefined
  readonly patienceMs?: number | undefined
}

export interface XyzImagery extends SourceClient<XyzSource> {
  /**
   * Whether the service has a tile in the middle of the source's extent.
   *
   * @throws ServiceError or InputError where it can't be asked
   */
  check(source: XyzSource): Promise<boolean>
  stats(): { readonly requests: number; readonly bytes: number }
  close(): Promise<void>
}

export function createXyzImagery(options: XyzImageryOptions): XyzImagery {
  const { fillIn, deadlineMs, outages, patienceMs } = options
  const clients = new Map<string, Promise<Http>>()
  const count = { requests: 0, bytes: 0 }
  const clientOf = (host: string, requests: XyzSource['requests']) => {
    const known = clients.get(host)
    if (known) return known
    const opening = (async () => {
      const { concurrent: maxConcurrent, perSecond } = requests
      const limiter = (await options.limiter?.(host, requests)) ?? createLimiter({ maxConcurrent, perSecond })
      return createHttp({ limiter, maxConcurrent, deadlineMs, outages, patienceMs })
    })()
    clients.set(host, opening)
    return opening
  }

  const tiles = remembering(TILES, async (_key, signal, source: XyzSource, x: number, y: number) => {
    const [, zoom] = source.zoom
    const shown = tileUrl(source.url, zoom, x, y)
    const url = fillIn(shown)
    const http = await clientOf(URL.parse(url)?.host ?? '', source.requests)
    count.requests++
    const bytes = await http.file(url, { shown, most: TILE_BYTES }, signal)
    count.bytes += bytes?.length ?? 0
    return bytes && decoded(bytes, source, shown)
  })
  /** null where the service has none. */
  const tileAt = (source: XyzSource, x: number, y: number, signal?: AbortSignal) =>
    tiles.get(`${source.alias} ${x} ${y}`, signal, source, x, y)

  return {
    async find(source, box) {
      const { alias, extent, year, zoom } = source
      if (!boxesIntersect(extent, box)) return []
      const time = year === null ? null : Date.UTC(year, 0)
      return [{ imageId: `${alias}/${zoom[1]}`, time, cloud: null, footprint: extent }]
    },
    // A service of tiles has no version that could be requested.
    origin: async ({ url }) => fingerprint('xyz', url),
    async check(source) {
      const [west, south, east, north] = source.extent
      const { lattice, tileSize } = source
      const [x, y] = lattice.system.forward([(west + east) / 2, (south + north) / 2])
      const column = Math.floor((x! - lattice.west) / lattice.stepX / tileSize)
      const row = 2 ** source.zoom[1] - 1 - Math.floor((y! - lattice.south) / lattice.stepY / tileSize)
      return (await tileAt(source, column, row)) !== null
    },
    async pixels(source, _imageId, grid, signal) {
      const { tileSize, lattice } = source
      const { width, height } = grid
      const side = tileSize * 2 ** source.zoom[1]
      // Of the whole world, from the north-west.
      const left = Math.round((grid.west - lattice.west) / lattice.stepX)
      const top = side - Math.round((grid.north - lattice.south) / lattice.stepY)
      const pixels = Buffer.alloc(width * height * 4)
      const draw = async (tileX: number, tileY: number) => {
        const tile = await tileAt(source, tileX, tileY, signal)
        if (tile === null) return
        const from = Math.max(left, tileX * tileSize)
        const to = Math.min(left + width, (tileX + 1) * tileSize)
        const end = Math.min(top + height, (tileY + 1) * tileSize)
        for (let y = Math.max(top, tileY * tileSize); y < end; y++) {
          const start = ((y - tileY * tileSize) * tileSize + from - tileX * tileSize) * 4
          tile.copy(pixels, ((y - top) * width + from - left) * 4, start, start + (to - from) * 4)
        }
      }
      const drawing: Promise<void>[] = []
      for (let tileY = Math.floor(top / tileSize); tileY * tileSize < top + height; tileY++)
        for (let tileX = Math.floor(left / tileSize); tileX * tileSize < left + width; tileX++)
          drawing.push(draw(tileX, tileY))
      await Promise.all(drawing)
      return pixels
    },
    stats: () => ({ ...count }),
    async close() {
      for (const each of clients.values()) await (await each).close()
    },
  }
}

/** A tile's red, green, blue and PIXEL_STATE. */
async function decoded(bytes: Buffer, { tileSize }: XyzSource, shown: string): Promise<Buffer> {
  const image = await sharp(bytes)
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((cause) => {
      throw new ServiceError('image-damaged', `${shown} is a damaged image.`, { retry: false, cause })
    })
  const { data, info } = image
  if (info.width !== tileSize || info.height !== tileSize) {
    throw new ServiceError(
      'imagery-bad-answer',
      `${shown} is an image of ${info.width} x ${info.height} pixels; set tileSize of its source to the size of its tiles.`,
      { retry: false },
    )
  }
  for (let i = 0; i < data.length; i += 4) {
    const isClear = data[i + 3]! === 255
    const isBlack = data[i]! + data[i + 1]! + data[i + 2]! === 0
    data[i + 3] = !isClear ? PIXEL_STATE.masked : isBlack ? PIXEL_STATE.black : PIXEL_STATE.clear
    if (!isClear) data[i] = data[i + 1] = data[i + 2] = 0
  }
  return data
}
