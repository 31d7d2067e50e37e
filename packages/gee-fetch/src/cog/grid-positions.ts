import type { Box } from '@skyscript/core'
import type { PixelGrid } from '../client.ts'
import type { Projection } from '../crs/projections.ts'

/** Pixels between two exactly projected nodes: any projection curves by less than a hundredth of a pixel over it. */
const STEP_PIXELS = 32
/** Pixel coordinates are rounded to this fraction of a degree (0.1 mm), so they are equal whatever corner they are counted from. */
const PER_DEGREE = 1e9

/** Bounds of a grid in degrees. */
export const boxOfGrid = ({ west, north, width, height, stepX, stepY }: PixelGrid): Box => [
  west,
  north - height * stepY,
  west + width * stepX,
  north,
]

/** Easting and northing of every pixel's centre, row by row. */
export interface GridPositions {
  readonly x: Float64Array
  readonly y: Float64Array
}

/**
 * Projects the pixels of a grid to another coordinate system. Positions are interpolated linearly between the nodes of a
 * lattice over the whole Earth. The nodes depend only on the pixel size, so a pixel's position is the same in every grid
 * that contains it.
 */
export function gridPositions(grid: PixelGrid, { forward }: Projection): GridPositions {
  const { width, height, west, north } = grid
  const stepX = nodeStep(grid.stepX)
  const stepY = nodeStep(grid.stepY)
  const longitudes = Array.from({ length: width }, (_, i) => rounded(west + (i + 0.5) * grid.stepX))
  const latitudes = Array.from({ length: height }, (_, i) => rounded(north - (i + 0.5) * grid.stepY))
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

/** The power of two in degrees nearest to STEP_PIXELS, so that grids of about the same pixel size share nodes. */
const nodeStep = (degreesPerPixel: number): number => 2 ** Math.round(Math.log2(degreesPerPixel * STEP_PIXELS))

const rounded = (degrees: number): number => Math.round(degrees * PER_DEGREE) / PER_DEGREE
