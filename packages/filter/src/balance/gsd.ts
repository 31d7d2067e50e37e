import { gsdBand } from '@skyscript/core'
import type { Grouping } from './grouping.ts'
import { collectLabels } from './labels.ts'

/** By resolution, in bands. */
export const gsd: Grouping = {
  by: 'gsd',
  columns: ['gsd'],
  collect: (rows) => collectLabels(rows, (columns) => (columns.gsd as number[]).map((each) => String(gsdBand(each)))),
}
