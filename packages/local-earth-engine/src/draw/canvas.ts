import { METRES_PER_DEGREE_LONGITUDE, radians } from '@skyscript/core'
import { addEdge, type CoverageBuffer, coverageBuffer, flush } from './coverage.ts'
import { type FeatureStore, UNITS_PER_DEGREE } from './feature-store.ts'
import { BELTS_PER_DEGREE, type Window } from './lattice.ts'
import type { Light } from './light.ts'
import { grain } from './noise.ts'
import type { Colour } from './styles/colours.ts'

/** What colours depend on besides place and object. */
export interface View {
  readonly light: Light
  /** Metres per pixel. */
  readonly gsd: number
}

/**
 * A window being painted. Positions are in metres: x east from longitude 0 along the parallel in the middle of the whole
 * degree, y south from 90 N. They are absolute, so that whatever is derived from them is the same in every window, and
 * textures run on from belt to belt.
 */
export interface Canvas extends View {
  readonly window: Window
  /** Metres per column: the GSD but for the belt's distance from the middle of its degree. */
  readonly pixelX: number
  readonly width: number
  readonly height: number
  /** Metres of the window's edges. */
  readonly west: number
  readonly north: number
  readonly east: number
  readonly south: number
  readonly red: Float32Array
  readonly green: Float32Array
  readonly blue: Float32Array
  readonly infrared: Float32Array
  readonly coverage: CoverageBuffer
}

/** An empty canvas of a window. */
export function createCanvas(window: Window, light: Light): Canvas {
  const { width, height, gsd, left, top } = window
  const pixelX = metresPerDegreeX(window) * window.degreesX
  const plane = () => new Float32Array(width * height)
  return {
    window,
    gsd,
    pixelX,
    width,
    height,
    west: left * pixelX,
    north: top * gsd,
    east: (left + width) * pixelX,
    south: (top + height) * gsd,
    red: plane(),
    green: plane(),
    blue: plane(),
    infrared: plane(),
    coverage: coverageBuffer(width, height),
    light,
  }
}

function metresPerDegreeX({ belt }: Window): number {
  const latitude = Math.floor(belt / BELTS_PER_DEGREE) + 0.5
  return METRES_PER_DEGREE_LONGITUDE * Math.cos(radians(Math.max(-89.5, Math.min(89.5, latitude))))
}

/** Colour that a shader leaves: red, green, blue, infrared (0 to 255) and opacity (1 unless the shader says less). */
export type Ink = Float32Array

/** Colours the pixel centred at (x, y) metres; `column` and `row` are its absolute native pixel. */
export type Shader = (ink: Ink, x: number, y: number, column: number, row: number) => void

/** Positions of one line as x, y, x, y in metres. */
export type Path = Float64Array

/** A unit vector on the ground: x east, y south. */
export type Direction = readonly [x: number, y: number]

/** The lines of a feature in metres of the window's belt. */
export function pathsOf(features: FeatureStore, feature: number, window: Window): Path[] {
  const { lineStart, pointStart, positions } = features
  const scaleX = metresPerDegreeX(window) / UNITS_PER_DEGREE
  const scaleY = window.gsd / (window.degreesY * UNITS_PER_DEGREE)
  const paths: Path[] = []
  for (let line = lineStart[feature]!; line < lineStart[feature + 1]!; line++) {
    const [from, to] = [pointStart[line]!, pointStart[line + 1]!]
    const path = new Float64Array((to - from) * 2)
    for (let i = from; i < to; i++) {
      path[(i - from) * 2] = positions[2 * i]! * scaleX
      path[(i - from) * 2 + 1] = (90 * UNITS_PER_DEGREE - positions[2 * i + 1]!) * scaleY
    }
    paths.push(path)
  }
  return paths
}

/** Adds a closed ring to what the next `paint` covers; rings that turn against each other cut holes. */
export function addRing(canvas: Canvas, path: ArrayLike<number>, shiftX = 0, shiftY = 0): void {
  const { coverage, window, pixelX, gsd } = canvas
  const [scaleX, scaleY] = [256 / pixelX, 256 / gsd]
  const [left, top] = [window.left * 256, window.top * 256]
  const last = path.length - 2
  let px = Math.round((path[last]! + shiftX) * scaleX) - left
  let py = Math.round((path[last + 1]! + shiftY) * scaleY) - top
  for (let i = 0; i < path.length; i += 2) {
    const x = Math.round((path[i]! + shiftX) * scaleX) - left
    const y = Math.round((path[i + 1]! + shiftY) * scaleY) - top
    addEdge(coverage, px, py, x, y)
    px = x
    py = y
  }
}

