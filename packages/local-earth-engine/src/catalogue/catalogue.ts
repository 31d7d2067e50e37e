import type { Box } from '@skyscript/core'
import { badRequest, loadNotFound } from '../api-error.ts'
import { type Band, band, type PixelGrid, type Plane } from '../band.ts'
import type { Painter, Picture } from '../draw/painter.ts'
import { geometry, shapesIntersect } from '../shapes.ts'
import type { CollectionValue, ImageValue, Search, Value } from '../values.ts'
import { brandenburg } from './brandenburg.ts'
import { LANDSAT_8, LANDSAT_9 } from './landsat.ts'
import { NAIP } from './naip.ts'
import { FINLAND, SWITZERLAND } from './national.ts'
import { clipBox, type Scene, type SceneBand, type SceneSource } from './scene.ts'
import { SENTINEL_2 } from './sentinel2.ts'
import { SKYSAT_MULTISPECTRAL, SKYSAT_RGB } from './skysat.ts'
import { SPAIN } from './spain.ts'

export interface CatalogueOptions {
  /** What Brandenburg's orthophotos are: one image (as its examples load it) or a collection (as it is listed). */
  readonly brandenburg: 'image' | 'collection'
  readonly painter: Painter
  /** Ids of assets, with all that lies below them, that are not shared with the account. */
  readonly denied?: readonly string[]
}

/** The public data catalogue: what ids there are, and what lies behind them. */
export interface Catalogue {
  readonly sources: readonly SceneSource[]
  /** @throws ApiError 400 where there is no such collection, or the asset is of another type */
  loadCollection(id: string): CollectionValue
  /** @throws ApiError 400 where there is no such image, or the asset is of another type */
  loadImage(id: string): ImageValue
  /** The collection or image behind an id, or null. */
  find(id: string): SceneSource | Scene | null
  isDenied(id: string): boolean
}

/** A search without bounds that comes this far has scanned more than Earth Engine would in its time limit. */
const MAX_SCANNED = 200_000

export function createCatalogue({ brandenburg: type, painter, denied = [] }: CatalogueOptions): Catalogue {
  const sources: readonly SceneSource[] = [
    SWITZERLAND,
    SPAIN,
    brandenburg(type === 'image' ? 'IMAGE' : 'IMAGE_COLLECTION'),
    FINLAND,
    NAIP,
    SKYSAT_RGB,
    SKYSAT_MULTISPECTRAL,
    SENTINEL_2,
    LANDSAT_8,
    LANDSAT_9,
  ]

  function find(id: string): SceneSource | Scene | null {
    for (const source of sources) {
      if (id === source.id) return source.type === 'IMAGE' ? source.scene('') : source
      if (source.type === 'IMAGE_COLLECTION' && id.startsWith(`${source.id}/`))
        return source.scene(id.slice(source.id.length + 1))
    }
    return null
  }

  const isDenied = (id: string) => denied.some((each) => id === each || id.startsWith(`${each}/`))
  const loaded = (id: string) => (isDenied(publicId(id)) ? null : find(publicId(id)))

  return {
    sources,
    find,
    isDenied,
    loadCollection(id) {
      const found = loaded(id)
      if (found === null) throw loadNotFound('ImageCollection.load: ImageCollection asset', id)
      if (isScene(found)) throw badRequest(`ImageCollection.load: Asset '${id}' is not an ImageCollection.`)
      return {
        kind: 'collection',
        of: 'ImageCollection',
        id: found.id,
        properties: new Map([['title', found.title]]),
        *elements(search) {
          for (const scene of scenesOf(found, search)) yield imageOf(scene, painter)
        },
      }
    },
    loadImage(id) {
      const found = loaded(id)
      if (found === null) throw loadNotFound('Image.load: Image asset', id)
      if (!isScene(found)) throw badRequest(`Image.load: Asset '${id}' is not an Image.`)
      return imageOf(found, painter)
    },
  }
}

