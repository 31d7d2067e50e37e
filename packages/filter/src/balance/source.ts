import type { Grouping } from './grouping.ts'
import { collectLabels } from './labels.ts'

/** By the alias of the imagery source. */
export const source: Grouping = {
  by: 'source',
  columns: ['source'],
  collect: (rows) => collectLabels(rows, (columns) => columns.source as string[]),
}
