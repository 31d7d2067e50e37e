import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readLines } from './lines.ts'

async function linesOfBytes(bytes: Uint8Array, chunkSize: number): Promise<string[]> {
  const chunks = async function* () {
    for (let i = 0; i < bytes.length; i += chunkSize) yield bytes.subarray(i, i + chunkSize)
  }
  return Array.fromAsync(readLines(chunks()))
}

test('only a line feed ends a line, however the bytes come in pieces', async () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\u2028', '\u2029', '\u0085', '\v', '\f', '\r', '\u001c', '\u{1f30d}'),
  )
  const line = fc.array(piece, { maxLength: 6 }).map((pieces) => `.${pieces.join('').replaceAll('\n', '')}.`)
  await fc.assert(
    fc.asyncProperty(
      fc.array(line),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      async (lines, chunkSize, end, isEnded) => {
        const text = lines.join(end) + (isEnded && lines.length > 0 ? end : '')
        expect(await linesOfBytes(Buffer.from(text), chunkSize)).toEqual(lines)
      },
    ),
  )
})

test('blank lines are kept, and a byte order mark is not part of the first line', async () => {
  expect(await linesOfBytes(Buffer.from('\ufeffa\n\n\r\nb'), 2)).toEqual(['a', '', '', 'b'])
  expect(await linesOfBytes(Buffer.from(''), 1)).toEqual([])
  expect(await linesOfBytes(Buffer.from('\n'), 1)).toEqual([''])
})

test('text chunks are taken as they are', async () => {
  const chunks = async function* () {
    yield 'a\u2028'
    yield 'b\nc'
  }
  expect(await Array.fromAsync(readLines(chunks()))).toEqual(['a\u2028b', 'c'])
})
