/**
 * Lines of a table, cells padded to the width of their column.
 *
 * @param isNumber whether a column's cells stand to the right; default: all but the first
 */
export function tableLines(
  rows: readonly (readonly string[])[],
  isNumber: (column: number) => boolean = (column) => column > 0,
): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const pad = (cell: string, column: number) =>
    isNumber(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
  return rows.map((row) => row.map(pad).join('  ').trimEnd())
}
