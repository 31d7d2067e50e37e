import type { Tags } from '@skyscript/core'
import type { Grouping } from './grouping.ts'
import { collectLabels } from './labels.ts'

/** By the class that a table of tags gives the object. */
export const objectClass: Grouping = {
  by: 'class',
  columns: ['center_tags'],
  collect(rows, _quota, classOf) {
    if (classOf === null) throw new TypeError('Pairs can be balanced by class only with a table of classes.')
    return collectLabels(rows, (columns) =>
      (columns.center_tags as string[]).map((json) => classOf(JSON.parse(json) as Tags)),
    )
  },
}
