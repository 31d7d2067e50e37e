import { radians } from '@skyscript/core'
import { fraction, hashText } from './hash.ts'
import { LONGEST_SHADOW } from './reach.ts'
import type { Scene } from './scene.ts'

/** What sun and season make of a scene; the same all over the scene. */
export interface Light {
  /** Unit vector on the ground towards the sun: x east, y south. */
  readonly sunX: number
  readonly sunY: number
  /** Metres of shadow per metre of height. */
  readonly shadow: number
  /** 0 in winter, 1 in full leaf. */
  readonly leaves: number
  /** 0 for spring's fresh green, 1 for late summer's yellow. */
  readonly ripeness: number
  /** Share of open ground under snow. */
  readonly snow: number
  /** Makes scenes of one place differ: which fields are ploughed, where cars stand. */
  readonly seed: number
}

const DAY = 86_400_000
const YEAR_DAYS = 365.25
/** A day by which the north is greenest. */
const MIDSUMMER = 190

/** The light of a scene at a latitude. */
export function lightOf(scene: Scene, latitude: number): Light {
  const seed = hashText(`${scene.source.id}/${scene.index}`)
  const sun = fraction(seed, 1)
  const day =
    // Aerial images are flown in leaf, and the dates of national mosaics say no more than the year.
    scene.source.aerial || scene.time === null
      ? MIDSUMMER - 30 + 60 * fraction(seed, 2)
      : (scene.time / DAY) % YEAR_DAYS
  // 1 in the middle of summer, -1 in the middle of winter; the south has it the other way round.
  const summer = Math.cos(((day - MIDSUMMER) / YEAR_DAYS) * 2 * Math.PI) * (latitude < 0 ? -1 : 1)
  // Seasons fade towards the tropics.
  const strength = Math.min(1, Math.max(0, (Math.abs(latitude) - 15) / 25))
  const elevation = Math.max(16, Math.min(68, 82 - Math.abs(latitude) * 0.8 + 17 * summer * strength))
  const azimuth = radians((latitude < 0 ? 0 : 180) - 40 + 55 * sun)
  const cold = Math.max(0, (Math.abs(latitude) - 52) / 12)
  return {
    sunX: Math.sin(azimuth),
    sunY: -Math.cos(azimuth),
    shadow: Math.min(LONGEST_SHADOW, 1 / Math.tan(radians(elevation))),
    leaves: Math.max(0, Math.min(1, 0.72 + 0.55 * summer * strength + 0.3 * (1 - strength))),
    ripeness: fraction(seed, 3) * 0.6 + 0.4 * Math.max(0, Math.min(1, (day - MIDSUMMER + 30) / 80)),
    snow: Math.max(0, Math.min(0.85, -summer * 1.6 - 0.9)) * Math.min(1, cold),
    seed,
  }
}
