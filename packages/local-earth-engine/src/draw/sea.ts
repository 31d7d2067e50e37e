import Flatbush from 'flatbush'
import { addRing, type Canvas, paint } from './canvas.ts'
import { type FeatureStore, UNITS_PER_DEGREE } from './feature-store.ts'
import { COAST_REACH, SEA_REACH } from './reach.ts'
import { waterShader } from './water.ts'

/** Paints the sea where coastlines say so. */
type SeaPainter = (canvas: Canvas) => void

/**
 * Coastlines run with the land on their left (OSM wiki, natural=coastline), so a crossing of a parallel shows on
 * which side the sea is. Extracts seldom hold whole coasts; this needs only the pieces nearby.
 */
export function seaPainter(features: FeatureStore): SeaPainter {
  const segments = coastSegments(features)
  const count = segments.length / 4
  if (count === 0) return () => {}
  const index = new Flatbush(count)
  for (let i = 0; i < count; i++) {
    const [x0, y0, x1, y1] = segments.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number]
    index.add(Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1))
  }
  index.finish()

  return (canvas) => {
    const { window, width, height, pixelX, gsd } = canvas
    const { degreesX, degreesY, left, top } = window
    const [west, east] = [left * degreesX, (left + width) * degreesX]
    const [north, south] = [90 - top * degreesY, 90 - (top + height) * degreesY]
    const near = index.search(west - SEA_REACH, south, east + SEA_REACH, north)
    if (near.length === 0) return
    for (let row = 0; row < height; row++) {
      const latitude = 90 - (top + row + 0.5) * degreesY
      const crossings = crossingsOf(segments, near, latitude)
      const [y0, y1] = [(top + row) * gsd, (top + row + 1) * gsd]
      for (const [from, to] of seaSpans(crossings, west, east)) {
        const [x0, x1] = [(from / degreesX) * pixelX, (to / degreesX) * pixelX]
        addRing(canvas, [x0, y0, x1, y0, x1, y1, x0, y1])
      }
    }
    paint(canvas, waterShader('sea', 0, canvas))
  }
}

/** Ends of all coastline segments in degrees: x0, y0, x1, y1, ... */
function coastSegments(features: FeatureStore): Float64Array {
  const ends: number[] = []
  const { lineStart, pointStart, positions, styles, style, count } = features
  for (let feature = 0; feature < count; feature++) {
    if (styles[style[feature]!]!.look !== 'coastline') continue
    for (let line = lineStart[feature]!; line < lineStart[feature + 1]!; line++) {
      for (let i = pointStart[line]! + 1; i < pointStart[line + 1]!; i++) {
        for (const at of [2 * i - 2, 2 * i - 1, 2 * i, 2 * i + 1]) ends.push(positions[at]! / UNITS_PER_DEGREE)
      }
    }
  }
  return Float64Array.from(ends)
}

interface Crossing {
  readonly longitude: number
  /** The sea is east of it. */
  readonly seaEast: boolean
}

function crossingsOf(segments: Float64Array, near: readonly number[], latitude: number): Crossing[] {
  const crossings: Crossing[] = []
  for (const i of near) {
    const [y0, y1] = [segments[4 * i + 1]!, segments[4 * i + 3]!]
    if (y0 > latitude === y1 > latitude) continue
    const [x0, x1] = [segments[4 * i]!, segments[4 * i + 2]!]
    crossings.push({ longitude: x0 + ((latitude - y0) / (y1 - y0)) * (x1 - x0), seaEast: y1 > y0 })
  }
  return crossings.sort((a, b) => a.longitude - b.longitude || Number(a.seaEast) - Number(b.seaEast))
}

/**
 * Ranges of longitude under the sea: a crossing claims what is on its side for COAST_REACH, up to the next crossing or, where
 * that one claims land, half way to it. No pixel depends on a crossing that is farther away than SEA_REACH.
 */
function* seaSpans(crossings: readonly Crossing[], west: number, east: number): Generator<[number, number]> {
  for (let i = 0; i <= crossings.length; i++) {
    const [before, after] = [crossings[i - 1], crossings[i]]
    const start = before?.longitude ?? Number.NEGATIVE_INFINITY
    const end = after?.longitude ?? Number.POSITIVE_INFINITY
    const claims: [number, number][] = []
    const [claimedFromWest, claimedFromEast] = [before?.seaEast === true, after?.seaEast === false]
    if (claimedFromWest && claimedFromEast && end - start <= SEA_REACH) claims.push([start, end])
    else {
      // Where only one side claims sea, a piece of coast is missing: each crossing is believed half way.
      const middle = (start + end) / 2
      if (claimedFromWest) claims.push([start, Math.min(start + COAST_REACH, after ? middle : end)])
      if (claimedFromEast) claims.push([Math.max(end - COAST_REACH, before ? middle : start), end])
    }
    for (const [from, to] of claims)
      if (to > west && from < east) yield [Math.max(from, west - 1e-3), Math.min(to, east + 1e-3)]
  }
}
