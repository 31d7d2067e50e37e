/** Small operations on the ink of a pixel, for patterns and roofs. */
import type { Ink } from './canvas.ts'
import { colourAt, palette } from './styles/colours.ts'

/** Share of a pixel that a line of a half width covers, at a distance from its middle. */
export function stroke(distance: number, half: number, gsd: number): number {
  const share = 0.5 + (half - Math.abs(distance)) / gsd
  return Math.max(0, Math.min(1, share)) * Math.min(1, (2 * half) / gsd)
}

/** Distance to the nearest multiple of a period. */
export const toNearest = (value: number, period: number): number => value - Math.round(value / period) * period

/** How much of a repeated texture shows: none where its period is a pixel or two. */
export const shown = (period: number, gsd: number): number => Math.max(0, Math.min(1, (period / gsd - 1.2) / 1.5))

/** Mixes a share of a colour into the ink. */
export function blend(ink: Ink, share: number, red: number, green: number, blue: number, infrared: number): void {
  ink[0]! += (red - ink[0]!) * share
  ink[1]! += (green - ink[1]!) * share
  ink[2]! += (blue - ink[2]!) * share
  ink[3]! += (infrared - ink[3]!) * share
}

/** Adds the same to all colours. */
export function brighten(ink: Ink, amount: number): void {
  for (let i = 0; i < 4; i++) ink[i]! += amount
}

/** Multiplies all colours. */
export function darken(ink: Ink, factor: number): void {
  for (let i = 0; i < 4; i++) ink[i]! *= factor
}

/** Colours of cars. */
export const CARS = palette('cars')

/** Draws a car as seen from above, at metres along and across it; false outside of it. */
export function carInk(ink: Ink, along: number, across: number, own: number): boolean {
  if (Math.abs(along) > 2.2 || Math.abs(across) > 0.9) return false
  const [red, green, blue] = colourAt(CARS, own)
  const isGlass = (along > 0.4 && along < 1.1) || (along < -1.2 && along > -1.7)
  const isRoof = Math.abs(across) < 0.72 && along <= 0.4 && along >= -1.2
  const lit = isRoof ? 10 : 0
  if (isGlass && Math.abs(across) < 0.75) blend(ink, 1, 36, 40, 46, 30)
  else blend(ink, 1, red + lit, green + lit, blue + lit, (red + green) / 2)
  return true
}
