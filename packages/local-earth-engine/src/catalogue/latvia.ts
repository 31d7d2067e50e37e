import { fraction, hashText, mix } from '../draw/hash.ts'
import { digits } from './scene.ts'
import { sheetSource } from './sheets.ts'

/** First years of the flights of the whole country, which took three years each. */
const FLIGHTS = [2007, 2010, 2013, 2015]
const SEED = hashText('latvia')

/** Sheets of the map 1:10,000, 5 by 5 km: flown up to four times, the last time in 2015 to 2017. */
export const LATVIA = sheetSource('LV', {
  width: 0.08,
  height: 0.045,
  overlap: 0,
  reach: 0,
  origin: [20, 55],
  flights(column, row) {
    const seed = mix(mix(SEED, Math.floor(column / 20)), Math.floor(row / 20))
    return [...new Set(FLIGHTS.map((year) => year + Math.floor(fraction(seed, year) * 3)))]
  },
  describe: (column, row, year) => ({
    index: `${digits(column, 3)}_${digits(row, 3)}_RGB_${year}`,
    time: Date.UTC(year, 0, 1),
  }),
  locate(index) {
    const match = /^(\d{3})_(\d{3})_RGB_(\d{4})$/.exec(index)
    return match && [Number(match[1]), Number(match[2]), Number(match[3])]
  },
})
