import { createTagGroups } from '../groups.ts'
import type { Grouping } from './grouping.ts'

/** By the rarest of the object's tags, as `filter.maxPerTag`. */
export const tag: Grouping = {
  by: 'tag',
  columns: ['center_tags'],
  collect(rows) {
    const groups = createTagGroups(rows)
    return {
      add(columns) {
        for (const json of columns.center_tags as string[]) groups.add(json)
      },
      end: groups.end,
    }
  },
}
