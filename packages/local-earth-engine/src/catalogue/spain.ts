import { UINT8 } from '../band.ts'
import { fraction, hashText, mix } from '../hash.ts'
import { boxRing, clipBox, DAY, digits, gridCells, type Scene, type SceneSource } from './scene.ts'

/** Sheets of the national map 1:50,000: 20' by 10'. */
const SHEET = { width: 1 / 3, height: 1 / 6 }
const YEARS = [2007, 2009, 2010, 2012, 2013, 2014, 2015, 2016, 2017, 2018]
const SEED = hashText('pnoa')
/** Columns and rows are counted from here, west and south of all sheets. */
const ORIGIN = { longitude: -10, latitude: 36 }

export const SPAIN: SceneSource = {
  alias: 'ES',
  id: 'Spain/PNOA/PNOA10',
  type: 'IMAGE_COLLECTION',
  title: 'Spain RGB orthophotos, 10 cm',
  gsd: 0.1,
  extent: [-9.32, 36.11, 4.7, 43.48],
  start: Date.UTC(2007, 0, 1),
  end: Date.UTC(2019, 0, 1),
  sensor: { cast: [1.03, 1, 0.95], haze: 0.05, noise: 3, contrast: 1.05, range: [0, 255] },
  bands: [
    { name: 'R', type: UINT8, shows: 'red' },
    { name: 'G', type: UINT8, shows: 'green' },
    { name: 'B', type: UINT8, shows: 'blue' },
  ],
  *scenes(box, from, to) {
    const clipped = clipBox(box, this.extent)
    if (!clipped) return
    const [west, south, east, north] = clipped
    const { longitude, latitude } = ORIGIN
    for (const [column, row] of gridCells(
      [west - longitude, south - latitude, east - longitude, north - latitude],
      SHEET.width,
      SHEET.height,
    )) {
      for (const year of flightYears(column, row)) {
        const scene = sheet(column, row, year)
        if (scene.time! >= from && scene.time! < to) yield scene
      }
    }
  },
  scene(index) {
    const match = /^PNOA10_(\d\d)(\d\d)_(\d{4})$/.exec(index)
    if (!match) return null
    const [column, row, year] = [Number(match[1]), Number(match[2]), Number(match[3])]
    return flightYears(column, row).includes(year) ? sheet(column, row, year) : null
  },
}

/** One to three flights a sheet, the last in 2016 to 2018. */
function flightYears(column: number, row: number): number[] {
  const seed = mix(mix(SEED, column), row)
  const last = 2016 + Math.floor(fraction(seed, 0) * 3)
  const earlier = YEARS.filter((year) => year < last - 2 && fraction(seed, year) < 0.18)
  return [...earlier, last]
}

function sheet(column: number, row: number, year: number): Scene {
  const [west, south] = [ORIGIN.longitude + column * SHEET.width, ORIGIN.latitude + row * SHEET.height]
  const day = 140 + Math.floor(fraction(mix(mix(SEED, column), row), year + 1) * 90)
  const time = Date.UTC(year, 0, 1) + day * DAY + 10 * 3_600_000
  return {
    source: SPAIN,
    index: `PNOA10_${digits(column, 2)}${digits(row, 2)}_${year}`,
    footprint: boxRing([west - 0.002, south - 0.002, west + SHEET.width + 0.002, south + SHEET.height + 0.002]),
    time,
    timeEnd: time + DAY,
    properties: [],
    gsd: 0.1,
    bands: SPAIN.bands,
    clouds: 0,
  }
}
