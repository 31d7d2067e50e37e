import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CsvRecord, parseCsv, readCsv } from './csv.ts'
import { InputError } from './errors.ts'

async function* pieces(text: string, length: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}
const recordsOf = (text: string, length = 1000): Promise<CsvRecord[]> => Array.fromAsync(readCsv(pieces(text, length)))
const quoted = (field: string) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)

test('any records come back as they were written, in pieces of any length and with any line end', async () => {
  const field = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', ' ', 'é', '水') }),
  )
  const records = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(
      records,
      fc.constantFrom('\n', '\r\n'),
      fc.integer({ min: 1, max: 9 }),
      async (rows, end, length) => {
        const text = rows.map((fields) => `${fields.map(quoted).join(',')}${end}`).join('')
        fc.pre(!text.startsWith('\uFEFF') && text.isWellFormed())
        const read = await recordsOf(text, length)
        expect(read.map((record) => ('fields' in record ? record.fields : record.fault))).toEqual(rows)
      },
    ),
  )
})

test('a byte order mark, blank lines, CRLF, lone CR and a missing last line end are all accepted', async () => {
  const fields = async (text: string) => (await recordsOf(text, 1)).map((record) => 'fields' in record && record.fields)
  const rows = [
    ['a', 'b'],
    ['1', '2'],
  ]
  expect(await fields('\uFEFFa,b\r\n\r\n1,2\r\n\r\n \r\n')).toEqual(rows)
  expect(await fields('a,b\r1,2')).toEqual(rows)
  expect(await fields('a,b\n\n1,2\n\n\n')).toEqual(rows)
  expect(await fields('\uFEFF')).toEqual([])
  expect(await fields('"a"\n""\n')).toEqual([['a'], ['']])
})

test('a record that cannot be read is named by its first line, and those after it are read', async () => {
  const text = 'a,b\n"x\ny",z\n6" pipe,q\n"r"s,t\nu,v\n'
  expect(await recordsOf(text)).toEqual([
    { line: 1, fields: ['a', 'b'] },
    { line: 2, fields: ['x\ny', 'z'] },
    { line: 4, fault: 'has a quote inside a field that does not start with one' },
    { line: 5, fault: 'has text after a closing quote' },
    { line: 6, fields: ['u', 'v'] },
  ])
  expect((await recordsOf('a\n\nb,"c\nd\n')).at(-1)).toEqual({
    line: 3,
    fault: 'has a quote that is never closed, so nothing after it could be read',
  })
})

test('a table names the file and the line of what it cannot read', () => {
  expect(parseCsv('\uFEFFkey, value\r\na,"b,c"\r\n\r\nd\r\n', 't.csv')).toEqual({
    columns: ['key', 'value'],
    rows: [
      { line: 2, fields: ['a', 'b,c'] },
      { line: 4, fields: ['d'] },
    ],
  })
  const refusal = (text: string) => {
    try {
      parseCsv(text, 't.csv', 'bad-table')
    } catch (error) {
      if (error instanceof InputError) return `${error.code}: ${error.message}`
    }
    return 'accepted'
  }
  expect(refusal('a,b\n\n1,2,3\n')).toBe('bad-table: t.csv, line 3: has 3 fields, but the header has 2 fields.')
  expect(refusal('a,b\n1"2,3\n')).toBe(
    'bad-table: t.csv, line 2: has a quote inside a field that does not start with one.',
  )
})
