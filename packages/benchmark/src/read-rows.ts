import { InputError, miscounted, readCsv } from '@skyscript/core'
import { isEmptyField, isNumber } from './pandas.ts'
import type { RowFaults } from './row-faults.ts'

/** The column with an image's path, in every CSV of the original. */
const PATH = 'filepath'
/** The column with the name of an image's class. */
const LABEL = 'label'

/** An image of a CSV. */
export interface ImageRow {
  readonly line: number
  /** As the CSV has it: relative to the root folder. */
  readonly path: string
}

export interface LabelledRow extends ImageRow {
  /** Index in the class list. */
  readonly label: number
}

export interface CaptionedRow extends ImageRow {
  readonly caption: string
}

export interface BinaryRow extends ImageRow {
  /** Whether the image shows the class. */
  readonly shown: boolean
}

/** A CSV in pieces, with its name for messages. */
export interface CsvSource {
  readonly name: string
  readonly chunks: AsyncIterable<Uint8Array | string>
}

/**
 * Rows with a label, which is the name of a class. As in the original, rows without a label are left out, and in a column of
 * numbers only a label is the line of its class, from 0.
 *
 * @throws InputError `bad-csv`, and what `faults` throws
 */
export async function readLabelledRows(
  source: CsvSource,
  options: { readonly column: string; readonly classes: readonly string[]; readonly faults: RowFaults },
): Promise<{ readonly rows: LabelledRow[]; readonly withoutLabel: number }> {
  const { column, classes, faults } = options
  const all = await readColumns(source, [column], faults)
  const labelled = all.filter(({ fields }) => !isEmptyField(fields[0]!))
  const areNumbers = labelled.every(({ fields }) => isNumber(fields[0]!))
  const indexes = new Map(classes.map((name, i) => [name, i]))
  const rows: LabelledRow[] = []
  for (const { line, path, fields } of labelled) {
    const label = fields[0]!
    const index = areNumbers ? Number(label) : indexes.get(label)
    if (index !== undefined && classes[index] !== undefined) rows.push({ line, path, label: index })
    else faults.add(line, 'unknown-label', unknownLabel(label, areNumbers, classes))
  }
  return { rows, withoutLabel: all.length - labelled.length }
}

function unknownLabel(label: string, isNumber: boolean, classes: readonly string[]): string {
  if (isNumber)
    return `the label ${label} is a number, so it is taken as a line of the class list from 0, which ends at ${classes.length - 1}`
  const similar = classes.find((name) => name.toLowerCase() === label.trim().toLowerCase())
  const hint = similar === undefined ? '' : `, which has "${similar}"`
  return `the label "${label}" is not in the class list${hint}`
}

/** Rows with a caption. An image may have several, and a caption several images. */
export async function readCaptionedRows(
  source: CsvSource,
  options: { readonly column: string; readonly prefix: string; readonly faults: RowFaults },
): Promise<CaptionedRow[]> {
  const { column, prefix, faults } = options
  const rows: CaptionedRow[] = []
  for (const { line, path, fields } of await readColumns(source, [column], faults)) {
    const caption = fields[0]!
    if (isEmptyField(caption)) faults.add(line, 'empty-caption', `the column "${column}" is empty`)
    else rows.push({ line, path, caption: prefix + caption })
  }
  return rows
}

/**
 * Rows with 1 where an image shows the class, and 0 where it doesn't. As in the original, rows with nothing in a column `label` are
 * left out; here a CSV may also have no such column.
 */
export async function readBinaryRows(
  source: CsvSource,
  options: { readonly column: string; readonly faults: RowFaults },
): Promise<{ readonly rows: BinaryRow[]; readonly withoutLabel: number }> {
  const all = await readColumns(source, [options.column], options.faults, LABEL)
  const labelled = all.filter(({ optional }) => optional === undefined || !isEmptyField(optional))
  const rows: BinaryRow[] = []
  for (const { line, path, fields } of labelled) {
    const value = isNumber(fields[0]!) ? Number(fields[0]) : Number.NaN
    if (value === 0 || value === 1) rows.push({ line, path, shown: value === 1 })
    else options.faults.add(line, 'unknown-label', `the column "${options.column}" must be 0 or 1, not "${fields[0]}"`)
  }
  return { rows, withoutLabel: all.length - labelled.length }
}

/** Paths of the first rows that can be read. */
export async function readPaths({ name, chunks }: CsvSource, most: number): Promise<string[]> {
  const paths: string[] = []
  let place: number | undefined
  for await (const record of readCsv(chunks)) {
    if ('fault' in record) continue
    if (place === undefined) place = placeOf(PATH, record.fields, name)
    else {
      const path = record.fields[place]
      if (path !== undefined && !isEmptyField(path)) paths.push(path)
      if (paths.length === most) break
    }
  }
  return paths
}

/** The path and some other fields of each row, and that of a column that may be missing. */
async function readColumns(
  { name, chunks }: CsvSource,
  columns: readonly string[],
  faults: RowFaults,
  optional?: string,
) {
  const rows: (ImageRow & { readonly fields: readonly string[]; readonly optional: string | undefined })[] = []
  let header: readonly string[] | undefined
  let places: readonly number[] = []
  let extra = -1
  for await (const record of readCsv(chunks)) {
    if (header === undefined) {
      if ('fault' in record) throw new InputError('bad-csv', `${name}, line ${record.line}: ${record.fault}.`)
      header = record.fields
      places = [PATH, ...columns].map((column) => placeOf(column, record.fields, name))
      if (optional !== undefined) extra = header.indexOf(optional)
    } else if ('fault' in record) faults.add(record.line, 'bad-line', record.fault)
    else if (record.fields.length !== header.length)
      faults.add(record.line, 'bad-line', miscounted(record.fields, header))
    else {
      const [path, ...fields] = places.map((place) => record.fields[place]!)
      if (isEmptyField(path!)) faults.add(record.line, 'missing-image', `the column "${PATH}" is empty`)
      else rows.push({ line: record.line, path: path!, fields, optional: record.fields[extra] })
    }
  }
  if (header === undefined) throw new InputError('bad-csv', `${name} is empty; its first line must name its columns.`)
  return rows
}

function placeOf(column: string, header: readonly string[], name: string): number {
  const place = header.indexOf(column)
  if (place >= 0) return place
  throw new InputError('bad-csv', `${name} has no column "${column}"; it has ${header.join(', ')}.`)
}
