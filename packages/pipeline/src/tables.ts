import { sortedRecord } from '@skyscript/core'

/** Counts above 0 in a plain object with sorted keys, so that its JSON is the same whatever order things came in. */
export function sortedCounts(counts: ReadonlyMap<string, number>): Record<string, number> {
  return sortedRecord(Iterator.from(counts).filter(([, n]) => n > 0))
}

/** Adds to a count of a table. */
export function countIn(table: Map<string, Map<string, number>>, row: string, column: string, by = 1): void {
  let counts = table.get(row)
  if (counts === undefined) table.set(row, (counts = new Map()))
  counts.set(column, (counts.get(column) ?? 0) + by)
}

/** Adds a table of plain objects to another one. */
export function addTable(
  table: Map<string, Map<string, number>>,
  more: Readonly<Record<string, Readonly<Record<string, number>>>>,
): void {
  for (const [row, counts] of Object.entries(more))
    for (const [column, n] of Object.entries(counts)) countIn(table, row, column, n)
}

/** A table as a plain object with sorted keys. */
export function sortedTable(
  table: ReadonlyMap<string, ReadonlyMap<string, number>>,
): Record<string, Record<string, number>> {
  return sortedRecord(Iterator.from(table).map(([row, counts]) => [row, sortedCounts(counts)] as const))
}
