import { type Position, radians, type SourceAlias } from '@skyscript/core'
import { fraction, hashText, mix } from '../draw/hash.ts'
import { clipBox, cloudShare, collectionOf, compactDate, DAY, digits, type Scene, type SceneSource } from './scene.ts'

/**
 * The Worldwide Reference System 2: 233 paths, 1.545 degrees apart at the equator, that lean east towards the north,
 * and rows of about 160 km numbered from the north; row 60 is the equator.
 */
const PATHS = 233
const PATH_SPACING = 360 / PATHS
const FIRST_PATH = -64.6
const LEAN = 0.25
const ROW_SPACING = 1.437
const ROWS = 122
/** Half of a scene's 185 km, in degrees of latitude. */
const HALF = 0.83
const REPEAT_DAYS = 16
/** Share of the scenes that were published without a cloud assessment, as -1. */
const SHARE_WITHOUT_CLOUD_COVER = 0.02

/** @param phase days by which it flies the paths later */
function landsat(alias: SourceAlias, number: 8 | 9, phase: number): SceneSource {
  const collection = collectionOf(alias)
  const { start, end: last, gsd, bands } = collection
  const prefix = `LC0${number}`
  const seed = hashText(prefix)
  const source: SceneSource = {
    ...collection,
    type: 'IMAGE_COLLECTION',
    *scenes(box, from, to) {
      const clipped = clipBox(box, this.extent)
      if (!clipped) return
      const [west, south, east, north] = clipped
      for (let row = rowAt(north) - 1; row <= rowAt(south) + 1; row++) {
        if (row < 1 || row > ROWS) continue
        const reach = halfWidth(row) + LEAN * HALF
        const first = Math.floor(pathAt(east + reach, row))
        const last = Math.min(first + PATHS - 1, Math.ceil(pathAt(west - reach, row)))
        for (let path = first; path <= last; path++) yield* passes(wrapPath(path), row, from, to)
      }
    },
    scene(index) {
      const match = /^LC0([89])_(\d{3})(\d{3})_(\d{4})(\d\d)(\d\d)$/.exec(index)
      if (!match || Number(match[1]) !== number) return null
      const [path, row] = [Number(match[2]), Number(match[3])]
      if (path < 1 || path > PATHS || row < 1 || row > ROWS) return null
      const day = Date.UTC(Number(match[4]), Number(match[5]) - 1, Number(match[6]))
      for (const scene of passes(path, row, day, day + DAY)) if (scene.index === index) return scene
      return null
    },
  }

  function* passes(path: number, row: number, from: number, to: number): Generator<Scene> {
    const own = mix(mix(seed, path), row)
    const step = REPEAT_DAYS * DAY
    const longitude = wrapLongitude(pathLongitude(path, row))
    const first = start + ((path * 7 + phase) % REPEAT_DAYS) * DAY + Math.round((10.2 - longitude / 15) * 3600) * 1000
    const end = Math.min(to, last)
    for (let pass = Math.max(0, Math.ceil((from - first) / step)); first + pass * step < end; pass++) {
      const time = first + pass * step
      if (time < from) continue
      yield sceneAt(path, row, longitude, time, mix(own, pass))
    }
  }

  function sceneAt(path: number, row: number, longitude: number, time: number, own: number): Scene {
    const clouds = cloudShare(own)
    const unknown = fraction(own, 5) < SHARE_WITHOUT_CLOUD_COVER
    const latitude = rowLatitude(row)
    return {
      source,
      index: `${prefix}_${digits(path, 3)}${digits(row, 3)}_${compactDate(time, 'day')}`,
      footprint: footprintAt(longitude, latitude, halfWidth(row)),
      time,
      timeEnd: time,
      properties: [
        ['CLOUD_COVER', unknown ? -1 : Math.round(clouds * 1e4) / 100],
        ['WRS_PATH', path],
        ['WRS_ROW', row],
        ['SPACECRAFT_ID', `LANDSAT_${number}`],
        ['DATE_ACQUIRED', new Date(time).toISOString().slice(0, 10)],
      ],
      gsd,
      bands,
      clouds,
    }
  }

  return source
}

const rowLatitude = (row: number) => (60 - row) * ROW_SPACING
const rowAt = (latitude: number) => Math.round(60 - latitude / ROW_SPACING)
const halfWidth = (row: number) => HALF / Math.max(0.1, Math.cos(radians(rowLatitude(row))))
const pathLongitude = (path: number, row: number) => FIRST_PATH - (path - 1) * PATH_SPACING + LEAN * rowLatitude(row)
const pathAt = (longitude: number, row: number) => 1 + (FIRST_PATH + LEAN * rowLatitude(row) - longitude) / PATH_SPACING
const wrapPath = (path: number) => ((((path - 1) % PATHS) + PATHS) % PATHS) + 1
const wrapLongitude = (longitude: number) => ((((longitude + 180) % 360) + 360) % 360) - 180

/** Counter-clockwise, leaning with the orbit; cut at the date line. */
function footprintAt(longitude: number, latitude: number, half: number): Position[] {
  const lean = LEAN * HALF
  const [south, north] = [Math.max(-90, latitude - HALF), Math.min(90, latitude + HALF)]
  const corner = (x: number, y: number): Position => [Math.max(-180, Math.min(180, x)), y]
  const southWest = corner(longitude - half - lean, south)
  return [
    southWest,
    corner(longitude + half - lean, south),
    corner(longitude + half + lean, north),
    corner(longitude - half + lean, north),
    southWest,
  ]
}

/** Scenes of Landsat 8. */
export const LANDSAT_8 = landsat('L8', 8, 0)
/** Scenes of Landsat 9, which flies the same paths eight days apart from Landsat 8. */
export const LANDSAT_9 = landsat('L9', 9, 8)
