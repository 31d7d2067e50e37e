import type { Position } from '@skyscript/core'
import { patchesOf } from './lattice.ts'
import type { PixelGrid, Scene } from './scene.ts'

/** 1 where a scene has data, by the centres of its native pixels; null where it has data all over the grid. */
export function footprintMask(scene: Scene, grid: PixelGrid): Float32Array | null {
  const { footprint } = scene
  const gap = scene.isGap?.bind(scene)
  const [west, east] = [grid.west, grid.west + grid.width * grid.stepX]
  const [north, south] = [grid.north + grid.top * grid.stepY, grid.north + (grid.top + grid.height) * grid.stepY]
  const corners: Position[] = [
    [west, north],
    [east, north],
    [west, south],
    [east, south],
  ]
  // A pixel's native centre is at most two pixels from its own.
  const margin = 2 * Math.max(Math.abs(grid.stepX), Math.abs(grid.stepY))
  if (!gap && corners.every((corner) => distanceInside(footprint, corner) > margin)) return null
  const mask = new Float32Array(grid.width * grid.height)
  let missing = 0
  for (const { window, from, to, columns, rows } of patchesOf(scene.gsd, grid)) {
    for (let y = from; y < to; y++) {
      const latitude = 90 - (window.top + rows[y - from]! + 0.5) * window.degreesY
      const [start, end] = spanAt(footprint, latitude)
      for (let x = 0; x < grid.width; x++) {
        const longitude = (window.left + columns[x]! + 0.5) * window.degreesX
        if (longitude >= start && longitude <= end && !gap?.(longitude, latitude)) mask[y * grid.width + x] = 1
        else missing++
      }
    }
  }
  return missing === 0 ? null : mask
}

/** The longitudes between which a parallel runs inside of a convex ring; an empty range where it misses. */
function spanAt(ring: readonly Position[], latitude: number): [from: number, to: number] {
  let [from, to] = [Infinity, -Infinity]
  for (let i = 1; i < ring.length; i++) {
    const [x0, y0] = ring[i - 1]!
    const [x1, y1] = ring[i]!
    if (y0 > latitude === y1 > latitude) continue
    const x = x0 + ((latitude - y0) / (y1 - y0)) * (x1 - x0)
    from = Math.min(from, x)
    to = Math.max(to, x)
  }
  return [from, to]
}

/** Degrees from a position to the nearest side of a convex counter-clockwise ring; negative outside. */
function distanceInside(ring: readonly Position[], [x, y]: Position): number {
  let least = Infinity
  for (let i = 1; i < ring.length; i++) {
    const [x0, y0] = ring[i - 1]!
    const [x1, y1] = ring[i]!
    const length = Math.hypot(x1 - x0, y1 - y0)
    if (length > 0) least = Math.min(least, ((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) / length)
  }
  return least
}
