import type { Position, SourceAlias } from '@skyscript/core'
import { fraction, hashText, mix } from '../draw/hash.ts'
import { digits, type SceneSource } from './scene.ts'
import { sheetSource } from './sheets.ts'

/** Degrees of a sheet of the map 1:10,000, 5 by 5 km, and where sheets are counted from. */
const SHEET = { width: 0.085, height: 0.045, overlap: 0, reach: 0, origin: [21, 57] as Position } as const
/** Low flights cover these towns and what is within this many sheets of them. */
const TOWNS: readonly Position[] = [
  [24.75, 59.43],
  [26.72, 58.38],
  [24.5, 58.38],
  [25.6, 58.36],
  [26.35, 59.35],
]
const AROUND = 2

const cellOf = ([longitude, latitude]: Position) => [
  Math.floor((longitude - SHEET.origin[0]) / SHEET.width),
  Math.floor((latitude - SHEET.origin[1]) / SHEET.height),
]
const TOWN_CELLS = TOWNS.map(cellOf)

const isTown = (column: number, row: number) =>
  TOWN_CELLS.some(([x, y]) => Math.abs(column - x!) <= AROUND && Math.abs(row - y!) <= AROUND)

/** Sheets named by their number and year, each flown in some of the years from `first` on, the last in 2018 to 2020. */
function estonia(alias: SourceAlias, first: number, isFlown: (column: number, row: number) => boolean): SceneSource {
  const seedOf = (column: number, row: number) =>
    mix(mix(hashText(alias), Math.floor(column / 12)), Math.floor(row / 12))
  return sheetSource(alias, {
    ...SHEET,
    flights(column, row) {
      if (!isFlown(column, row)) return []
      const seed = seedOf(column, row)
      const years: number[] = []
      for (
        let year = 2018 + Math.floor(fraction(seed, 0) * 3);
        year >= first;
        year -= 3 + Math.floor(fraction(seed, year) * 3) // biome-ignore format: one loop
      )
        years.unshift(year)
      return years
    },
    describe(column, row, year) {
      const sheet = `${digits(row, 2)}${digits(column, 3)}`
      return { index: `${sheet}_OF_RGB_GeoTIFF_${year}_${sheet}`, time: Date.UTC(year, 0, 1) }
    },
    locate(index) {
      const match = /^(\d\d)(\d{3})_OF_RGB_GeoTIFF_(\d{4})_\1\2$/.exec(index)
      return match && [Number(match[2]), Number(match[1]), Number(match[3])]
    },
  })
}

/** Orthophotos of the whole country. */
export const ESTONIA = estonia('EE', 1993, () => true)
/** Orthophotos of towns, from lower flights. */
export const ESTONIA_LOW_FLYING = estonia('EL', 2008, isTown)
