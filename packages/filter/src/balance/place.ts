import { boxCenter } from '@skyscript/core'
import type { Grouping } from './grouping.ts'
import { collectLabels } from './labels.ts'

const DEGREES = 1
const SIDES = ['west', 'south', 'east', 'north'] as const

/** By the cell of a grid in degrees that the image's centre is in. */
export const place: Grouping = {
  by: 'place',
  columns: SIDES,
  collect: (rows, { degrees = DEGREES }) =>
    collectLabels(rows, (columns) => {
      const [west, south, east, north] = SIDES.map((side) => columns[side] as number[])
      return west!.map((_, row) => {
        const centre = boxCenter([west![row]!, south![row]!, east![row]!, north![row]!])
        return centre.map((at) => Math.floor(at / degrees)).join()
      })
    }),
}