/** Adds a rectangle about a centre: `length` along the direction (ux, uy), `width` across. */
export function addBar(canvas: Canvas, x: number, y: number, [ux, uy]: Direction, length: number, width: number): void {
  const [ax, ay, bx, by] = [(ux * length) / 2, (uy * length) / 2, (-uy * width) / 2, (ux * width) / 2]
  addRing(canvas, [
    x - ax - bx,
    y - ay - by,
    x + ax - bx,
    y + ay - by,
    x + ax + bx,
    y + ay + by,
    x - ax + bx,
    y - ay + by,
  ])
}

/** Adds a disc, as a polygon of enough corners for its size in pixels. */
export function addDisc(canvas: Canvas, x: number, y: number, radius: number): void {
  const corners = Math.max(8, Math.min(64, Math.round((radius / canvas.gsd) * 3)))
  const ring = new Float64Array(corners * 2)
  for (let i = 0; i < corners; i++) {
    const angle = (i / corners) * 2 * Math.PI
    ring[2 * i] = x + radius * Math.cos(angle)
    ring[2 * i + 1] = y + radius * Math.sin(angle)
  }
  addRing(canvas, ring)
}

/** Whether anything within `reach` metres of a box in metres may show in the window. */
export function inView(canvas: Canvas, minX: number, minY: number, maxX: number, maxY: number, reach: number): boolean {
  return (
    maxX + reach >= canvas.west &&
    minX - reach <= canvas.east &&
    maxY + reach >= canvas.north &&
    minY - reach <= canvas.south
  )
}

const ink: Ink = new Float32Array(5)

/** Paints every pixel of the window. */
export function paintAll(canvas: Canvas, shader: Shader): void {
  const [west, north] = [canvas.west - canvas.pixelX, canvas.north - canvas.gsd]
  const [east, south] = [canvas.east + canvas.pixelX, canvas.south + canvas.gsd]
  addRing(canvas, [west, north, east, north, east, south, west, south])
  paint(canvas, shader)
}

/** Paints what was added, and clears it. */
export function paint(canvas: Canvas, shader: Shader, opacity = 1): void {
  const { coverage, window, width, gsd, pixelX, red, green, blue, infrared } = canvas
  flush(coverage, (y, from, to) => {
    const row = window.top + y
    const metresY = (row + 0.5) * gsd
    for (let x = from; x < to; x++) {
      const covered = coverage.row[x]!
      if (covered === 0) continue
      const column = window.left + x
      ink[4] = 1
      shader(ink, (column + 0.5) * pixelX, metresY, column, row)
      const share = covered * opacity * ink[4]!
      const at = y * width + x
      red[at]! += (ink[0]! - red[at]!) * share
      green[at]! += (ink[1]! - green[at]!) * share
      blue[at]! += (ink[2]! - blue[at]!) * share
      infrared[at]! += (ink[3]! - infrared[at]!) * share
    }
  })
}

/** Darkens what was added, as a shadow does, and clears it. */
export function paintShadow(canvas: Canvas, depth: number): void {
  const { coverage, width, red, green, blue, infrared } = canvas
  flush(coverage, (y, from, to) => {
    for (let x = from; x < to; x++) {
      const covered = coverage.row[x]!
      if (covered === 0) continue
      const at = y * width + x
      // The sky still lights it, a little bluish.
      red[at]! *= 1 - covered * depth
      green[at]! *= 1 - covered * depth * 0.95
      blue[at]! *= 1 - covered * depth * 0.86
      infrared[at]! *= 1 - covered * depth
    }
  })
}

/** Adds a share of a colour to the single pixel at a position: for what is smaller than a pixel. */
export function paintSpeck(canvas: Canvas, x: number, y: number, share: number, colour: ArrayLike<number>): void {
  const column = Math.floor(x / canvas.pixelX) - canvas.window.left
  const row = Math.floor(y / canvas.gsd) - canvas.window.top
  if (column < 0 || row < 0 || column >= canvas.width || row >= canvas.height) return
  const at = row * canvas.width + column
  const part = Math.min(1, share)
  canvas.red[at]! += (colour[0]! - canvas.red[at]!) * part
  canvas.green[at]! += (colour[1]! - canvas.green[at]!) * part
  canvas.blue[at]! += (colour[2]! - canvas.blue[at]!) * part
  canvas.infrared[at]! += (colour[3]! - canvas.infrared[at]!) * part
}

/** A shader of one colour, with noise of single pixels. */
export function coloured([red, green, blue, infrared]: Colour, noise = 0): Shader {
  return (out, _x, _y, column, row) => {
    const change = noise === 0 ? 0 : noise * grain(column, row)
    out[0] = red + change
    out[1] = green + change
    out[2] = blue + change
    out[3] = infrared + change
  }
}

/** A shader of one colour, as bright in the infrared as in red. */
export const flat = (red: number, green: number, blue: number): Shader => coloured([red, green, blue, red])
