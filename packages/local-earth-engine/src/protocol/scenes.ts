/** Scenes of the catalogue as Earth Engine's images, and the search for them. */
import type { Box } from '@skyscript/core'
import { sceneId } from '../catalogue/catalogue.ts'
import { boxRing, clipBox, type Scene, type SceneBand, type SceneSource } from '../catalogue/scene.ts'
import type { Painter, Picture, PixelGrid } from '../draw/scene.ts'
import { badRequest } from './api-error.ts'
import { type Band, band, oncePerGrid, type Plane, TYPES } from './band.ts'
import { TIMED_OUT } from './limits.ts'
import { geometry, shapesIntersect } from './shapes.ts'
import type { ImageValue, Search, Value } from './values.ts'

/** A search without bounds that comes this far has scanned more than Earth Engine would in its time limit. */
const MAX_SCANNED = 200_000

/** Scenes that may match a search, in the order of their ids. Without bounds they come in the order of their places. */
export function* scenesOf(source: SceneSource, search: Search): Generator<Scene> {
  let box: Box | null = source.extent
  for (const each of search.boxes) box = box && clipBox(box, each)
  if (!box) return
  const found = limited(source.scenes(box, search.from, search.to))
  if (search.boxes.length === 0) return yield* found
  const wanted = footprintOf(boxRing(box)).shape
  const meeting = [...found].filter(({ footprint }) => shapesIntersect(footprintOf(footprint).shape, wanted))
  yield* meeting.sort((a, b) => (a.index < b.index ? -1 : 1))
}

function* limited(scenes: Iterable<Scene>): Generator<Scene> {
  let scanned = 0
  for (const scene of scenes) {
    if (++scanned > MAX_SCANNED) throw badRequest(TIMED_OUT)
    yield scene
  }
}

const footprintOf = (ring: Scene['footprint']) => geometry({ type: 'Polygon', coordinates: [ring] })

/** The image of a scene; it is drawn when pixels are asked for. */
export function imageOf(scene: Scene, painter: Painter): ImageValue {
  const picture = oncePerGrid((grid) => painter.paint(scene, grid))
  const { index, time, timeEnd, footprint, properties } = scene
  return {
    kind: 'image',
    id: sceneId(scene),
    bands: scene.bands.map((each) => sceneBand(each, scene, picture)),
    properties: new Map<string, Value>([
      ...(index === '' ? [] : ([['system:index', index]] as const)),
      ...(time === null ? [] : ([['system:time_start', time]] as const)),
      ...(timeEnd === null ? [] : ([['system:time_end', timeEnd]] as const)),
      ['system:footprint', footprintOf(footprint)],
      ...properties,
    ]),
  }
}

function sceneBand(
  { name, type: typeName, shows }: SceneBand,
  { source, gsd }: Scene,
  picture: (grid: PixelGrid) => Picture,
): Band {
  const [black, white] = source.range
  const type = TYPES[typeName]
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
      if (type.precision !== 'int') for (let i = 0; i < size; i++) values[i] = black + from[i]! * scale
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

/** Landsat Collection 2 QA_PIXEL as users know them: clear 21824, dilated cloud 21826, cloud 22280, shadow 23888. */
const LANDSAT_QUALITY = { clear: 21_824, thin: 21_826, cloud: 22_280, shadow: 23_888 } as const
/** Sentinel-2 scene classification: cloud high probability 9, thin cirrus 10, cloud shadow 3. */
const SCENE_CLASS = { cloud: 9, thin: 10, shadow: 3 } as const

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
