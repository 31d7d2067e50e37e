import type { Position, SourceAlias } from '@skyscript/core'
import { boxRing, clipBox, collectionOf, DAY, gridCells, type Scene, type SceneSource } from './scene.ts'

/** Images that are the sheets of a grid, each flown once or several times. */
interface Sheets {
  /** Degrees of a sheet, by which images extend beyond it, and by which a search extends beyond its box. */
  readonly width: number
  readonly height: number
  readonly overlap: number
  readonly reach: number
  /** Where columns and rows are counted from. */
  readonly origin: Position
  /** The years in which a sheet was flown. */
  flights(column: number, row: number): readonly number[]
  /** What identifies an image. */
  describe(column: number, row: number, year: number): Pick<Scene, 'index'> & { time: number } & Partial<Scene>
  /** Column, row and year of an index that may be one of an image. */
  locate(index: string): readonly [column: number, row: number, year: number] | null
}

/** A collection of sheets. */
export function sheetSource(alias: SourceAlias, sheets: Sheets): SceneSource {
  const { width, height, overlap, reach, origin } = sheets
  const collection = collectionOf(alias)
  const source: SceneSource = {
    ...collection,
    type: 'IMAGE_COLLECTION',
    *scenes(box, from, to) {
      const clipped = clipBox(box, collection.extent)
      if (!clipped) return
      const [west, south] = [clipped[0] - reach - origin[0], clipped[1] - reach - origin[1]]
      const [east, north] = [clipped[2] + reach - origin[0], clipped[3] + reach - origin[1]]
      for (const [column, row] of gridCells([west, south, east, north], width, height)) {
        for (const year of sheets.flights(column, row)) {
          const scene = sceneOf(column, row, year)
          if (scene.time! >= from && scene.time! < to) yield scene
        }
      }
    },
    scene(index) {
      const [column, row, year] = sheets.locate(index) ?? [0, 0, 0]
      if (!sheets.flights(column, row).includes(year)) return null
      const scene = sceneOf(column, row, year)
      return scene.index === index ? scene : null
    },
  }

  function sceneOf(column: number, row: number, year: number): Scene {
    const [west, south] = [origin[0] + column * width, origin[1] + row * height]
    const described = sheets.describe(column, row, year)
    return {
      source,
      footprint: boxRing([west - overlap, south - overlap, west + width + overlap, south + height + overlap]),
      timeEnd: described.time + DAY,
      properties: [],
      gsd: collection.gsd,
      bands: collection.bands,
      clouds: 0,
      ...described,
    }
  }

  return source
}
