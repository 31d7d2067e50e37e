import type { PixelGrid } from '../client.ts'
import type { Projection } from './projections.ts'

/** Pixels between two places that are projected exactly: what curves by less than a hundredth of a pixel over it. */
const STEP_PIXELS = 32
/** Degrees to which a pixel's place is rounded, 0.1 mm: so that it is one number, from whatever corner it was counted. */
const PER_DEGREE = 1e9

/** Easting and northing of every pixel's middle, line after line. */
export interface GridPositions {
  readonly x: Float64Array
  readonly y: Float64Array
}

/**
 * Where the pixels of a grid lie in another coordinate system. Between the nodes of a lattice over the whole Earth the
 * projection is taken to be straight; since these nodes depend only on the pixel size, a pixel's place is the same in any
 * grid that holds it.
 */
export function gridPositions(grid: PixelGrid, { forward }: Projection): GridPositions {
  const { width, height, west, north, degreesPerPixelX, degreesPerPixelY } = grid
  const stepX = nodeStep(degreesPerPixelX)
  const stepY = nodeStep(degreesPerPixelY)
  const longitudes = Array.from({ length: width }, (_, i) => rounded(west + (i + 0.5) * degreesPerPixelX))
  const latitudes = Array.from({ length: height }, (_, i) => rounded(north - (i + 0.5) * degreesPerPixelY))
  const firstX = Math.floor(longitudes[0]! / stepX)
  const firstY = Math.floor(latitudes.at(-1)! / stepY)
  const columns = Math.floor(longitudes.at(-1)! / stepX) - firstX + 2
  const rows = Math.floor(latitudes[0]! / stepY) - firstY + 2
  const nodes = Array.from({ length: rows }, (_, j) =>
    Array.from({ length: columns }, (_, i) => forward([(firstX + i) * stepX, (firstY + j) * stepY])),
  )
  const x = new Float64Array(width * height)
  const y = new Float64Array(width * height)
  const cells = longitudes.map((longitude) => {
    const at = longitude / stepX
    return { node: Math.floor(at) - firstX, part: at - Math.floor(at) }
  })
  for (let line = 0; line < height; line++) {
    const at = latitudes[line]! / stepY
    const v = at - Math.floor(at)
    const below = nodes[Math.floor(at) - firstY]!
    const above = nodes[Math.floor(at) - firstY + 1]!
    for (let column = 0; column < width; column++) {
      const { node, part: u } = cells[column]!
      const [a, b, c, d] = [below[node]!, below[node + 1]!, above[node]!, above[node + 1]!]
      const i = line * width + column
      x[i] = (1 - v) * ((1 - u) * a[0] + u * b[0]) + v * ((1 - u) * c[0] + u * d[0])
      y[i] = (1 - v) * ((1 - u) * a[1] + u * b[1]) + v * ((1 - u) * c[1] + u * d[1])
    }
  }
  return { x, y }
}

/** The power of two of a degree that is nearest to STEP_PIXELS, so that all grids of about one pixel size share nodes. */
const nodeStep = (degreesPerPixel: number): number => 2 ** Math.round(Math.log2(degreesPerPixel * STEP_PIXELS))

const rounded = (degrees: number): number => Math.round(degrees * PER_DEGREE) / PER_DEGREE
