import { InputError } from './errors.ts'

/** A record of a CSV, or why one can't be read. */
export type CsvRecord =
  | { readonly line: number; readonly fields: readonly string[] }
  | { readonly line: number; readonly fault: string }

/**
 * Records of a CSV (RFC 4180: comma, double quotes) that comes in pieces. A record ends at LF, CRLF or a lone CR, as for
 * Python's csv module; a byte order mark and blank lines are skipped. `line` is the first line of a record, from 1. After
 * a fault reading resumes on the next line; csv-parse, in contrast, loses records after one and names another line.
 */
export async function* readCsv(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<CsvRecord> {
  const decoder = new TextDecoder()
  const reader = new CsvReader()
  for await (const chunk of chunks) {
    yield* reader.read(typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))
  }
  yield* reader.read(decoder.decode())
  yield* reader.end()
}

/** A CSV that fits in memory, with named columns. */
export interface CsvTable {
  readonly columns: readonly string[]
  /** None has more fields than there are columns; some may have fewer. */
  readonly rows: readonly { readonly line: number; readonly fields: readonly string[] }[]
}

/**
 * Reads a CSV whose first record names its columns.
 *
 * @param name of the file, for messages
 * @param code of the errors
 * @throws InputError that names the file and the line of what can't be read
 */
export function parseCsv(text: string, name: string, code = 'bad-csv'): CsvTable {
  const reader = new CsvReader()
  const [header, ...rows] = [...reader.read(text), ...reader.end()].map((record) => {
    if ('fields' in record) return record
    throw new InputError(code, `${name}, line ${record.line}: ${record.fault}.`)
  })
  const columns = header?.fields.map((column) => column.trim()) ?? []
  const long = rows.find(({ fields }) => fields.length > columns.length)
  if (long) throw new InputError(code, `${name}, line ${long.line}: ${miscounted(long.fields, columns)}.`)
  return { columns, rows }
}

/** Says that a record doesn't fit the header. */
export function miscounted(fields: readonly string[], columns: readonly string[]): string {
  const count = (n: number) => `${n} ${n === 1 ? 'field' : 'fields'}`
  return `has ${count(fields.length)}, but the header has ${count(columns.length)}`
}

/** Where in a record the next character is. `skipped`: in what is left of a line with a fault. */
type State = 'start' | 'plain' | 'quoted' | 'closed' | 'skipped'

/** What ends a stretch of text in each state. */
const ENDS: Readonly<Record<State, RegExp>> = {
  start: /[",\r\n]/g,
  plain: /[",\r\n]/g,
  quoted: /["\r\n]/g,
  closed: /[",\r\n]/g,
  skipped: /[\r\n]/g,
}

class CsvReader {
  #state: State = 'start'
  #fields: string[] = []
  #field = ''
  #fault: string | null = null
  /** The current line, and the first of the current record. */
  #line = 1
  #first = 1
  /** Whether the last character was a CR, whose LF is no further line end. */
  #afterReturn = false
  #begun = false;

  *read(text: string): Generator<CsvRecord> {
    let at = 0
    if (!this.#begun && text !== '') {
      this.#begun = true
      if (text.startsWith('\uFEFF')) at = 1
    }
    while (at < text.length) {
      if (this.#afterReturn) {
        this.#afterReturn = false
        if (text[at] === '\n') {
          if (this.#state === 'quoted') this.#field += '\n'
          at++
          continue
        }
      }
      const ends = ENDS[this.#state]
      ends.lastIndex = at
      const end = ends.exec(text)?.index ?? text.length
      if (end > at) this.#stretch(text.slice(at, end))
      if (end === text.length) return
      const character = text[end]!
      at = end + 1
      if (character === ',') this.#endField()
      else if (character === '"') this.#quote()
      else {
        this.#afterReturn = character === '\r'
        this.#line++
        if (this.#state === 'quoted') this.#field += character
        else yield* this.#endRecord()
      }
    }
  }

  *end(): Generator<CsvRecord> {
    if (this.#state === 'quoted') this.#skip('has a quote that is never closed, so nothing after it could be read')
    yield* this.#endRecord()
  }

  #stretch(text: string): void {
    if (this.#state === 'closed') this.#skip('has text after a closing quote')
    if (this.#state === 'start') this.#state = 'plain'
    if (this.#state !== 'skipped') this.#field += text
  }

  #quote(): void {
    if (this.#state === 'start') this.#state = 'quoted'
    else if (this.#state === 'quoted') this.#state = 'closed'
    else if (this.#state === 'plain') this.#skip('has a quote inside a field that does not start with one')
    else {
      this.#field += '"'
      this.#state = 'quoted'
    }
  }

  #endField(): void {
    this.#fields.push(this.#field)
    this.#field = ''
    this.#state = 'start'
  }

  #skip(fault: string): void {
    this.#fault = fault
    this.#state = 'skipped'
  }

  *#endRecord(): Generator<CsvRecord> {
    const line = this.#first
    const fault = this.#fault
    const isQuoted = this.#state === 'closed'
    this.#endField()
    const fields = this.#fields
    this.#fields = []
    this.#fault = null
    this.#first = this.#line
    if (fault !== null) yield { line, fault }
    else if (fields.length > 1 || isQuoted || fields[0]!.trim() !== '') yield { line, fields }
  }
}
