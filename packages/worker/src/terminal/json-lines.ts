import { once } from 'node:events'
import { checkWith, formatCounted, printable, readLines } from '@skyscript/core'
import type { ZodType } from 'zod'
import { EXIT } from '../exit-codes.ts'

/** A line of a stream, or why it can't be read. `line` counts from 1, blank lines included. */
type JsonLine<T> = { readonly line: number; readonly value: T } | { readonly line: number; readonly error: string }

/** Lines of JSON on stdin, each checked; blank ones are skipped. */
async function* jsonLines<T>(input: NodeJS.ReadableStream, schema: ZodType<T>): AsyncGenerator<JsonLine<T>> {
  let line = 0
  for await (const text of readLines(input)) {
    line++
    if (text.trim() === '') continue
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      yield { line, error: 'is not JSON' }
      continue
    }
    const checked = checkWith(schema, json)
    yield 'value' in checked ? { line, value: checked.value } : { line, error: checked.faults.join('; ') }
  }
}

/**
 * Answers every line of JSON on stdin with one on stdout, in the input's order. A line that can't be read is answered by
 * `{"line":3,"error":"..."}`.
 *
 * @returns the exit code: 2 where a line could not be read
 */
export async function answerLines<T>(
  schema: ZodType<T>,
  answer: (value: T) => object | Promise<object>,
): Promise<number> {
  let [lines, bad] = [0, 0]
  let first: { readonly line: number; readonly error: string } | undefined
  for await (const asked of jsonLines(process.stdin, schema)) {
    lines++
    if ('error' in asked) {
      bad++
      first ??= asked
    }
    await writeLine(process.stdout, JSON.stringify('error' in asked ? asked : await answer(asked.value)))
  }
  if (first === undefined) return EXIT.whole
  const message = `${bad} of ${formatCounted(lines, 'line')} can't be read; the first is line ${first.line}: ${first.error}`
  process.stderr.write(`skyscript: ${printable(message)}\n`)
  return EXIT.partial
}

/** Writes with back-pressure. */
export const writeLine = (output: NodeJS.WritableStream, line: string): Promise<void> => writeAll(output, `${line}\n`)

/** Writes with back-pressure. */
export async function writeAll(output: NodeJS.WritableStream, data: string | Uint8Array): Promise<void> {
  if (!output.write(data)) await once(output, 'drain')
}
