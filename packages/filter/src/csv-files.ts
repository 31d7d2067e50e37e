import type { Storage } from '@skyscript/core'
import { createCsvText } from './csv-text.ts'
import { openOutput } from './output.ts'

/** A file of dataset rows that is being written. */
export interface RowsWriter {
  readonly path: string
  /** Rows so far, without the header. */
  readonly rows: number
  /** Available after the end. */
  readonly sha256: string
  /** @param text complete rows with line ends; `rows` is their number */
  add(text: Uint8Array, rows: number): Promise<void>
  end(): Promise<void>
  abort(reason: unknown): Promise<void>
}

/** A CSV: UTF-8, comma, header, LF, quoted only if needed. */
export function createCsv(storage: Storage, path: string, columns: readonly string[]): RowsWriter {
  const header = createCsvText()
  header.fields(columns.map((name) => Buffer.from(name)))
  header.endRow()
  return createRows(storage, path, header.view)
}

/** JSON lines: UTF-8, LF. */
export const createRecords = (storage: Storage, path: string): RowsWriter => createRows(storage, path, new Uint8Array())

function createRows(storage: Storage, path: string, start: Uint8Array): RowsWriter {
  const output = openOutput(storage, path)
  const header = start.length > 0 ? output.write(start) : Promise.resolve()
  let rows = 0
  return {
    path,
    get rows() {
      return rows
    },
    get sha256() {
      return output.sha256
    },
    async add(text, count) {
      rows += count
      await header
      if (text.length > 0) await output.write(text)
    },
    async end() {
      await header
      await output.end()
    },
    abort: output.abort,
  }
}
