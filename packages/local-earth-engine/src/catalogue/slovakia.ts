import { sheetSource } from './sheets.ts'

/** Degrees of a sheet, and where the counting of its parts begins. */
const [WIDTH, HEIGHT] = [0.1, 0.07]
const WEST = 16
/** The west was flown first, the east last: each year has a strip of the country, named by a town in it. */
const STRIPS = [
  { year: 2017, town: 'BRATISLAVA', east: 18.4 },
  { year: 2018, town: 'BANSKA_BYSTRICA', east: 20.2 },
  { year: 2019, town: 'KOSICE', east: 180 },
] as const

const stripOf = (column: number) => STRIPS.find(({ east }) => WEST + (column + 1) * WIDTH <= east + 1e-9)!

/** Sheets of one mosaic of the country; each was flown in one of three years. */
export const SLOVAKIA = sheetSource('SK', {
  width: WIDTH,
  height: HEIGHT,
  overlap: 0,
  reach: 0,
  origin: [WEST, 47],
  flights: (column) => [stripOf(column).year],
  describe: (column, row, year) => ({
    index: `${year}_${stripOf(column).town}_${column}_${row}`,
    time: Date.UTC(year, 0, 1),
  }),
  locate(index) {
    const match = /^(\d{4})_[A-Z_]+_(\d{1,2})_(\d{1,2})$/.exec(index)
    return match && [Number(match[2]), Number(match[3]), Number(match[1])]
  },
})
