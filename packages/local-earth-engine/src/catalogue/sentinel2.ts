import { radians } from '@skyscript/core'
import { fraction, hashText, mix } from '../draw/hash.ts'
import {
  boxRing,
  clipBox,
  cloudShare,
  collectionOf,
  compactDate,
  DAY,
  digits,
  type Scene,
  type SceneSource,
} from './scene.ts'

/**
 * Tiles as the Military Grid Reference System names them (zone, latitude band, column and row letter), laid out on
 * latitude and longitude: rows of 0.9 degree, and in each zone as many columns of about 100 km as fit.
 */
const ROW_HEIGHT = 0.9
/** Neighbouring tiles share some 10 km. */
const OVERLAP = 0.05
const REVISIT_DAYS = 5
const collection = collectionOf('S2')
const { start: START, end: END, gsd, bands } = collection
const LATITUDE_BANDS = 'CDEFGHJKLMNPQRSTUVWX'
const COLUMN_LETTERS = ['ABCDEFGH', 'JKLMNPQR', 'STUVWXYZ']
const ROW_LETTERS = 'ABCDEFGHJKLMNPQRSTUV'
const SEED = hashText('sentinel-2')

/** Tiles of Sentinel-2, one pass every five days. */
export const SENTINEL_2: SceneSource = {
  ...collection,
  type: 'IMAGE_COLLECTION',
  *scenes(box, from, to) {
    const clipped = clipBox(box, this.extent)
    if (!clipped) return
    const [west, south, east, north] = clipped
    for (let row = rowOf(south - OVERLAP); row <= rowOf(north + OVERLAP); row++) {
      const width = columnWidth(row)
      const beyond = OVERLAP / Math.cos(radians(middleOf(row)))
      for (let zone = zoneOf(west - beyond); zone <= zoneOf(east + beyond); zone++) {
        if (zone < 1 || zone > 60) continue
        const start = (zone - 1) * 6 - 180
        for (let column = 0; column < columnsOf(row); column++) {
          const left = start + column * width
          if (left - beyond > east || left + width + beyond < west) continue
          yield* passes(zone, row, column, from, to)
        }
      }
    }
  },
  scene(index) {
    const match = /^(\d{4})(\d\d)(\d\d)T\d{6}_\d{8}T\d{6}_T(\d\d)([C-X])([A-Z])([A-V])$/.exec(index)
    if (!match) return null
    const zone = Number(match[4])
    const column = COLUMN_LETTERS[(zone - 1) % 3]!.indexOf(match[6]!)
    const band = LATITUDE_BANDS.indexOf(match[5]!)
    const day = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]))
    for (let row = rowOf(band * 8 - 80) - 1; row <= rowOf(band * 8 - 68); row++) {
      if (column < 0 || column >= columnsOf(row) || zone < 1 || zone > 60) continue
      for (const scene of passes(zone, row, column, day, day + DAY)) if (scene.index === index) return scene
    }
    return null
  },
}

const rowOf = (latitude: number) => Math.floor((latitude + 90) / ROW_HEIGHT)
const middleOf = (row: number) => (row + 0.5) * ROW_HEIGHT - 90
const zoneOf = (longitude: number) => Math.floor((longitude + 180) / 6) + 1
const columnsOf = (row: number) => Math.max(1, Math.min(8, Math.round(6.68 * Math.cos(radians(middleOf(row))))))
const columnWidth = (row: number) => 6 / columnsOf(row)

function tileName(zone: number, row: number, column: number): string {
  const band = LATITUDE_BANDS[Math.max(0, Math.min(19, Math.floor((middleOf(row) + 80) / 8)))]!
  return `${digits(zone, 2)}${band}${COLUMN_LETTERS[(zone - 1) % 3]![column]}${ROW_LETTERS[row % 20]}`
}

function* passes(zone: number, row: number, column: number, from: number, to: number): Generator<Scene> {
  const tile = tileName(zone, row, column)
  const seed = mix(SEED, hashText(tile))
  const width = columnWidth(row)
  const [west, south] = [(zone - 1) * 6 - 180 + column * width, row * ROW_HEIGHT - 90]
  const beyond = OVERLAP / Math.cos(radians(middleOf(row)))
  const footprint = boxRing([
    Math.max(-180, west - beyond),
    Math.max(-90, south - OVERLAP),
    Math.min(180, west + width + beyond),
    Math.min(90, south + ROW_HEIGHT + OVERLAP),
  ])
  // Half past ten local time, on the day of the orbit.
  const first = START + ((seed >>> 8) % REVISIT_DAYS) * DAY + Math.round((10.5 - (west + width / 2) / 15) * 3600) * 1000
  const step = REVISIT_DAYS * DAY
  const end = Math.min(to, END)
  for (let pass = Math.max(0, Math.ceil((from - first) / step)); first + pass * step < end; pass++) {
    const own = mix(seed, pass)
    const time = first + pass * step + Math.floor(fraction(own, 1) * 90) * 1000
    if (time < from || time >= to) continue
    const clouds = cloudShare(own)
    yield {
      source: SENTINEL_2,
      index: `${compactDate(time, 'second')}_${compactDate(time + 200_000 + Math.floor(fraction(own, 2) * 600) * 1000, 'second')}_T${tile}`,
      footprint,
      time,
      timeEnd: time,
      properties: [
        ['CLOUDY_PIXEL_PERCENTAGE', Math.round(clouds * 1e6) / 1e4],
        ['MGRS_TILE', tile],
        ['SPACECRAFT_NAME', pass % 2 === 0 ? 'Sentinel-2A' : 'Sentinel-2B'],
        ['SENSING_ORBIT_DIRECTION', 'DESCENDING'],
        ['NODATA_PIXEL_PERCENTAGE', 0],
      ],
      gsd,
      bands,
      clouds,
    }
  }
}
