import type { Ink } from './canvas.ts'
import type { Frame } from './frame.ts'
import type { Light } from './light.ts'

/** Draws over the ink at a position in metres. */
export type Pattern = (ink: Ink, x: number, y: number) => void

export interface PatternSettings {
  readonly seed: number
  readonly frame: Frame
  readonly light: Light
  readonly gsd: number
  /** Colour of the ground below, which a pattern may change for the whole object. */
  readonly base: Float32Array
}

/** Position along a frame's longer side, in metres from its middle. */
export function alongOf({ centerX, centerY, ux, uy }: Frame, x: number, y: number): number {
  return (x - centerX) * ux + (y - centerY) * uy
}

/** Position across a frame. */
export function acrossOf({ centerX, centerY, ux, uy }: Frame, x: number, y: number): number {
  return (y - centerY) * ux - (x - centerX) * uy
}

/** Share of a pixel that a line of a half width covers, at a distance from its middle. */
export function stroke(distance: number, half: number, gsd: number): number {
  const share = 0.5 + (half - Math.abs(distance)) / gsd
  return Math.max(0, Math.min(1, share)) * Math.min(1, (2 * half) / gsd)
}

/** Distance to the nearest multiple of a period. */
export const toNearest = (value: number, period: number): number => value - Math.round(value / period) * period

export function blend(ink: Ink, share: number, red: number, green: number, blue: number, infrared: number): void {
  ink[0]! += (red - ink[0]!) * share
  ink[1]! += (green - ink[1]!) * share
  ink[2]! += (blue - ink[2]!) * share
  ink[3]! += (infrared - ink[3]!) * share
}

export function brighten(ink: Ink, amount: number): void {
  for (let i = 0; i < 4; i++) ink[i]! += amount
}

/** How much of a repeated texture shows where a pixel is not small against its period. */
export const shown = (period: number, gsd: number): number => Math.max(0, Math.min(1, (period / gsd - 1.2) / 1.5))

export type PatternFactory = (settings: PatternSettings) => Pattern

const CARS = [
  [214, 214, 214],
  [60, 62, 68],
  [150, 152, 156],
  [40, 44, 58],
  [150, 48, 44],
  [58, 84, 130],
  [232, 232, 230],
] as const

/** The colour of a car, light ones most. */
export const carColour = (own: number): readonly [number, number, number] => CARS[Math.floor(own * CARS.length)]!

/** A car as seen from above: body, dark windscreen, in its own metres; -1 outside. */
export function carInk(ink: Ink, along: number, across: number, own: number): boolean {
  if (Math.abs(along) > 2.2 || Math.abs(across) > 0.9) return false
  const [red, green, blue] = carColour(own)
  const glass = (along > 0.4 && along < 1.1) || (along < -1.2 && along > -1.7)
  const roof = Math.abs(across) < 0.72 && along <= 0.4 && along >= -1.2
  const lit = roof ? 10 : 0
  if (glass && Math.abs(across) < 0.75) blend(ink, 1, 36, 40, 46, 30)
  else blend(ink, 1, red + lit, green + lit, blue + lit, (red + green) / 2)
  return true
}
