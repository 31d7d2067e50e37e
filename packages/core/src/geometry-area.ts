import type { Box, Geometry, Position } from './records.ts'
import { type SegmentIndex, segmentIndexOf } from './segment-index.ts'

/**
 * The part of a box that an area covers, from 0 to 1; 0 for points and lines. Plane geometry in degrees, which a box of
 * a few kilometres allows.
 */
export function coverOfBox(geometry: Geometry, box: Box): number {
  if (geometry.type !== 'Polygon' && geometry.type !== 'MultiPolygon') return 0
  const index = segmentIndexOf(geometry)
  if (index !== null) return indexedCover(index, box)
  if (geometry.type === 'Polygon') return polygonCover(geometry.coordinates, box)
  return geometry.coordinates.reduce((sum, rings) => sum + polygonCover(rings, box), 0)
}

/** Holes take off. */
function polygonCover(rings: readonly (readonly Position[])[], box: Box): number {
  let area = 0
  for (const [i, ring] of rings.entries()) {
    const inside = Math.abs(addCover(0, ring, 1, ring.length, box))
    area += i === 0 ? inside : -inside
  }
  return Math.max(0, area)
}

/** The same to the last bit, of the segments at the box's height only: the others add nothing. */
function indexedCover(index: SegmentIndex, box: Box): number {
  const covers = index.sums([-Infinity, box[1], Infinity, box[3]], (sum, ring, from, to) =>
    addCover(sum, ring, from, to, box),
  )
  const parts = new Map<number, number>()
  for (const [line, cover] of covers) {
    const { part, isOuter } = index.lines[line]!
    const inside = Math.abs(cover)
    parts.set(part, (parts.get(part) ?? 0) + (isOuter ? inside : -inside))
  }
  let sum = 0
  for (const area of parts.values()) sum += Math.max(0, area)
  return sum
}

/**
 * Adds the signed cover of a ring's segments [from, to). At every height, what a ring takes of the box's width is the sum
 * of its edges' places there, clamped to the box, up-going ones against down-going ones; this integrates each edge over
 * the height. One pass, no new ring.
 */
function addCover(
  before: number,
  ring: readonly Position[],
  first: number,
  end: number,
  [west, south, east, north]: Box,
): number {
  // In units of the box, where every number is near 1: square degrees would drown in their own rounding.
  const [width, height] = [east - west, north - south]
  let area = before
  for (let i = first; i < end; i++) {
    const a = ring[i - 1]!
    const b = ring[i]!
    if ((a[1] <= south && b[1] <= south) || (a[1] >= north && b[1] >= north)) continue
    const y0 = (a[1] - south) / height
    const y1 = (b[1] - south) / height
    const from = clamp(y0)
    const to = clamp(y1)
    if (from === to) continue
    const x0 = (a[0] - west) / width
    const slope = ((b[0] - west) / width - x0) / (y1 - y0)
    area += (to - from) * meanClamped(x0 + slope * (from - y0), x0 + slope * (to - y0))
  }
  return area
}

const clamp = (x: number): number => Math.max(0, Math.min(1, x))

/** The mean of `clamp` between two places. */
function meanClamped(a: number, b: number): number {
  if (a <= 0 && b <= 0) return 0
  if (a >= 1 && b >= 1) return 1
  if (a >= 0 && b >= 0 && a <= 1 && b <= 1) return (a + b) / 2
  return (clampIntegral(b) - clampIntegral(a)) / (b - a)
}

const clampIntegral = (x: number): number => (x <= 0 ? 0 : x >= 1 ? x - 0.5 : (x * x) / 2)
