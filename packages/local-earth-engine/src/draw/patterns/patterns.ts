import { FARM_PATTERNS } from './farm.ts'
import { GROUND_PATTERNS } from './ground.ts'
import type { PatternFactory } from './pattern.ts'
import { SPORT_PATTERNS } from './sport.ts'

/** Patterns by the name that materials.csv gives them. */
export const PATTERNS: Readonly<Record<string, PatternFactory>> = {
  ...FARM_PATTERNS,
  ...GROUND_PATTERNS,
  ...SPORT_PATTERNS,
}
