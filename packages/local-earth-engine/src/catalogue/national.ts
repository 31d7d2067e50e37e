import type { SourceAlias } from '@skyscript/core'
import { fraction2, hashText, mix } from '../draw/hash.ts'
import { boxRing, clipBox, collectionOf, type Scene, type SceneSource } from './scene.ts'

/** Flight blocks, in degrees. */
const BLOCK = { width: 0.31, height: 0.23 }

/**
 * A country whose flights are catalogued as one mosaic of the whole country per year. A place is flown every `cycle`
 * years; in the others the mosaic has no data there.
 */
function national(alias: SourceAlias, prefix: string, cycle: number): SceneSource {
  const collection = collectionOf(alias)
  const { id, extent, gsd, bands } = collection
  const [first, last] = [new Date(collection.start).getUTCFullYear(), new Date(collection.end).getUTCFullYear()]
  const seed = hashText(id)
  const source: SceneSource = {
    ...collection,
    type: 'IMAGE_COLLECTION',
    *scenes(box, from, to) {
      if (!clipBox(box, extent)) return
      for (let year = first; year <= last; year++) {
        const time = Date.UTC(year, 0, 1)
        if (time >= from && time < to) yield mosaicOf(year)
      }
    },
    scene(index) {
      const match = /^(\w+)_(\d{4})$/.exec(index)
      const year = Number(match?.[2])
      return match?.[1] === prefix && year >= first && year <= last ? mosaicOf(year) : null
    },
  }

  const mosaicOf = (year: number): Scene => ({
    source,
    index: `${prefix}_${year}`,
    footprint: boxRing(extent),
    time: Date.UTC(year, 0, 1),
    timeEnd: Date.UTC(year + 1, 0, 1),
    properties: [['year', year]],
    gsd,
    bands,
    clouds: 0,
    isGap: gapsOf(year),
  })

  /** Whether a year's mosaic has no data at a place. */
  function gapsOf(year: number): (longitude: number, latitude: number) => boolean {
    // Pixels come block by block, so the last answer is nearly always the next.
    let [lastColumn, lastRow, isGap] = [Number.NaN, Number.NaN, false]
    return (longitude, latitude) => {
      const column = Math.floor(longitude / BLOCK.width)
      const row = Math.floor(latitude / BLOCK.height)
      if (column !== lastColumn || row !== lastRow) {
        // Every block's first flight falls in the first years, so that no place is without any.
        const phase = (mix(mix(seed, column), row) >>> 0) % cycle
        const isExtra = fraction2(mix(seed, year), column, row) < 0.15
        isGap = (year - first - phase) % cycle !== 0 && !isExtra
        lastColumn = column
        lastRow = row
      }
      return isGap
    }
  }

  return source
}

/** Yearly mosaics of Switzerland. */
export const SWITZERLAND = national('CH', 'SWISSIMAGE_10cm', 3)
/** Yearly mosaics of Finland. */
export const FINLAND = national('FI', 'SMK_V_50cm', 3)
