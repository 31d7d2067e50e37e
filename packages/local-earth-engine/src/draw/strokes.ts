import { addDisc, addRing, type Canvas, inView, type Path } from './canvas.ts'
import type { Light } from './light.ts'

/** A straight part of a line in view: its ends, its direction, and how far from the line's start it begins. */
export interface Segment {
  readonly x0: number
  readonly y0: number
  readonly x1: number
  readonly y1: number
  readonly ux: number
  readonly uy: number
  readonly length: number
  readonly start: number
}

/** The segments of a line that may show in the window with `reach` metres around them. */
export function segmentsInView(canvas: Canvas, path: Path, reach: number): Segment[] {
  const segments: Segment[] = []
  let start = 0
  for (let i = 2; i < path.length; i += 2) {
    const [x0, y0, x1, y1] = [path[i - 2]!, path[i - 1]!, path[i]!, path[i + 1]!]
    const length = Math.hypot(x1 - x0, y1 - y0)
    if (length > 0) {
      if (inView(canvas, Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1), reach)) {
        segments.push({ x0, y0, x1, y1, ux: (x1 - x0) / length, uy: (y1 - y0) / length, length, start })
      }
      start += length
    }
  }
  return segments
}

/** Adds a line of a width, `offset` metres to its right, with round bends where they show. */
export function addStroke(canvas: Canvas, segments: readonly Segment[], width: number, offset = 0): void {
  const half = width / 2
  const bends = width > canvas.gsd * 1.5
  for (const { x0, y0, x1, y1, ux, uy } of segments) {
    const [rightX, rightY] = [-uy, ux]
    const [a, b] = [offset - half, offset + half]
    const [ax, ay, bx, by] = [rightX * a, rightY * a, rightX * b, rightY * b]
    addRing(canvas, [x0 + ax, y0 + ay, x1 + ax, y1 + ay, x1 + bx, y1 + by, x0 + bx, y0 + by])
    if (bends) {
      addDisc(canvas, x0 + rightX * offset, y0 + rightY * offset, half)
      addDisc(canvas, x1 + rightX * offset, y1 + rightY * offset, half)
    }
  }
}

/** Adds dashes: `on` metres in every `period`, counted from the line's start. */
export function addDashes(
  canvas: Canvas,
  segments: readonly Segment[],
  width: number,
  on: number,
  period: number,
  offset = 0,
): void {
  for (const segment of segments) {
    const steps = { period, before: on + width, reach: on + width + Math.abs(offset) }
    forEachStep(canvas, segment, steps, (from) => {
      addSpan(canvas, segment, Math.max(0, from), Math.min(segment.length, from + on), width, offset)
    })
  }
}

/** Places at every multiple of a period along a line, counted from its start; all in metres. */
interface Steps {
  readonly period: number
  /** Places this far before a segment belong to it too. */
  readonly before: number
  /** How far from its place anything is drawn. */
  readonly reach: number
}

/** Calls with the distance along a segment of every place that may show in the window. */
export function forEachStep(
  canvas: Canvas,
  { x0, y0, ux, uy, length, start }: Segment,
  { period, before, reach }: Steps,
  visit: (along: number, number: number) => void,
): void {
  for (let step = Math.ceil((start - before) / period); step * period < start + length; step++) {
    const along = step * period - start
    const [x, y] = [x0 + ux * along, y0 + uy * along]
    if (inView(canvas, x, y, x, y, reach)) visit(along, step)
  }
}

function addSpan(
  canvas: Canvas,
  { x0, y0, ux, uy }: Segment,
  from: number,
  to: number,
  width: number,
  offset: number,
): void {
  if (to <= from) return
  const [a, b] = [offset - width / 2, offset + width / 2]
  const [x, y, endX, endY] = [x0 + ux * from, y0 + uy * from, x0 + ux * to, y0 + uy * to]
  const [ax, ay, bx, by] = [uy * a, ux * a, uy * b, ux * b]
  addRing(canvas, [x - ax, y + ay, endX - ax, endY + ay, endX - bx, endY + by, x - bx, y + by])
}

/** Segments moved away from the sun, as shadows are. */
export function shifted(segments: readonly Segment[], { sunX, sunY }: Light, metres: number): Segment[] {
  const [dx, dy] = [sunX * metres, sunY * metres]
  return segments.map((each) => ({
    ...each,
    x0: each.x0 - dx,
    y0: each.y0 - dy,
    x1: each.x1 - dx,
    y1: each.y1 - dy,
  }))
}
