import type { Box } from '@skyscript/core'
import { UINT8 } from '../band.ts'
import { fraction2, hashText } from '../hash.ts'
import { boxRing, clipBox, DAY, digits, gridCells, type Scene, type SceneBand, type SceneSource } from './scene.ts'

const ID = 'Germany/Brandenburg/orthos/20cm'
const EXTENT: Box = [11, 51.28, 15, 53.7]
const START = Date.UTC(2021, 7, 1)
const END = Date.UTC(2023, 0, 1)
/** Delivery sheets of the collection, in degrees. */
const SHEET = { width: 0.1, height: 0.05 }
const SEED = hashText(ID)
const BANDS: SceneBand[] = [
  { name: 'N', type: UINT8, shows: 'infrared' },
  { name: 'R', type: UINT8, shows: 'red' },
  { name: 'G', type: UINT8, shows: 'green' },
  { name: 'B', type: UINT8, shows: 'blue' },
]

/**
 * The catalogue lists a collection while its examples load a single image, so both can be served: one image of the
 * whole state without a time, or sheets with the days of their flights.
 */
export function brandenburg(type: SceneSource['type']): SceneSource {
  const source: SceneSource = {
    alias: 'DE',
    id: ID,
    type,
    title: 'Brandenburg (Germany) RGBN orthophotos, 20 cm',
    gsd: 0.2,
    extent: EXTENT,
    start: START,
    end: END,
    sensor: { cast: [0.99, 1, 0.99], haze: 0.04, noise: 2.5, contrast: 1.02, range: [0, 255] },
    bands: BANDS,
    *scenes(box, from, to) {
      const clipped = clipBox(box, EXTENT)
      if (!clipped) return
      if (type === 'IMAGE') yield whole()
      else {
        for (const [column, row] of gridCells(clipped, SHEET.width, SHEET.height)) {
          const scene = sheet(column, row)
          if (scene.time! >= from && scene.time! < to) yield scene
        }
      }
    },
    scene(index) {
      if (type === 'IMAGE') return index === '' ? whole() : null
      const match = /^dop20rgbi_(\d{3})_(\d{4})$/.exec(index)
      return match ? sheet(Number(match[1]), Number(match[2])) : null
    },
  }

  const common = { source, properties: [], gsd: 0.2, bands: BANDS, clouds: 0 }

  function whole(): Scene {
    return { ...common, index: '', footprint: boxRing(EXTENT), time: null, timeEnd: null }
  }

  function sheet(column: number, row: number): Scene {
    const [west, south] = [column * SHEET.width, row * SHEET.height]
    const days = Math.floor((END - START) / DAY)
    const time = START + Math.floor(fraction2(SEED, Math.floor(column / 4), Math.floor(row / 6)) * days) * DAY
    const footprint = boxRing([west, south, west + SHEET.width, south + SHEET.height])
    return {
      ...common,
      index: `dop20rgbi_${digits(column, 3)}_${digits(row, 4)}`,
      footprint,
      time,
      timeEnd: time + DAY,
    }
  }

  return source
}
