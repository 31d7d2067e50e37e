import type { Path } from './canvas.ts'

/** The rectangle that an area fills best, along its longest edge: patterns are laid out on it. */
export interface Frame {
  readonly centerX: number
  readonly centerY: number
  /** Unit vector along the longer side. */
  readonly ux: number
  readonly uy: number
  /** Half sizes in metres along and across. */
  readonly halfLength: number
  readonly halfWidth: number
}

/** Of areas with more corners than this, every n-th is looked at. */
const CORNERS = 400

/** The frame of an area, from its first ring. */
export function frameOf(paths: readonly Path[]): Frame {
  const ring = paths[0] ?? new Float64Array(2)
  const step = Math.max(1, Math.floor(ring.length / 2 / CORNERS)) * 2
  let [longest, ux, uy] = [0, 1, 0]
  for (let i = step; i < ring.length; i += step) {
    const [dx, dy] = [ring[i]! - ring[i - step]!, ring[i + 1]! - ring[i - step + 1]!]
    const length = Math.hypot(dx, dy)
    if (length > longest) [longest, ux, uy] = [length, dx / length, dy / length]
  }
  const [x0, y0] = [ring[0]!, ring[1]!]
  let [minU, maxU, minV, maxV] = [0, 0, 0, 0]
  for (let i = 0; i < ring.length; i += step) {
    const [dx, dy] = [ring[i]! - x0, ring[i + 1]! - y0]
    const [u, v] = [dx * ux + dy * uy, dy * ux - dx * uy]
    minU = Math.min(minU, u)
    maxU = Math.max(maxU, u)
    minV = Math.min(minV, v)
    maxV = Math.max(maxV, v)
  }
  const [u, v] = [(minU + maxU) / 2, (minV + maxV) / 2]
  const center = { centerX: x0 + u * ux - v * uy, centerY: y0 + u * uy + v * ux }
  const [halfU, halfV] = [(maxU - minU) / 2, (maxV - minV) / 2]
  return halfU >= halfV
    ? { ...center, ux, uy, halfLength: halfU, halfWidth: halfV }
    : { ...center, ux: -uy, uy: ux, halfLength: halfV, halfWidth: halfU }
}

/** Position along a frame's longer side, in metres from its middle. */
export function alongOf({ centerX, centerY, ux, uy }: Frame, x: number, y: number): number {
  return (x - centerX) * ux + (y - centerY) * uy
}

/** Position across a frame, in metres from its middle. */
export function acrossOf({ centerX, centerY, ux, uy }: Frame, x: number, y: number): number {
  return (y - centerY) * ux - (x - centerX) * uy
}
