import { type Box, type Position, radians, type SourceAlias } from '@skyscript/core'
import { fraction, hashText, mix } from '../draw/hash.ts'
import { clipBox, collectionOf, compactDate, gridCells, type Scene, type SceneSource } from './scene.ts'

/** Scenes were released for scattered places only: of the cells of this size, some have a few. */
const CELL = 0.25
const SHARE_OF_CELLS = 0.06
/** Cells that always have scenes, centred on a place: the demo town. */
const ALWAYS: readonly Position[] = [[7.45, 46.72]]
/** Farthest that a footprint reaches from its cell, in degrees. */
const REACH = 0.25
const { extent: EXTENT, start: START, end: END } = collectionOf('P3')
const SEED = hashText('skysat')
const COLUMNS = 360 / CELL
const ROWS = (EXTENT[3] - EXTENT[1]) / CELL
const CELLS = COLUMNS * ROWS
/** Odd and no multiple of 3, 5 or 41: counting on by it visits every cell once, far from the one before. */
const STRIDE = 275_701
/** A scene is identified by its second: the second's number modulo CELLS names the cell. */
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

function skysat(alias: SourceAlias): SceneSource {
  const collection = collectionOf(alias)
  const { gsd, bands } = collection
  const source: SceneSource = {
    ...collection,
    type: 'IMAGE_COLLECTION',
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
      const [year, month, ...rest] = match.slice(1).map(Number) as [number, number, ...number[]]
      const time = Date.UTC(year, month - 1, ...rest)
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

/** Colour images of SkySat. */
export const SKYSAT_RGB = skysat('P3')
/** Images of the same scenes with an infrared band. */
export const SKYSAT_MULTISPECTRAL = skysat('P5')
