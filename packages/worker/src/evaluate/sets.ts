import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  type BinaryRow,
  type CaptionedRow,
  type CsvSource,
  checkEnoughClasses,
  type ImageRow,
  type LabelledRow,
  parseClassList,
  RowFaults,
  readBinaryRows,
  readCaptionedRows,
  readLabelledRows,
} from '@skyscript/benchmark'
import { formatCounted, InputError, type Terminal } from '@skyscript/core'
import { readTextFile } from '@skyscript/pipeline/files'
import { rowsWithFiles } from './embed-images.ts'
import { type ImageSource, imagesBelow } from './image-source.ts'
import { refuseTrainingFile, trainingRows } from './training.ts'

/** A set whose rows were read, and whose images are there. */
export interface MeasuredSet<R extends ImageRow = ImageRow> {
  /** The file or folder, for messages. */
  readonly name: string
  readonly rows: readonly R[]
  readonly images: ImageSource
  /** Rows that were left out so far. */
  readonly faults: RowFaults
}

export interface ClassifiedSet extends MeasuredSet<LabelledRow> {
  readonly classes: readonly string[]
}

export interface BinarySet extends MeasuredSet<BinaryRow> {
  readonly className: string
  readonly column: string
}

export type CaptionedSet = MeasuredSet<CaptionedRow>

/** A CSV of images. */
export interface CsvFile {
  readonly csv: string
  /** Folder that paths of the CSV are relative to; default: that of the CSV. */
  readonly root: string | undefined
  /** Leaves out rows that can't be used, rather than ending. */
  readonly skipMissing: boolean
  /**
   * What to do about training pairs of a dataset: files of them are refused unless this is `allow`, and in other files `refuse`
   * ends at their images and `warn` counts them, since a model need not be trained on that dataset.
   */
  readonly trainingPairs: 'refuse' | 'warn' | 'allow'
  readonly terminal: Terminal
}

/** @throws InputError that names a file and a line */
export async function readClassified(
  file: CsvFile,
  options: { readonly classList: string; readonly labelColumn: string },
): Promise<ClassifiedSet> {
  if (file.trainingPairs !== 'allow') refuseTrainingFile(file.csv)
  const classes = parseClassList(await readTextFile(options.classList, '--classes'), options.classList)
  checkEnoughClasses(classes, options.classList)
  const faults = new RowFaults(file.csv, { skip: file.skipMissing })
  const source = await openCsv(file.csv)
  const { rows, withoutLabel } = await readLabelledRows(source, { column: options.labelColumn, classes, faults })
  noteUnlabelled(file, withoutLabel)
  return { ...(await withFiles(file, rows, faults)), classes }
}

/** @throws InputError that names a file and a line */
export async function readBinary(
  file: CsvFile,
  options: { readonly classList: string; readonly binaryColumn: string },
): Promise<BinarySet> {
  if (file.trainingPairs !== 'allow') refuseTrainingFile(file.csv)
  const { classList, binaryColumn: column } = options
  const classes = parseClassList(await readTextFile(classList, '--classes'), classList)
  if (classes.length !== 1)
    throw new InputError(
      'bad-classes',
      `${classList} has ${classes.length} classes, but --binary-column measures one; leave only that one in the file.`,
    )
  const faults = new RowFaults(file.csv, { skip: file.skipMissing })
  const { rows, withoutLabel } = await readBinaryRows(await openCsv(file.csv), { column, faults })
  noteUnlabelled(file, withoutLabel)
  checkShown(rows, { name: file.csv, column })
  return { ...(await withFiles(file, rows, faults)), className: classes[0]!, column }
}

function noteUnlabelled({ terminal }: CsvFile, count: number): void {
  if (count > 0) terminal.note(`${formatCounted(count, 'row')} without a label left out`)
}

/**
 * Without an image that shows the class, the original's formulas give a perfect F1 above the highest cosine.
 *
 * @throws InputError `no-rows`
 */
export function checkShown(
  rows: readonly { readonly shown: boolean }[],
  { name, column }: { readonly name: string; readonly column: string },
): void {
  if (rows.length === 0 || rows.some(({ shown }) => shown)) return
  const message = `${name} has no usable row with 1 in the column "${column}"; add images that show the class.`
  throw new InputError('no-rows', message)
}

/** @throws InputError that names a file and a line */
export async function readCaptioned(
  file: CsvFile,
  options: { readonly captionColumn: string; readonly captionPrefix: string },
): Promise<CaptionedSet> {
  if (file.trainingPairs !== 'allow') refuseTrainingFile(file.csv)
  const { captionColumn: column, captionPrefix: prefix } = options
  const faults = new RowFaults(file.csv, { skip: file.skipMissing })
  return withFiles(file, await readCaptionedRows(await openCsv(file.csv), { column, prefix, faults }), faults)
}

async function withFiles<R extends ImageRow>(
  { csv, root = dirname(csv), trainingPairs, terminal }: CsvFile,
  rows: readonly R[],
  faults: RowFaults,
): Promise<MeasuredSet<R>> {
  const found = trainingPairs === 'allow' ? null : await trainingRows(csv, root, rows)
  if (found !== null && trainingPairs === 'refuse')
    throw new InputError('training-split', `${found}; leave training images out.`)
  if (found !== null) terminal.warn(`${found}: a model that was trained on them does better on them than on others`)
  const images = imagesBelow(root)
  const set = { name: csv, rows: await rowsWithFiles(rows, images, faults), images, faults }
  if (set.rows.length === 0) throw nothingToMeasure(set)
  return set
}

export function nothingToMeasure({ name, faults }: Pick<MeasuredSet, 'name' | 'faults'>): InputError {
  const reasons = Object.entries(faults.skipped).map(([code, count]) => `${count} ${code}`)
  const left = reasons.length === 0 ? '' : ` (left out: ${reasons.join(', ')})`
  return new InputError('no-rows', `${name} has no row that can be evaluated${left}.`)
}

export async function openCsv(csv: string): Promise<CsvSource> {
  const found = await stat(csv).catch(() => null)
  if (found?.isDirectory()) throw new InputError('missing-file', `${csv} is a folder; give the path of a CSV file.`)
  if (!found?.isFile())
    throw new InputError('missing-file', `${csv}: there is no such file; give the path of a CSV file.`)
  return { name: csv, chunks: createReadStream(csv) }
}
