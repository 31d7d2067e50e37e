import type { Tags } from '@skyscript/core'
import { createLabeller } from './class-table.ts'
import { type BenchmarkSettings, definitionsOf } from './definitions.ts'

/** The labels of an object with these tags, by column; null if it shows none of a set's classes, or several. */
export type LabelObject = (tags: Tags) => readonly string[] | null

/** How sets of these settings label objects, by folder; retrieval sets label none. */
export function labellersOf(settings: BenchmarkSettings): ReadonlyMap<string, LabelObject> {
  return new Map(
    definitionsOf(settings).flatMap(({ folder, table }): [string, LabelObject][] => {
      if (table === null) return []
      const labelOf = createLabeller(table)
      return [
        [
          folder,
          (tags) => {
            const label = labelOf(tags)
            if (typeof label === 'string') return null
            const { name, group } = table[label]!
            return group === null ? [name] : [name, group]
          },
        ],
      ]
    }),
  )
}
