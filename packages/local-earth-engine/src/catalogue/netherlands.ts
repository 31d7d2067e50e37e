import { sheetSource } from './sheets.ts'

/** A kilometre of the national grid near its middle, in degrees. */
const [WIDTH, HEIGHT] = [0.01465, 0.00899]
const YEARS = [2021, 2022]
/** Images have the day of no flight, but the first of a year. */
const dayOf = (year: number) => Date.UTC(year, 0, 1)

/** Sheets of a kilometre, named by the metres of their south-west corner in the national grid; all flown every year. */
export const NETHERLANDS = sheetSource('NL', {
  width: WIDTH,
  height: HEIGHT,
  overlap: 0,
  reach: 0,
  // Amersfoort is at 155 km east and 463 km north.
  origin: [5.387 - 155 * WIDTH, 52.155 - 463 * HEIGHT],
  flights: () => YEARS,
  describe: (column, row, year) => ({ index: `${year}_${column}000_${row}000_RGB_hrl`, time: dayOf(year) }),
  locate(index) {
    const match = /^(\d{4})_(\d{1,3})000_(\d{1,3})000_RGB_hrl$/.exec(index)
    return match && [Number(match[2]), Number(match[3]), Number(match[1])]
  },
})
