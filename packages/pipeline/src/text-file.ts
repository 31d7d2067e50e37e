import { readFile } from 'node:fs/promises'
import { parseTagTable } from '@skyscript/captioner'
import { InputError, systemReason } from '@skyscript/core'

/**
 * The text of a file that a setting or an option names.
 *
 * @throws InputError `missing-file` naming who asked for it
 */
export async function readTextFile(path: string, askedBy: string): Promise<string> {
  return readFile(path, 'utf8').catch((error) => {
    throw new InputError('missing-file', `${askedBy}: ${path} can't be read (${systemReason(error)}).`)
  })
}

/**
 * The text of a table of judged tags, which has been read once so that a fault is told with the file's name.
 *
 * @throws InputError `missing-file`, or `bad-tag-table` with file and line
 */
export async function readTagTable(path: string, askedBy: string): Promise<string> {
  const text = await readTextFile(path, askedBy)
  parseTagTable(text, path)
  return text
}
