import { Readable } from 'node:stream'
import type { Storage } from '@skyscript/core'
import { CsvError, parse } from 'csv-parse'
import { watched } from './watched.ts'

/** The file is not valid CSV from some line on. */
export class CsvFormatError extends Error {}

export interface CsvLine {
  /** Number of the line on which the record ends, from 1. */
  readonly line: number
  readonly fields: readonly string[]
}

/**
 * Records of a CSV as Python's csv module and pandas read them: comma, double quotes, and a lone CR ends a record like LF
 * and CRLF. The header is the first record.
 *
 * @param onChunk called with every chunk of the file, in order
 * @throws CsvFormatError if quoting is broken
 */
export async function* readCsv(
  storage: Storage,
  path: string,
  onChunk: (chunk: Uint8Array) => void,
): AsyncGenerator<CsvLine> {
  const parser = parse({ relax_column_count: true, record_delimiter: ['\r\n', '\n', '\r'], info: true })
  const source = Readable.from(watched(storage.stream(path), onChunk), { objectMode: false })
  source.on('error', (error) => parser.destroy(error))
  source.pipe(parser)
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      yield { line: info.lines, fields: record }
    }
  } catch (error) {
    if (error instanceof CsvError) throw new CsvFormatError(error.message, { cause: error })
    throw error
  } finally {
    source.destroy()
  }
}
