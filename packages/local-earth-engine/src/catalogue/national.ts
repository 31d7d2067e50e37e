import type { Box, SourceAlias } from '@skyscript/core'
import { UINT8 } from '../band.ts'
import { fraction2, hashText, mix } from '../hash.ts'
import { boxRing, clipBox, type Scene, type SceneSource, type Sensor } from './scene.ts'

/** Countries whose flights are catalogued as one mosaic of the whole country per year. */
interface National {
  readonly alias: SourceAlias
  readonly id: string
  readonly title: string
  readonly prefix: string
  readonly gsd: number
  readonly extent: Box
  readonly years: readonly [first: number, last: number]
  /** A place is flown every so many years; in the others the mosaic has no data there. */
  readonly cycle: number
  readonly sensor: Sensor
}

/** Flight blocks, in degrees. */
const BLOCK = { width: 0.31, height: 0.23 }

function national(country: National): SceneSource {
  const { alias, id, title, prefix, gsd, extent, years, cycle, sensor } = country
  const seed = hashText(id)
  const source: SceneSource = {
    alias,
    id,
    type: 'IMAGE_COLLECTION',
    title,
    gsd,
    extent,
    start: Date.UTC(years[0], 0, 1),
    end: Date.UTC(years[1], 0, 1) + 1,
    sensor,
    bands: [
      { name: 'R', type: UINT8, shows: 'red' },
      { name: 'G', type: UINT8, shows: 'green' },
      { name: 'B', type: UINT8, shows: 'blue' },
    ],
    *scenes(box, from, to) {
      if (!clipBox(box, extent)) return
      for (let year = years[0]; year <= years[1]; year++) {
        const time = Date.UTC(year, 0, 1)
        if (time >= from && time < to) yield mosaicOf(year)
      }
    },
    scene(index) {
      const match = /^(\w+)_(\d{4})$/.exec(index)
      const year = Number(match?.[2])
      return match && match[1] === prefix && year >= years[0] && year <= years[1] ? mosaicOf(year) : null
    },
  }

  function mosaicOf(year: number): Scene {
    return {
      source,
      index: `${prefix}_${year}`,
      footprint: boxRing(extent),
      time: Date.UTC(year, 0, 1),
      timeEnd: Date.UTC(year + 1, 0, 1),
      properties: [['year', year]],
      gsd,
      bands: source.bands,
      clouds: 0,
      isGap: gapsOf(year),
    }
  }

  /** Whether a year's mosaic has no data at a place. */
  function gapsOf(year: number): (longitude: number, latitude: number) => boolean {
    // Pixels come block by block, so the last answer is nearly always the next.
    let [lastColumn, lastRow, last] = [Number.NaN, Number.NaN, false]
    return (longitude, latitude) => {
      const column = Math.floor(longitude / BLOCK.width)
      const row = Math.floor(latitude / BLOCK.height)
      if (column !== lastColumn || row !== lastRow) {
        // Every block's first flight falls in the first years, so that no place is without any.
        const phase = (mix(mix(seed, column), row) >>> 0) % cycle
        const isExtra = fraction2(mix(seed, year), column, row) < 0.15
        last = (year - years[0] - phase) % cycle !== 0 && !isExtra
        lastColumn = column
        lastRow = row
      }
      return last
    }
  }

  return source
}

export const SWITZERLAND = national({
  alias: 'CH',
  id: 'Switzerland/SWISSIMAGE/orthos/10cm',
  title: 'SWISSIMAGE 10 cm RGB imagery',
  prefix: 'SWISSIMAGE_10cm',
  gsd: 0.1,
  extent: [5.9, 45.8, 10.6, 47.8],
  years: [2017, 2021],
  cycle: 3,
  sensor: { cast: [1, 1, 1.02], haze: 0.04, noise: 2.5, contrast: 1, range: [11, 190] },
})

export const FINLAND = national({
  alias: 'FI',
  id: 'Finland/SMK/V/50cm',
  title: 'Finland NRG/RGB orthophotos, 50 cm',
  prefix: 'SMK_V_50cm',
  gsd: 0.5,
  extent: [18, 59, 29.2, 69.4],
  years: [2015, 2022],
  cycle: 3,
  sensor: { cast: [0.97, 1, 1.02], haze: 0.05, noise: 3, contrast: 1, range: [11, 190] },
})
