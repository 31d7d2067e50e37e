import type { Storage } from '@skyscript/core'
import { stringify } from 'csv-stringify/sync'
import { openOutput } from './output.ts'

/** Rows are turned into text so many at a time. */
const ROWS_AT_ONCE = 512

/** The original's columns. */
export const pairColumns = (scorer: string): string[] => [
  'filepath',
  'title',
  'title_multi_objects',
  `similarity_CLIP_${scorer}`,
]

/** Of a file that has every caption of an image, each in a row of its own. */
export const CAPTION_COLUMNS: readonly string[] = ['filepath', 'title']

/** One CSV of the dataset while it is written. */
export interface CsvWriter {
  readonly path: string
  /** Rows so far, the header not counted. */
  readonly rows: number
  add(row: readonly string[]): Promise<void>
  end(): Promise<void>
  abort(reason: unknown): Promise<void>
}

/** `5K` for 5000: how the original's file names give sizes. */
export const sizeName = (rows: number): string => (rows > 0 && rows % 1000 === 0 ? `${rows / 1000}K` : String(rows))

/** A lone carriage return ends a row for Python's csv module and pandas, though it isn't our line end. */
const CSV = { record_delimiter: '\n', quoted_match: /\r/ }

const textOf = (rows: readonly (readonly string[])[]) => Buffer.from(stringify(rows as string[][], CSV))

/** A CSV: UTF-8, comma, header, LF, quotes where needed (RFC 4180). */
export function createCsv(storage: Storage, path: string, columns: readonly string[]): CsvWriter {
  const output = openOutput(storage, path)
  let pending: (readonly string[])[] = [columns]
  let rows = 0
  const flush = async () => {
    const piece = textOf(pending)
    pending = []
    await output.write(piece)
  }
  return {
    path,
    get rows() {
      return rows
    },
    async add(row) {
      rows++
      pending.push(row)
      if (pending.length >= ROWS_AT_ONCE) await flush()
    },
    async end() {
      if (pending.length > 0) await flush()
      await output.end()
    },
    abort: output.abort,
  }
}
