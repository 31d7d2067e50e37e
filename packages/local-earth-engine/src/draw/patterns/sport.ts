/** Markings of sports grounds, laid out on the frame in the sizes of the rules of each sport, scaled to the ground. */
import type { Ink } from '../canvas.ts'
import { blend, brighten, shown, stroke } from '../ink.ts'
import type { PatternFactory } from './pattern.ts'

const LINE = 0.09

const chalk = (ink: Ink, share: number) => blend(ink, Math.min(1, share * 1.15), 238, 240, 234, 220)

/** A rectangle's outline about the middle of the frame. */
function outline(u: number, v: number, halfU: number, halfV: number, gsd: number): number {
  const outU = Math.abs(u) - halfU
  const outV = Math.abs(v) - halfV
  if (outU > gsd + LINE || outV > gsd + LINE) return 0
  return Math.max(outU < LINE ? stroke(outV, LINE, gsd) : 0, outV < LINE ? stroke(outU, LINE, gsd) : 0)
}

/** A box on the end line: `end` metres from it inwards, `v` across. */
function boxAtEnd(end: number, v: number, depth: number, half: number, gsd: number): number {
  if (end < -LINE || end > depth + gsd) return 0
  return Math.max(
    Math.abs(v) < half ? stroke(end - depth, LINE, gsd) : 0,
    end < depth ? stroke(Math.abs(v) - half, LINE, gsd) : 0,
  )
}

/** Half the length and width of a ground inside its margin, at least 2 m. */
const insideOf = ({ halfLength, halfWidth }: { halfLength: number; halfWidth: number }, margin: number) =>
  [Math.max(2, halfLength - margin), Math.max(2, halfWidth - margin)] as const

const soccer: PatternFactory = ({ frame, gsd }) => {
  const [halfU, halfV] = insideOf(frame, 2)
  // Of 105 m by 68 m.
  const scale = Math.min(halfU / 52.5, halfV / 34)
  const mowing = 5 * shown(6, gsd)
  return (ink, u, v) => {
    brighten(ink, Math.floor(u / 5.5) % 2 === 0 ? mowing : -mowing)
    const end = halfU - Math.abs(u)
    const penalty = boxAtEnd(end, v, 16.5 * scale, 20.16 * scale, gsd)
    const goal = boxAtEnd(end, v, 5.5 * scale, 9.16 * scale, gsd)
    const middle = Math.abs(v) < halfV ? stroke(u, LINE, gsd) : 0
    const circle = stroke(Math.hypot(u, v) - 9.15 * scale, LINE, gsd)
    chalk(ink, Math.max(outline(u, v, halfU, halfV, gsd), middle, circle, penalty, goal))
  }
}

const gridiron: PatternFactory = ({ frame, gsd }) => {
  const [halfU, halfV] = insideOf(frame, 1)
  const yard = halfU / 60
  return (ink, u, v) => {
    if (Math.abs(u) > halfU || Math.abs(v) > halfV) return
    if (Math.abs(u) > 50 * yard) blend(ink, 0.75, 60, 74, 140, 120)
    const fives = u - Math.round(u / (5 * yard)) * 5 * yard
    chalk(ink, Math.max(outline(u, v, halfU, halfV, gsd), stroke(fives, LINE, gsd)))
  }
}

const tennis: PatternFactory = ({ frame, gsd, base, seed }) => {
  if ((seed & 3) === 0) base.set([66, 112, 150, 110])
  else if ((seed & 3) === 1) base.set([86, 130, 96, 120])
  // Courts of 36 m by 18 m with their run-off, side by side.
  const count = Math.max(1, Math.round((2 * frame.halfLength * frame.halfWidth * 2) / (36.5 * 18.3)))
  const isAlong = frame.halfLength * 2 > 30 * count || count === 1
  const pitch = (2 * (isAlong ? frame.halfWidth : frame.halfLength)) / (isAlong ? 1 : count)
  const row = (count * pitch) / 2
  return (ink, along, across) => {
    const [u, v] = isAlong ? [along, across] : [across, along]
    const offset = isAlong ? v : v + row - (Math.floor((v + row) / pitch) + 0.5) * pitch
    const isInner = Math.abs(offset) < 4.115
    if (Math.abs(u) < 11.9 && Math.abs(offset) < 5.5) brighten(ink, 12)
    const share = Math.max(
      outline(u, offset, 11.885, 5.485, gsd),
      Math.abs(u) < 11.9 ? stroke(Math.abs(offset) - 4.115, LINE * 0.8, gsd) : 0,
      isInner ? stroke(Math.abs(u) - 6.4, LINE * 0.8, gsd) : 0,
      isInner && Math.abs(u) < 6.4 ? stroke(offset, LINE * 0.8, gsd) : 0,
    )
    chalk(ink, share)
    if (gsd < 0.5 && Math.abs(offset) < 6.4) blend(ink, stroke(u, 0.08, gsd), 40, 44, 46, 40)
  }
}

