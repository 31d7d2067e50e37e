import { formatBytes, mapTileAt, type Position } from '@skyscript/core'
import { boxesIn } from './boxes.ts'
import { groupRequests } from './grouping.ts'
import type { Imagery } from './imagery.ts'
import { PIXEL_STATE } from './pixel-state.ts'
import { byUsualPreference } from './preference.ts'
import type { Source } from './sources/source.ts'
import type { TileImagery } from './web/tiles.ts'

/** Pixels of a sample's side. */
const SIDE = 64

/**
 * Asks a source for one small image at a place.
 *
 * @returns what came, in a few words; null where the source has no image there
 * @throws ServiceError or InputError that says why nothing came
 */
export async function sampleOf(
  source: Source,
  at: Position,
  imagery: Imagery,
  tiles: () => Promise<TileImagery>,
  signal?: AbortSignal,
): Promise<string | null> {
  if (source.kind === 'tiles') {
    const file = await (await tiles()).check(source, at)
    const { width, height } = source.tile
    return file && `${width} x ${height} pixels, ${formatBytes(file.length)} of ${formatOf(file)}`
  }
  const [x, y] = at
  const tile = mapTileAt(at)
  const point = { type: 'Point' as const, coordinates: at }
  const focus = {
    id: 'n0',
    isArea: false,
    box: [x, y, x, y] as [number, number, number, number],
    maxGsd: Infinity,
    edited: null,
    geometry: () => point,
  }
  const settings = { tiles: { minPixels: SIDE, maxPixels: SIDE, pointPixels: SIDE, shift: 0 }, seed: 0 }
  const pixels = boxesIn(tile, settings)(focus)(source)
  if (pixels === null) return null
  const [image] = byUsualPreference(await imagery.find(source, pixels.box, signal))
  if (image === undefined) return null
  const { imageId, time } = image
  const [request] = groupRequests([{ ...pixels, source: source.alias, imageId, time, origin: '' }], tile, [source])
  const { grid } = request!
  const data = await imagery.pixels(source, imageId, grid, signal)
  let valid = 0
  for (let i = 3; i < data.length; i += 4) if (data[i] !== PIXEL_STATE.masked) valid++
  if (valid === 0) return null
  const share = Math.round((100 * valid) / (data.length / 4))
  const year = time === null ? '' : ` of ${new Date(time).getUTCFullYear()}`
  return `${grid.width} x ${grid.height} pixels${year}${share < 100 ? `, ${share} % with data` : ''}`
}

/** By the first bytes: content types are often wrong. */
const formatOf = (file: Buffer): string =>
  file[0] === 0x89 ? 'PNG' : file[0] === 0xff ? 'JPEG' : file.toString('latin1', 8, 12) === 'WEBP' ? 'WebP' : 'an image'
