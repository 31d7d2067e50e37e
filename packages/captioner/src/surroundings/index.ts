import { directions } from './directions.ts'
import { largestFirst } from './largest-first.ts'
import { noEcho } from './no-echo.ts'
import { onceEach } from './once-each.ts'
import { roadsAlone } from './roads-alone.ts'
import type { Scene, Surrounding, SurroundingRule } from './surrounding.ts'

/** What is said of each object. */
export const SAYING: readonly SurroundingRule[] = [roadsAlone]

/** That, and the order in which objects are named, which is the order of the meta too. */
export const ARRANGING: readonly SurroundingRule[] = [...SAYING, largestFirst]

/** Which of them the caption names. */
export const NAMING: readonly SurroundingRule[] = [noEcho, onceEach]

/** The same where captions say on which side objects lie. */
export const NAMING_WITH_DIRECTIONS: readonly SurroundingRule[] = [noEcho, directions, onceEach]

export const applyRules = (
  rules: readonly SurroundingRule[],
  objects: readonly Surrounding[],
  scene: Scene,
): readonly Surrounding[] => rules.reduce((left, { apply }) => apply(left, scene), objects)
