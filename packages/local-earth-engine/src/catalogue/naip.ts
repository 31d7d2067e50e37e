import { fraction, fraction2, hashText, mix } from '../draw/hash.ts'
import { collectionOf, compactDate, DAY, digits } from './scene.ts'
import { sheetSource } from './sheets.ts'

/** A quarter of a 7.5' map sheet, in degrees. */
const QUARTER = 0.0625
/** Quarter quads overlap their neighbours by some 300 m. */
const OVERLAP = 0.003
const [FIRST_YEAR, LAST_YEAR] = [2003, 2023]
const SEED = hashText('naip')

const { bands: RGBN } = collectionOf('US')
const [RED, GREEN, BLUE, INFRARED] = RGBN
/** Some early flights were published as colour infrared only. */
const COLOUR_INFRARED = [INFRARED!, RED!, GREEN!]

/** Quarter quads of map sheets. Each state is flown every two or three years. */
export const NAIP = sheetSource('US', {
  width: QUARTER,
  height: QUARTER,
  overlap: OVERLAP,
  reach: OVERLAP,
  origin: [0, 0],
  flights(column, row) {
    const state = mix(mix(SEED, Math.floor((column * QUARTER) / 4)), Math.floor((row * QUARTER) / 3))
    const years: number[] = []
    for (let year = FIRST_YEAR + ((state >>> 3) % 2); year <= LAST_YEAR; year += fraction(state, year) < 0.3 ? 3 : 2)
      years.push(year)
    return years
  },
  describe(column, row, year) {
    const [west, south] = [column * QUARTER, row * QUARTER]
    // Sheets are named by the degree whose numbers their west edge carries, and numbered from its north-west.
    const [longitude, latitude] = [Math.floor(west), Math.floor(south)]
    const sheet =
      Math.floor((latitude + 1 - south - 1e-9) / 0.125) * 8 + Math.floor((west - longitude + 1e-9) / 0.125) + 1
    const quarter = `${row % 2 === 0 ? 's' : 'n'}${column % 2 === 0 ? 'w' : 'e'}`
    const gsd = year >= 2018 ? 0.6 : year < 2006 && fraction2(SEED + 1, longitude, latitude) < 0.3 ? 2 : 1
    // A day's flight covers a strip of quads.
    const dayOfSummer = Math.floor(fraction2(mix(SEED, year), Math.floor(column / 6), Math.floor(row / 24)) * 130)
    const time = Date.UTC(year, 4, 20) + dayOfSummer * DAY + 16 * 3_600_000
    const place = `${digits(latitude, 2)}${digits(-longitude - 1, 3)}${digits(sheet, 2)}_${quarter}`
    const zone = digits(Math.floor((longitude + 180) / 6) + 1, 2)
    const isInfrared = year < 2009 && fraction2(SEED + 2, longitude, latitude * 100 + (year % 100)) < 0.15
    return {
      index: `m_${place}_${zone}_${digits(Math.round(gsd * 100), 3)}_${compactDate(time, 'day')}`,
      time,
      gsd,
      bands: isInfrared ? COLOUR_INFRARED : year < 2009 ? [RED!, GREEN!, BLUE!] : RGBN,
    }
  },
  locate(index) {
    const match = /^m_(\d\d)(\d{3})(\d\d)_(ne|nw|se|sw)_\d\d_(060|100|200)_(\d{4})\d{4}$/.exec(index)
    if (!match) return null
    const sheet = Number(match[3]) - 1
    if (sheet < 0 || sheet > 63) return null
    const [isSouth, isWest] = [match[4]!.startsWith('s'), match[4]!.endsWith('w')]
    const row = Number(match[1]) * 16 + 15 - Math.floor(sheet / 8) * 2 - (isSouth ? 1 : 0)
    const column = -(Number(match[2]) + 1) * 16 + (sheet % 8) * 2 + (isWest ? 0 : 1)
    return [column, row, Number(match[6])]
  },
})