const basketball: PatternFactory = ({ frame, gsd, base, seed }) => {
  if ((seed & 3) === 0) base.set([158, 88, 68, 120])
  else if ((seed & 3) === 1) base.set([94, 126, 104, 110])
  const [halfU, halfV] = insideOf(frame, 0.8)
  const scale = Math.min(halfU / 14, halfV / 7.5)
  return (ink, u, v) => {
    const end = halfU - Math.abs(u)
    if (end > 0 && end < 5.8 * scale && Math.abs(v) < 2.45 * scale) blend(ink, 0.7, 176, 92, 66, 130)
    const arc = Math.hypot(end - 1.6 * scale, v) - 6.75 * scale
    const share = Math.max(
      outline(u, v, halfU, halfV, gsd),
      Math.abs(v) < halfV ? stroke(u, LINE, gsd) : 0,
      stroke(Math.hypot(u, v) - 1.8 * scale, LINE, gsd),
      end > 0 ? stroke(arc, LINE, gsd) : 0,
      boxAtEnd(end, v, 5.8 * scale, 2.45 * scale, gsd),
    )
    chalk(ink, share)
  }
}

/** The blue lines of a beach court, and its net. */
const net: PatternFactory = ({ frame, gsd }) => {
  const [halfU, halfV] = [Math.min(8, Math.max(1, frame.halfLength - 2)), Math.min(4, Math.max(1, frame.halfWidth - 2))]
  return (ink, u, v) => {
    const across = Math.abs(v) < halfV + 1 ? stroke(u, 0.12, gsd) : 0
    blend(ink, Math.max(outline(u, v, halfU, halfV, gsd), across), 60, 84, 130, 60)
  }
}

/** Infield of bare earth with the grass square inside the bases, in one corner. */
const diamond: PatternFactory = ({ frame, gsd }) => {
  const home = { u: -frame.halfLength * 0.72, v: -frame.halfWidth * 0.72 }
  const size = Math.max(10, Math.min(27.4, frame.halfWidth * 0.62))
  return (ink, along, across) => {
    const [u, v] = [along - home.u, across - home.v]
    const fromMiddle = Math.hypot(u - size / 2, v - size / 2)
    const isDirt = (u > -4 && v > -4 && fromMiddle < size * 0.95) || Math.hypot(u, v) < 4.5
    const isGrass = u > 3 && v > 3 && u < size - 3 && v < size - 3 && fromMiddle > 2.8
    if (isDirt && !isGrass) blend(ink, 0.95, 188, 142, 102, 150)
    if (u > -1 && v > -1) chalk(ink, Math.max(stroke(u, LINE, gsd), stroke(v, LINE, gsd)) * 0.9)
  }
}

/** A running track along the edge of its own area, and grass in the middle. */
const lanes: PatternFactory = ({ frame, gsd }) => {
  const straight = Math.max(0, frame.halfLength - frame.halfWidth)
  const hasInfield = frame.halfWidth > 20
  return (ink, u, v) => {
    const fromEdge = frame.halfWidth - Math.hypot(Math.max(0, Math.abs(u) - straight), v)
    if (hasInfield && fromEdge > 10) return blend(ink, 1, 96, 142, 70, 200)
    const lane = fromEdge - Math.round(fromEdge / 1.22) * 1.22
    if (fromEdge > 0 && (fromEdge < 10 || !hasInfield)) chalk(ink, stroke(lane, 0.05, gsd) * 0.9)
  }
}

const cricket: PatternFactory =
  ({ frame, gsd }) =>
  (ink, u, v) => {
    if (Math.abs(u) < 10 && Math.abs(v) < 1.6) blend(ink, 1, 206, 190, 140, 180)
    chalk(ink, stroke(Math.hypot(u, v) - frame.halfWidth * 0.9, LINE, gsd))
  }

/** The edge of any pitch, and its halfway line. */
const border: PatternFactory =
  ({ frame, gsd }) =>
  (ink, u, v) => {
    const [halfU, halfV] = [frame.halfLength - 1.5, frame.halfWidth - 1.5]
    chalk(ink, Math.max(outline(u, v, halfU, halfV, gsd), Math.abs(v) < halfV ? stroke(u, LINE, gsd) : 0))
  }

/** The ramps of a skate park. */
const ramps: PatternFactory =
  ({ gsd }) =>
  (ink, u, v) => {
    const wave = Math.sin(u / 2.2) * Math.cos(v / 3.1)
    brighten(ink, 22 * wave)
    if (Math.abs(wave) > 0.93 && gsd < 1) brighten(ink, -34)
  }

/** The white line along the edge of a platform. */
const edgeLine: PatternFactory =
  ({ frame, gsd }) =>
  (ink, _u, v) =>
    chalk(ink, stroke(frame.halfWidth - Math.abs(v) - 0.7, 0.12, gsd))

/** Patterns of sports grounds. */
export const SPORT_PATTERNS: Readonly<Record<string, PatternFactory>> = {
  soccer,
  gridiron,
  tennis,
  basketball,
  net,
  diamond,
  lanes,
  cricket,
  outline: border,
  ramps,
  'edge-line': edgeLine,
}
