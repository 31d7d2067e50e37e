import { type Box, METRES_PER_DEGREE_LONGITUDE } from '@skyscript/core'
import { assetName, type Catalogue, isScene, publicId, sceneId } from '../catalogue/catalogue.ts'
import type { Scene, SceneSource } from '../catalogue/scene.ts'
import { parseDate } from './algorithm.ts'
import { assetDenied, assetNotFound, badRequest } from './api-error.ts'
import { TYPES } from './band.ts'
import { scenesOf } from './scenes.ts'
import { makeShape, shapeBox } from './shapes.ts'
import { EVERYTHING, type Search, type Value } from './values.ts'

const MAX_PAGE = 1000

/** `GET /v1/{name}` of an asset of the public catalogue. */
export function describeAsset(catalogue: Catalogue, name: string): unknown {
  checkDenied(catalogue, name)
  const found = catalogue.find(publicId(name))
  if (found === null) throw assetNotFound(publicId(name))
  return isScene(found) ? describeScene(found) : describeSource(found)
}

/** `GET /v1/{name}:listAssets`: the images of a collection, page by page, or what a folder holds. */
export function listAssets(catalogue: Catalogue, name: string, query: URLSearchParams): unknown {
  checkDenied(catalogue, name)
  const found = catalogue.find(publicId(name))
  if (found === null) {
    const inside = catalogue.sources.filter(({ id }) => id.startsWith(`${publicId(name)}/`))
    if (inside.length === 0) throw assetNotFound(publicId(name))
    return { assets: inside.map(describeSource) }
  }
  if (isScene(found)) throw badRequest(`Asset '${publicId(name)}' is not a collection or folder.`)
  const pageSize = Math.min(MAX_PAGE, Math.max(1, Number(query.get('pageSize') ?? MAX_PAGE) || MAX_PAGE))
  const skipped = pageStart(query.get('pageToken'))
  const basic = query.get('view') === 'BASIC'
  const assets: unknown[] = []
  let position = 0
  for (const scene of scenesOf(found, searchOf(query.get('filter') ?? ''))) {
    if (position++ < skipped) continue
    if (assets.length === pageSize)
      return { assets, nextPageToken: Buffer.from(String(skipped + pageSize)).toString('base64url') }
    assets.push(basic ? basicScene(scene) : describeScene(scene))
  }
  return { assets }
}

function checkDenied(catalogue: Catalogue, name: string): void {
  if (catalogue.isDenied(publicId(name))) throw assetDenied(name)
}

function pageStart(token: string | null): number {
  if (token === null || token === '') return 0
  const start = Number(Buffer.from(token, 'base64url').toString())
  if (!Number.isSafeInteger(start) || start < 0) throw badRequest('Invalid page token.')
  return start
}

/** `intersects("<GeoJSON>")`, `startTime >= "2020-01-01T00:00:00Z"` and `startTime < "..."`, joined by AND. */
function searchOf(filter: string): Search {
  let { boxes, from, to } = EVERYTHING
  let rest = filter.trim()
  while (rest !== '') {
    const shape = /^intersects\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*\)/.exec(rest)
    const time = /^startTime\s*(>=|<=|>|<)\s*"([^"]+)"/.exec(rest)
    if (shape) boxes = [...boxes, geoJsonBox(shape[1]!.slice(1, -1).replace(/\\(.)/g, '$1'))]
    else if (time && time[1]!.startsWith('>')) from = Math.max(from, parseDate(time[2]!))
    else if (time) to = Math.min(to, parseDate(time[2]!) + (time[1] === '<=' ? 1 : 0))
    else
      throw badRequest(
        `This server can't read the filter from "${rest.slice(0, 40)}" on; it knows intersects and startTime.`,
      )
    rest = rest
      .slice((shape ?? time)![0].length)
      .replace(/^\s*AND\s+/i, '')
      .trim()
  }
  return { boxes, from, to }
}

function geoJsonBox(text: string): Box {
  try {
    const { type, coordinates } = JSON.parse(text) as { type: string; coordinates: Value }
    return shapeBox(makeShape(type, coordinates))
  } catch {
    throw badRequest('Invalid GeoJSON in the filter.')
  }
}

function describeSource({ id, type, title, start, end, extent }: SceneSource): unknown {
  const [west, south, east, north] = extent
  return {
    type,
    name: assetName(id),
    id,
    startTime: new Date(start).toISOString(),
    endTime: new Date(end).toISOString(),
    title,
    properties: { title, 'system:extent': [west, south, east, north] },
  }
}

function basicScene(scene: Scene) {
  return { type: 'IMAGE', name: assetName(sceneId(scene)), id: sceneId(scene) }
}

function describeScene(scene: Scene): unknown {
  const { time, timeEnd, footprint, bands, gsd, properties } = scene
  const degrees = gsd / METRES_PER_DEGREE_LONGITUDE
  return {
    ...basicScene(scene),
    ...(time !== null && { startTime: new Date(time).toISOString() }),
    ...(timeEnd !== null && { endTime: new Date(timeEnd).toISOString() }),
    geometry: { type: 'Polygon', coordinates: [footprint] },
    properties: Object.fromEntries(properties),
    bands: bands.map(({ name, type }) => ({
      id: name,
      dataType: {
        precision: TYPES[type].precision === 'int' ? 'INT' : 'FLOAT',
        ...(type !== 'float' && { range: { min: TYPES[type].min, max: TYPES[type].max } }),
      },
      grid: { crsCode: 'EPSG:4326', affineTransform: { scaleX: degrees, scaleY: -degrees } },
    })),
  }
}
