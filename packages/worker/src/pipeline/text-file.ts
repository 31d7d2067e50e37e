import { readFile } from 'node:fs/promises'
import { InputError, messageOf } from '@skyscript/core'

/**
 * The text of a file that a setting or an option names.
 *
 * @throws InputError `missing-file` naming who asked for it
 */
export async function readTextFile(path: string, askedBy: string): Promise<string> {
  return readFile(path, 'utf8').catch((error) => {
    throw new InputError('missing-file', `${askedBy}: ${path} can't be read (${messageOf(error)}).`)
  })
}
