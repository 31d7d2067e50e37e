import { tableLines } from '@skyscript/core'

/** The first column to the left, the others to the right; every line ends with a line end. */
export const textTable = (rows: readonly (readonly string[])[]): string =>
  tableLines(rows)
    .map((line) => `${line}\n`)
    .join('')

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`
