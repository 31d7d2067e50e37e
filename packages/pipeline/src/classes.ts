import { createLabeller, shippedTable } from '@skyscript/benchmark/sets'
import type { Quota, Tags } from '@skyscript/core'

const SET = 'SkyScript_cls'

/** Whether the settings of a filter limit classes. */
export const balancesByClass = ({
  balance = [],
}: {
  readonly balance?: readonly Pick<Quota, 'by'>[] | undefined
}): boolean => balance.some(({ by }) => by === 'class')

/** What decides the class of an object: part of the fingerprint of datasets that are balanced by class. */
export const classTable = () => shippedTable(SET)

/** Returns the class of an object's tags among those of `SkyScript_cls`; null for objects of none or several. */
export function classOfTags(): (tags: Tags) => string | null {
  const table = classTable()
  const labelOf = createLabeller(table)
  return (tags) => {
    const label = labelOf(tags)
    return typeof label === 'string' ? null : table[label]!.name
  }
}
