import type { Box } from '@skyscript/core'
import { grownBox } from './grown-box.ts'
import { SEA_REACH } from './sea.ts'
import { LONGEST_SHADOW, MARGIN, MOST_METRES } from './style.ts'

/** Raise when the same features give another picture, so that images which were drawn before are drawn again. */
export const DRAWING_VERSION = 2

/** The ground whose features may decide what is drawn in a box, or in images that extend `metres` from it. */
export function groundAround(box: Box, metres = 0): Box {
  const objects = MOST_METRES.width + MOST_METRES.height * LONGEST_SHADOW + MARGIN
  const [west, south, east, north] = grownBox(box, metres + objects)
  // Coasts tell sea from land on their own parallel, over a long way.
  return [west - SEA_REACH, south, east + SEA_REACH, north]
}
