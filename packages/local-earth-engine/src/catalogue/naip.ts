import type { Box } from '@skyscript/core'
import { UINT8 } from '../band.ts'
import { fraction, fraction2, hashText, mix } from '../hash.ts'
import {
  boxRing,
  clipBox,
  compactDate,
  DAY,
  digits,
  gridCells,
  type Scene,
  type SceneBand,
  type SceneSource,
} from './scene.ts'

/** A quarter of a 7.5' map sheet. */
const QUARTER = 0.0625
/** Quarter quads overlap their neighbours by some 300 m. */
const OVERLAP = 0.003
const FIRST_YEAR = 2003
const LAST_YEAR = 2023
const SEED = hashText('naip')

const band = (name: string, shows: SceneBand['shows']): SceneBand => ({ name, type: UINT8, shows })
const RGBN = [band('R', 'red'), band('G', 'green'), band('B', 'blue'), band('N', 'infrared')]
/** Some early flights were published as colour infrared only. */
const COLOUR_INFRARED = [band('N', 'infrared'), band('R', 'red'), band('G', 'green')]

export const NAIP: SceneSource = {
  alias: 'US',
  id: 'USDA/NAIP/DOQQ',
  type: 'IMAGE_COLLECTION',
  title: 'NAIP: National Agriculture Imagery Program',
  gsd: 0.6,
  extent: [-124.84, 24.42, -64.82, 49.72],
  start: Date.UTC(2002, 5, 15),
  end: Date.UTC(LAST_YEAR + 1, 0, 1),
  sensor: { cast: [1, 1, 0.98], haze: 0.06, noise: 3, contrast: 1.02, range: [0, 255] },
  bands: RGBN,
  *scenes(box, from, to) {
    const clipped = clipBox(box, this.extent)
    if (!clipped) return
    const [west, south, east, north] = clipped
    const reached: Box = [west - OVERLAP, south - OVERLAP, east + OVERLAP, north + OVERLAP]
    for (const [column, row] of gridCells(reached, QUARTER, QUARTER)) {
      for (const year of flightYears(column, row)) {
        const scene = quarterQuad(column, row, year)
        if (scene.time! >= from && scene.time! < to) yield scene
      }
    }
  },
  scene(index) {
    const match = /^m_(\d\d)(\d{3})(\d\d)_(ne|nw|se|sw)_\d\d_(060|100|200)_(\d{4})\d{4}$/.exec(index)
    if (!match) return null
    const sheet = Number(match[3]) - 1
    if (sheet < 0 || sheet > 63) return null
    const [south, west] = [match[4]!.startsWith('s'), match[4]!.endsWith('w')]
    const row = Number(match[1]) * 16 + 15 - Math.floor(sheet / 8) * 2 - (south ? 1 : 0)
    const column = -(Number(match[2]) + 1) * 16 + (sheet % 8) * 2 + (west ? 0 : 1)
    const year = Number(match[6])
    if (!flightYears(column, row).includes(year)) return null
    const scene = quarterQuad(column, row, year)
    return scene.index === index ? scene : null
  },
}

/** Each state is flown every two or three years. */
function flightYears(column: number, row: number): number[] {
  const state = mix(mix(SEED, Math.floor((column * QUARTER) / 4)), Math.floor((row * QUARTER) / 3))
  const years: number[] = []
  for (let year = FIRST_YEAR + ((state >>> 3) % 2); year <= LAST_YEAR; year += fraction(state, year) < 0.3 ? 3 : 2)
    years.push(year)
  return years
}

function quarterQuad(column: number, row: number, year: number): Scene {
  const [west, south] = [column * QUARTER, row * QUARTER]
  const latitude = Math.floor(south)
  // Sheets are named by the degree whose numbers their west edge carries, and numbered from its north-west.
  const longitude = Math.floor(west)
  const sheet =
    Math.floor((latitude + 1 - south - 1e-9) / 0.125) * 8 + Math.floor((west - longitude + 1e-9) / 0.125) + 1
  const quarter = `${row % 2 === 0 ? 's' : 'n'}${column % 2 === 0 ? 'w' : 'e'}`
  const gsd = year >= 2018 ? 0.6 : year < 2006 && fraction2(SEED + 1, longitude, latitude) < 0.3 ? 2 : 1
  // A day's flight covers a strip of quads.
  const dayOfSummer = Math.floor(fraction2(mix(SEED, year), Math.floor(column / 6), Math.floor(row / 24)) * 130)
  const time = Date.UTC(year, 4, 20) + dayOfSummer * DAY + 16 * 3_600_000
  const zone = Math.floor((longitude + 180) / 6) + 1
  const resolution = digits(Math.round(gsd * 100), 3)
  const index = `m_${digits(latitude, 2)}${digits(-longitude - 1, 3)}${digits(sheet, 2)}_${quarter}_${digits(zone, 2)}_${resolution}_${compactDate(time, 'day')}`
  const infrared = year < 2009 && fraction2(SEED + 2, longitude, latitude * 100 + (year % 100)) < 0.15
  return {
    source: NAIP,
    index,
    footprint: boxRing([west - OVERLAP, south - OVERLAP, west + QUARTER + OVERLAP, south + QUARTER + OVERLAP]),
    time,
    timeEnd: time + DAY,
    properties: [],
    gsd,
    bands: infrared ? COLOUR_INFRARED : year < 2009 ? RGBN.slice(0, 3) : RGBN,
    clouds: 0,
  }
}