/** `projects/earthengine-public/assets/X` is the long name of X. */
export const publicId = (id: string): string => id.replace(/^projects\/earthengine-(public|legacy)\/assets\//, '')

export const isScene = (found: SceneSource | Scene): found is Scene => 'source' in found

export function sceneId({ source, index }: Scene): string {
  return index === '' ? source.id : `${source.id}/${index}`
}

/** Scenes that may match a search, in the order of their ids. Without bounds they come in the order of their places. */
export function* scenesOf(source: SceneSource, search: Search): Generator<Scene> {
  let box: Box | null = source.extent
  for (const each of search.boxes) box = box && clipBox(box, each)
  if (!box) return
  const found = source.scenes(box, search.from, search.to)
  if (search.boxes.length > 0) {
    const wanted = geometry({ type: 'Polygon', coordinates: [boxCorners(box)] }).shape
    const meeting = [...limit(found)].filter(({ footprint }) =>
      shapesIntersect({ type: 'Polygon', coordinates: [footprint] }, wanted),
    )
    yield* meeting.sort((a, b) => (a.index < b.index ? -1 : 1))
  } else yield* limit(found)
}

function* limit(scenes: Iterable<Scene>): Generator<Scene> {
  let scanned = 0
  for (const scene of scenes) {
    if (++scanned > MAX_SCANNED) throw badRequest('Computation timed out.')
    yield scene
  }
}

const boxCorners = ([west, south, east, north]: Box): [number, number][] => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
  [west, south],
]

export function imageOf(scene: Scene, painter: Painter): ImageValue {
  const pictures = new WeakMap<PixelGrid, Picture>()
  const picture = (grid: PixelGrid): Picture => {
    const known = pictures.get(grid)
    if (known) return known
    const painted = painter.paint(scene, grid)
    pictures.set(grid, painted)
    return painted
  }
  return {
    kind: 'image',
    id: sceneId(scene),
    bands: scene.bands.map((each) => sceneBand(each, scene, picture)),
    properties: new Map<string, Value>([
      ...(scene.index === '' ? [] : ([['system:index', scene.index]] as const)),
      ...(scene.time === null ? [] : ([['system:time_start', scene.time]] as const)),
      ...(scene.timeEnd === null ? [] : ([['system:time_end', scene.timeEnd]] as const)),
      ['system:footprint', geometry({ type: 'Polygon', coordinates: [scene.footprint] })],
      ...scene.properties,
    ]),
  }
}

function sceneBand(
  { name, type, shows }: SceneBand,
  { source, gsd }: Scene,
  picture: (grid: PixelGrid) => Picture,
): Band {
  const [black, white] = source.sensor.range
  return band(name, type, gsd, (grid): Plane => {
    const painted = picture(grid)
    const mask = painted.valid
    const size = grid.width * grid.height
    const values = new Float32Array(size)
    if (shows === 'clouds' || shows === 'landsat-quality' || shows === 'scene-class') {
      for (let i = 0; i < size; i++) values[i] = qualityOf(shows, painted, i)
    } else if (shows === 'thermal') {
      // Kelvin; vegetation and water are cooler than roofs.
      for (let i = 0; i < size; i++) values[i] = 288 + 0.08 * painted.red[i]! - 0.03 * painted.infrared[i]!
    } else {
      const from = shows === 'shortwave' ? painted.red : painted[shows]
      const scale = ((white - black) / 255) * (shows === 'shortwave' ? 1.1 : 1)
      const whole = type.precision === 'int'
      if (!whole) for (let i = 0; i < size; i++) values[i] = black + from[i]! * scale
      else {
        const { min, max } = type
        for (let i = 0; i < size; i++) {
          const value = Math.round(black + from[i]! * scale)
          values[i] = value < min ? min : value > max ? max : value
        }
      }
    }
    if (mask) for (let i = 0; i < size; i++) if (mask[i] === 0) values[i] = 0
    return { values, mask }
  })
}

/** Sentinel-2's cloud probability or scene classes, Landsat's quality bits, for one pixel. */
function qualityOf(
  shows: 'clouds' | 'landsat-quality' | 'scene-class',
  { clouds, shadows, red, infrared }: Picture,
  i: number,
): number {
  const cloud = clouds?.[i] ?? 0
  const shadow = shadows?.[i] ?? 0
  if (shows === 'clouds') return Math.round(cloud * 100)
  const state = cloud > 0.5 ? 'cloud' : cloud > 0.15 ? 'thin' : shadow > 0.4 ? 'shadow' : 'clear'
  if (shows === 'landsat-quality') return LANDSAT_QUALITY[state]
  if (state !== 'clear') return SCENE_CLASS[state]
  if (infrared[i]! < 30) return 6
  return infrared[i]! > 1.3 * red[i]! ? 4 : 5
}

/** Landsat Collection 2 QA_PIXEL as users know them: clear 21824, dilated cloud 21826, cloud 22280, shadow 23888. */
const LANDSAT_QUALITY = { clear: 21_824, thin: 21_826, cloud: 22_280, shadow: 23_888 } as const
/** Sentinel-2 scene classification: cloud high probability 9, thin cirrus 10, cloud shadow 3. */
const SCENE_CLASS = { cloud: 9, thin: 10, shadow: 3 } as const
