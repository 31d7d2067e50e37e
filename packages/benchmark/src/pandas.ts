/**
 * How pandas' `read_csv`, with which the original reads CSVs, takes fields that are no plain text (pandas 2.2, "Input/output",
 * na_values, and its parser of numbers).
 */

const EMPTY = new Set(
  `#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null`.split('|'),
)

/** Whether pandas takes a field as empty. */
export const isEmptyField = (field: string): boolean => field === '' || EMPTY.has(field)

const NUMBER = /^\s*[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf(?:inity)?)\s*$/i

/** Whether a column of only such fields becomes one of numbers. */
export const isNumber = (field: string): boolean => NUMBER.test(field)

/** Whether a column of only such fields becomes one of truth values. */
export const isTruthValue = (field: string): boolean => /^(?:true|false)$/i.test(field)
