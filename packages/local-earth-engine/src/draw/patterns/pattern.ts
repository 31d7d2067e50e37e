import type { Ink } from '../canvas.ts'
import type { Frame } from '../frame.ts'
import type { Light } from '../light.ts'

/** Draws over the ink at (u, v) metres along and across the object's frame, (x, y) on the ground. */
export type Pattern = (ink: Ink, u: number, v: number, x: number, y: number) => void

/** What a pattern is made for. */
export interface PatternSettings {
  readonly seed: number
  readonly frame: Frame
  readonly light: Light
  readonly gsd: number
  /** Colour of the ground below, which a pattern may change for the whole object. */
  readonly base: Float32Array
}

/** Makes the pattern of one object. */
export type PatternFactory = (settings: PatternSettings) => Pattern
