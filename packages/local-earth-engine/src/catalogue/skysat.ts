import type { Box, Position, SourceAlias } from '@skyscript/core'
import { radians } from '@skyscript/core'
import { UINT8, UINT16 } from '../band.ts'
import { fraction, hashText, mix } from '../hash.ts'
import { clipBox, compactDate, gridCells, type Scene, type SceneBand, type SceneSource, type Sensor } from './scene.ts'

/** Scenes were released for scattered places only: of the cells of this size, some have a few. */
const CELL = 0.25
const SHARE_OF_CELLS = 0.06
/** Cells that always have scenes, centred on a place: the demo town. */
const ALWAYS: readonly Position[] = [[7.45, 46.72]]
/** Farthest that a footprint reaches from its cell, in degrees. */
const REACH = 0.25
const EXTENT: Box = [-180, -70, 180, 53]
const START = Date.UTC(2014, 6, 3)
const END = Date.UTC(2016, 11, 24)
const SEED = hashText('skysat')
const COLUMNS = 360 / CELL
const ROWS = (EXTENT[3] - EXTENT[1]) / CELL
const CELLS = COLUMNS * ROWS
/** Odd and no multiple of 3, 5 or 41: counting on by it visits every cell once, far from the one before. */
const STRIDE = 275_701
/** A scene is known by its second alone: the second's number modulo CELLS names the cell. */
const ROUNDS = Math.floor((END - START) / 1000 / CELLS)
const MAX_SCENES = 4

const LAST_CELLS: Box = [EXTENT[0], EXTENT[1], EXTENT[2] - CELL / 2, EXTENT[3] - CELL / 2]

const secondOfCell = (cell: number, round: number) => round * CELLS + ((cell * STRIDE) % CELLS)

/** The inverse of `secondOfCell`; STRIDE's inverse modulo CELLS comes from Euclid's algorithm. */
function cellOfSecond(second: number): number {
  let [a, b, x, y] = [STRIDE, CELLS, 1, 0]
  while (b !== 0) {
    const quotient = Math.floor(a / b)
    ;[a, b, x, y] = [b, a - quotient * b, y, x - quotient * y]
  }
  return ((second % CELLS) * (((x % CELLS) + CELLS) % CELLS)) % CELLS
}

interface Product {
  readonly alias: SourceAlias
  readonly id: string
  readonly title: string
  readonly gsd: number
  readonly sensor: Sensor
  readonly bands: readonly SceneBand[]
}

function skysat({ alias, id, title, gsd, sensor, bands }: Product): SceneSource {
  const source: SceneSource = {
    alias,
    id,
    type: 'IMAGE_COLLECTION',
    title,
    gsd,
    extent: EXTENT,
    start: START,
    end: END,
    sensor,
    bands,
    *scenes(box, from, to) {
      const clipped = clipBox(box, EXTENT)
      if (!clipped) return
      const [west, south, east, north] = clipped
      const reached = clipBox([west - REACH, south - REACH, east + REACH, north + REACH], LAST_CELLS)
      for (const [column, row] of gridCells(reached ?? clipped, CELL, CELL)) {
        for (const scene of scenesOf(column, row)) if (scene.time! >= from && scene.time! < to) yield scene
      }
    },
    scene(index) {
      const match = /^s0[1-3]_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(index)
      if (!match) return null
      const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
        number,
        number,
        number,
        number,
        number,
        number,
      ]
      const time = Date.UTC(year, month - 1, day, hour, minute, second)
      if (time < START || time >= END) return null
      const cell = cellOfSecond((time - START) / 1000)
      const scenes = scenesOf((cell % COLUMNS) + EXTENT[0] / CELL, Math.floor(cell / COLUMNS) + EXTENT[1] / CELL)
      return scenes.find((scene) => scene.index === index) ?? null
    },
  }

  function scenesOf(column: number, row: number): Scene[] {
    const seed = mix(mix(SEED, column), row)
    const always = ALWAYS.find(([x, y]) => Math.floor(x / CELL) === column && Math.floor(y / CELL) === row)
    if (!always && fraction(seed, 0) >= SHARE_OF_CELLS) return []
    const count = Math.min(MAX_SCENES, (always ? 2 : 1) + Math.floor(fraction(seed, 1) * 3))
    const cell = (row - EXTENT[1] / CELL) * COLUMNS + (column - EXTENT[0] / CELL)
    return Array.from({ length: count }, (_, i) => {
      const own = mix(seed, i + 2)
      const center: Position = always ?? [
        (column + 0.2 + 0.6 * fraction(own, 1)) * CELL,
        (row + 0.2 + 0.6 * fraction(own, 2)) * CELL,
      ]
      const round = Math.floor((fraction(own, 3) * ROUNDS) / MAX_SCENES) * MAX_SCENES + i
      const time = START + secondOfCell(cell, Math.min(round, ROUNDS - MAX_SCENES + i)) * 1000
      return {
        source,
        index: `s0${1 + Math.floor(fraction(own, 4) * 3)}_${compactDate(time, 'second')}Z`,
        footprint: tilted(center, always ? 0.19 : 0.04 + 0.09 * fraction(own, 5), (fraction(own, 6) - 0.5) * 0.3),
        time,
        timeEnd: time + 60_000,
        properties: [],
        gsd,
        bands,
        clouds: 0,
      }
    })
  }

  return source
}

/** A square about a centre, turned by an angle; `half` its half height in degrees. */
function tilted([x, y]: Position, half: number, angle: number): Position[] {
  const stretch = 1 / Math.cos(radians(y))
  const corners = [225, 315, 45, 135, 225].map((degrees): Position => {
    const at = radians(degrees) + angle
    return [x + Math.SQRT2 * half * stretch * Math.cos(at), y + Math.SQRT2 * half * Math.sin(at)]
  })
  return corners.with(4, corners[0]!)
}

export const SKYSAT_RGB = skysat({
  alias: 'P3',
  id: 'SKYSAT/GEN-A/PUBLIC/ORTHO/RGB',
  title: 'Planet SkySat Public Ortho Imagery, RGB',
  gsd: 0.8,
  sensor: { cast: [0.98, 1, 1.02], haze: 0.09, noise: 4, contrast: 0.98, range: [11, 190] },
  bands: [
    { name: 'R', type: UINT8, shows: 'red' },
    { name: 'G', type: UINT8, shows: 'green' },
    { name: 'B', type: UINT8, shows: 'blue' },
  ],
})

export const SKYSAT_MULTISPECTRAL = skysat({
  alias: 'P5',
  id: 'SKYSAT/GEN-A/PUBLIC/ORTHO/MULTISPECTRAL',
  title: 'Planet SkySat Public Ortho Imagery, Multispectral',
  gsd: 2,
  sensor: { cast: [0.97, 1, 1.04], haze: 0.1, noise: 3, contrast: 0.98, range: [200, 6000] },
  bands: [
    { name: 'B', type: UINT16, shows: 'blue' },
    { name: 'G', type: UINT16, shows: 'green' },
    { name: 'R', type: UINT16, shows: 'red' },
    { name: 'N', type: UINT16, shows: 'infrared' },
    { name: 'P', type: UINT16, shows: 'green' },
  ],
})
