import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Position } from '@skyscript/core'
import { WEB_MERCATOR } from '../src/crs/grid-system.ts'
import { projectionOf } from '../src/crs/projections.ts'
import { type FileServer, plainTiff, serveFiles, textured } from './cog-set-up.ts'

/** A scene of the catalogue, and the GeoTIFF that is drawn for it. */
export interface DrawnScene {
  /** Also its file's name. */
  readonly id: string
  /** The north-western corner, degrees. */
  readonly at: Position
  /** Pixels of a side, and their size in units of the system. */
  readonly size: number
  readonly step: number
  readonly epsg?: 32632 | 3857 | 4326
  readonly rule?: (x: number, y: number) => readonly [number, number, number]
  /** Replaces or adds to what the catalogue says. */
  readonly entry?: Record<string, unknown>
}

/** A side of a scene in degrees, a little more than the file's own. */
const forward = (epsg: number) => (epsg === 3857 ? WEB_MERCATOR.forward : projectionOf(epsg, 'test').forward)
const inverse = (epsg: number) => (epsg === 3857 ? WEB_MERCATOR.inverse : projectionOf(epsg, 'test').inverse)

/** The entry of a scene, without its address. */
export function entryOf({ id, at, size, step, epsg = 32632, entry }: DrawnScene) {
  const [x, y] = forward(epsg)(at)
  const corners = [
    [x, y],
    [x + size * step, y],
    [x + size * step, y - size * step],
    [x, y - size * step],
    [x, y],
  ].map((corner) => inverse(epsg)(corner as Position))
  return {
    _id: id,
    title: `Scene ${id}`,
    provider: `Pilot of ${id}`,
    platform: 'uav',
    gsd: step,
    acquisition_start: '2021-06-03T10:00:00.000Z',
    acquisition_end: '2021-06-03T12:00:00.000Z',
    geojson: { type: 'Polygon', coordinates: [corners] },
    properties: { license: 'CC-BY 4.0', sensor: 'a camera' },
    ...entry,
  }
}

/**
 * Serves a catalogue of scenes at `/meta` as OpenAerialMap does, up to `most` on a page, and their files. It looks at no
 * bbox, but for `bboxes`.
 *
 * @param more entries beside those of the scenes
 */
export async function serveScenes(
  folder: string,
  scenes: readonly DrawnScene[],
  {
    most = 100,
    more = [],
    spoil,
  }: {
    readonly most?: number
    readonly more?: readonly unknown[]
    readonly spoil?: (number: number, response: ServerResponse, path: string) => boolean
  } = {},
): Promise<FileServer> {
  for (const { id, at, size, step, epsg = 32632, rule = textured } of scenes)
    await plainTiff(join(folder, `${id}.tif`), epsg, step, forward(epsg)(at), rule, size)
  return serveFiles(
    folder,
    (path, _body, url, query) => {
      if (path !== '/meta') return undefined
      const all = [...scenes.map((scene) => ({ uuid: `${url}/${scene.id}.tif`, ...entryOf(scene) })), ...more]
      const [page, limit] = [Number(query.get('page') ?? 1), Math.min(most, Number(query.get('limit') ?? 100))]
      const results = all.slice((page - 1) * limit, page * limit)
      return { meta: { provided_by: 'test', license: 'CC-BY 4.0', page, limit, found: all.length }, results }
    },
    spoil,
  )
}
