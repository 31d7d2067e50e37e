import { fraction, hashText, mix } from '../draw/hash.ts'
import { DAY, digits } from './scene.ts'
import { sheetSource } from './sheets.ts'

const YEARS = [2007, 2009, 2010, 2012, 2013, 2014, 2015, 2016, 2017, 2018]
const SEED = hashText('pnoa')

/** Sheets of the national map 1:50,000, 20' by 10': one to three flights each, the last in 2016 to 2018. */
export const SPAIN = sheetSource('ES', {
  width: 1 / 3,
  height: 1 / 6,
  overlap: 0.002,
  reach: 0,
  origin: [-10, 36],
  flights(column, row) {
    const seed = mix(mix(SEED, column), row)
    const last = 2016 + Math.floor(fraction(seed, 0) * 3)
    return [...YEARS.filter((year) => year < last - 2 && fraction(seed, year) < 0.18), last]
  },
  describe(column, row, year) {
    const day = 140 + Math.floor(fraction(mix(mix(SEED, column), row), year + 1) * 90)
    return {
      index: `PNOA10_${digits(column, 2)}${digits(row, 2)}_${year}`,
      time: Date.UTC(year, 0, 1) + day * DAY + 10 * 3_600_000,
    }
  },
  locate(index) {
    const match = /^PNOA10_(\d\d)(\d\d)_(\d{4})$/.exec(index)
    return match && [Number(match[1]), Number(match[2]), Number(match[3])]
  },
})
