import { once } from 'node:events'
import { InputError, readLines } from '@skyscript/core'
import { type ZodType, z } from 'zod'

/**
 * Lines of JSON on stdin, each checked.
 *
 * @throws InputError `bad-line` with the line's number
 */
export async function* jsonLines<T>(input: NodeJS.ReadableStream, schema: ZodType<T>): AsyncGenerator<T> {
  let number = 0
  for await (const line of readLines(input)) {
    number++
    if (line.trim() === '') continue
    let json: unknown
    try {
      json = JSON.parse(line)
    } catch {
      throw new InputError('bad-line', `Line ${number} of the input is not JSON.`)
    }
    const parsed = schema.safeParse(json)
    if (!parsed.success)
      throw new InputError(
        'bad-line',
        `Line ${number} of the input: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`,
      )
    yield parsed.data
  }
}

/** Writes with back-pressure. */
export const writeLine = (output: NodeJS.WritableStream, line: string): Promise<void> => writeAll(output, `${line}\n`)

/** Writes with back-pressure. */
export async function writeAll(output: NodeJS.WritableStream, data: string | Uint8Array): Promise<void> {
  if (!output.write(data)) await once(output, 'drain')
}
